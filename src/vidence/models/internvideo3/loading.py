"""Load a model from a folder: InternVideo3 in either layout, or a Qwen3-VL or Qwen3 model as the baseline it is.

The baseline is transformers' own class with grouped-query attention: what a conversion starts from and what a
benchmark compares with.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import torch
from transformers import AutoConfig, PreTrainedConfig, PreTrainedModel, Qwen3Config, Qwen3ForCausalLM
from transformers.models.qwen3_vl.configuration_qwen3_vl import Qwen3VLConfig
from transformers.models.qwen3_vl.modeling_qwen3_vl import Qwen3VLForConditionalGeneration

from vidence.errors import WeightsError
from vidence.media.identity import sampled_hash
from vidence.models.internvideo3.checkpoint import check
from vidence.models.internvideo3.config import InternVideo3Config, InternVideo3TextConfig
from vidence.models.internvideo3.decoder import InternVideo3ForCausalLM
from vidence.models.internvideo3.modeling import InternVideo3ForConditionalGeneration

CLASSES: dict[type[PreTrainedConfig], type[PreTrainedModel]] = {
    InternVideo3Config: InternVideo3ForConditionalGeneration,
    InternVideo3TextConfig: InternVideo3ForCausalLM,
}
BASELINES: dict[type[PreTrainedConfig], type[PreTrainedModel]] = {
    Qwen3VLConfig: Qwen3VLForConditionalGeneration,
    Qwen3Config: Qwen3ForCausalLM,
}


def read_config(directory: Path) -> PreTrainedConfig:
    """Read a folder's config.json.

    Raises:
        WeightsError: there is none, or no library here knows its model_type.
    """
    if not (directory / "config.json").is_file():
        raise WeightsError(f"{directory}: holds no config.json; give a folder with a model")
    try:
        return AutoConfig.from_pretrained(directory)
    except (ValueError, OSError) as error:
        raise WeightsError(f"{directory / 'config.json'}: {error}") from error


def load_model(
    directory: Path, *, dtype: torch.dtype | str = "auto", device: torch.device | str = "cpu"
) -> InternVideo3ForConditionalGeneration | InternVideo3ForCausalLM:
    """Load an InternVideo3 model for inference. `dtype` "auto" is the checkpoint's own.

    Raises:
        WeightsError: it is another model, or its tensors are not exactly those that its config.json describes.
    """
    return _load(directory, CLASSES, dtype, device)


def load_baseline(
    directory: Path, *, dtype: torch.dtype | str = "auto", device: torch.device | str = "cpu"
) -> Qwen3VLForConditionalGeneration | Qwen3ForCausalLM:
    """Load a Qwen3-VL or Qwen3 model as it is, with grouped-query attention.

    Raises:
        WeightsError: it is another model, or its tensors are not exactly those that its config.json describes.
    """
    return _load(directory, BASELINES, dtype, device)


def weights_name(directory: Path) -> str:
    """Return 64 hex digits that tell one model's weights from another's, from a sample of the files' bytes."""
    digest = hashlib.sha256()
    for path in sorted(directory.glob("*.safetensors")):
        digest.update(f"{path.name} {sampled_hash(path)}\n".encode())
    return digest.hexdigest()


def _load(
    directory: Path,
    classes: dict[type[PreTrainedConfig], type[PreTrainedModel]],
    dtype: torch.dtype | str,
    device: torch.device | str,
) -> Any:
    config = read_config(directory)
    model_class = classes.get(type(config))
    if model_class is None:
        known = ", ".join(one.model_type for one in classes)
        raise WeightsError(
            f"{directory}: model_type is {config.model_type!r}; here it must be one of {known}"
        )
    if classes is BASELINES:  # our own classes check for themselves
        check(directory, model_class, config)
    return model_class.from_pretrained(directory, config=config, dtype=dtype).to(device).eval()  # type: ignore[arg-type]
