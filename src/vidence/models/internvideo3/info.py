"""Facts about a model, from its config.json alone: parameters, bytes of its cache, and the context that fits."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from transformers import PreTrainedConfig

from vidence.errors import WeightsError
from vidence.models.internvideo3.checkpoint import check
from vidence.models.internvideo3.config import FLOAT, INT8, InternVideo3TextConfig
from vidence.models.internvideo3.latent import bytes_per_token
from vidence.models.internvideo3.loading import BASELINES, CLASSES, read_config
from vidence.models.internvideo3.room import available_bytes

ELEMENT_BYTES = 2  # bfloat16, as checkpoints are published


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """What a model is and costs. Bytes a token count all layers; contexts are tokens beside the weights."""

    model_type: str
    layout: str
    parameters: int
    vision_parameters: int
    weights_bytes: int
    layers: int
    widest_row: str
    cache_bytes_per_token: dict[str, int]
    free_bytes: int
    context_that_fits: dict[str, int]
    trained_context: int


def model_info(directory: Path, device: torch.device) -> ModelInfo:
    """Describe the model in a folder, whose weights are checked by their headers but not read.

    Raises:
        WeightsError: no such model, or its weights are not those of its config.json.
    """
    config = read_config(directory)
    model_class = (CLASSES | BASELINES).get(type(config))
    if model_class is None:
        raise WeightsError(f"{directory}: model_type {config.model_type!r} is not known here")
    check(directory, model_class, config)
    with torch.device("meta"):
        model = model_class(config)  # type: ignore[arg-type]
    vision = getattr(getattr(model, "model", None), "visual", None)
    text: Any = config.get_text_config(decoder=True)
    parameters = _count(model)
    weights = parameters * ELEMENT_BYTES
    free = available_bytes(device)
    by_storage = cache_bytes(text)
    return ModelInfo(
        model_type=config.model_type,
        layout=text.attention_layout if isinstance(text, InternVideo3TextConfig) else "grouped-query",
        parameters=parameters,
        vision_parameters=0 if vision is None else _count(vision),
        weights_bytes=weights,
        layers=text.num_hidden_layers,
        widest_row=_widest_row(text),
        cache_bytes_per_token=by_storage,
        free_bytes=free,
        context_that_fits={name: max(free - weights, 0) // each for name, each in by_storage.items()},
        trained_context=text.max_position_embeddings,
    )


def cache_bytes(text: PreTrainedConfig) -> dict[str, int]:
    """Return bytes a token by storage, and what grouped-query attention of the same shape would take."""
    config: Any = text
    plain = 2 * config.num_hidden_layers * config.num_key_value_heads * config.head_dim * ELEMENT_BYTES
    if not isinstance(text, InternVideo3TextConfig):
        return {"grouped-query": plain}
    latent = {storage: bytes_per_token(text, ELEMENT_BYTES, storage) for storage in (FLOAT, INT8)}
    return {"16 bits": latent[FLOAT], "8 bits": latent[INT8], "grouped-query": plain}


def _widest_row(text: Any) -> str:
    if not isinstance(text, InternVideo3TextConfig):
        return f"2 x {text.num_key_value_heads} x {text.head_dim}"
    shapes = [text.latent_shape(layer) for layer in range(text.num_hidden_layers)]
    widest = max(shapes, key=lambda shape: shape.rank + shape.rope_width)
    return f"{widest.rank} + {widest.rope_width}"


def _count(model: torch.nn.Module) -> int:
    return sum(parameter.numel() for parameter in model.parameters())
