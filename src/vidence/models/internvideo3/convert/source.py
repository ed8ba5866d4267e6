"""The model to convert: its shape, and its weights, read from disk a layer at a time.

B batch, L tokens, D hidden width, H query heads, G key-value heads, d head width. Every family that is read here has
the same decoder layer: RMSNorm, projections to queries, keys and values (with or without biases and norms by head),
rotary positions in halves, causal attention, an output projection, RMSNorm, a SwiGLU MLP.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from torch import Tensor
from torch.nn import functional as F
from transformers import PreTrainedConfig

from vidence.errors import WeightsError
from vidence.models.internvideo3.checkpoint import INDEX, SINGLE, stored_shapes
from vidence.models.internvideo3.config import InternVideo3Config, InternVideo3TextConfig
from vidence.models.internvideo3.convert.families import TEXT, VISUAL, twin_config
from vidence.models.internvideo3.loading import read_config

_FIRST = "layers.0.self_attn.q_proj.weight"


@dataclass(frozen=True, slots=True)
class Layer:
    """One grouped-query layer in float32, by the names of its tensors within the layer."""

    heads: int
    groups: int
    width: int  # of a head
    eps: float
    weights: Mapping[str, Tensor]

    def project(self, hidden_BLD: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return unrotated q (B, H, L, d), k and v (B, G, L, d) of the stream at the layer's input."""
        normed_BLD = F.rms_norm(
            hidden_BLD, hidden_BLD.shape[-1:], self.weights["input_layernorm.weight"], self.eps
        )
        return self.heads_of(normed_BLD)

    def heads_of(self, normed_BLD: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """As `project`, of what the input norm has been applied to."""
        q, k, v = (
            self._linear(f"self_attn.{name}_proj", normed_BLD).unflatten(-1, (-1, self.width)).transpose(1, 2)
            for name in "qkv"
        )
        return self._normed("q", q), self._normed("k", k), v

    def output(self, heads_BHLd: Tensor) -> Tensor:
        """Project heads out (B, L, D)."""
        return self._linear("self_attn.o_proj", heads_BHLd.transpose(1, 2).flatten(2))

    def finish(self, stream_BLD: Tensor) -> Tensor:
        """Add the MLP to the stream after attention."""
        weight = self.weights["post_attention_layernorm.weight"]
        normed = F.rms_norm(stream_BLD, stream_BLD.shape[-1:], weight, self.eps)
        inner = F.silu(self._linear("mlp.gate_proj", normed)) * self._linear("mlp.up_proj", normed)
        return stream_BLD + self._linear("mlp.down_proj", inner)

    def attended(self, hidden_BLD: Tensor, phases_BLF: Tensor) -> Tensor:
        """Return the stream after attention (B, L, D), positions given as complex phases."""
        q, k, v = self.project(hidden_BLD)
        share = self.heads // self.groups
        rotated_q, rotated_k = turned(q, phases_BLF), turned(k, phases_BLF)
        out = F.scaled_dot_product_attention(
            rotated_q,
            rotated_k.repeat_interleave(share, 1),
            v.repeat_interleave(share, 1),
            is_causal=True,
            scale=self.width**-0.5,
        )
        return hidden_BLD + self.output(out)

    def _linear(self, name: str, x: Tensor) -> Tensor:
        return F.linear(x, self.weights[f"{name}.weight"], self.weights.get(f"{name}.bias"))

    def _normed(self, name: str, x: Tensor) -> Tensor:
        weight = self.weights.get(f"self_attn.{name}_norm.weight")
        return x if weight is None else F.rms_norm(x, x.shape[-1:], weight, self.eps)


@dataclass(frozen=True, slots=True)
class Source:
    """A folder with a grouped-query model. `text` is the configuration that its latent twin will start from."""

    directory: Path
    config: PreTrainedConfig
    text: InternVideo3TextConfig
    prefix: str  # of the decoder's tensors, such as "model.language_model."
    files: Mapping[str, str] = field(repr=False)  # which file holds which tensor

    @property
    def visual(self) -> bool:
        """Tell whether it sees."""
        return self.config.model_type in VISUAL

    def layer(self, index: int) -> Layer:
        """Read one layer."""
        start = f"{self.prefix}layers.{index}."
        weights = {
            name.removeprefix(start): self.tensor(name).float()
            for name in self.files
            if name.startswith(start)
        }
        return Layer(
            self.text.num_attention_heads,
            self.text.key_value_heads,
            self.text.head_dim,
            self.text.rms_norm_eps,
            weights,
        )

    def tensor(self, name: str) -> Tensor:
        """Read one tensor."""
        with safe_open(self.directory / self.files[name], framework="pt") as shard:
            return shard.get_tensor(name)

    def others(self) -> Iterator[str]:
        """Yield the names of tensors outside the decoder's layers."""
        start = f"{self.prefix}layers."
        return (name for name in self.files if not name.startswith(start))

    @property
    def embedding(self) -> str:
        """Return the name of the embedding."""
        return f"{self.prefix}embed_tokens.weight"

    @property
    def head(self) -> str:
        """Return the name of the head, which may be the embedding."""
        return "lm_head.weight" if "lm_head.weight" in self.files else self.embedding

    @property
    def dtype(self) -> torch.dtype:
        """Return the type that the layers' weights are stored in."""
        return self.tensor(f"{self.prefix}{_FIRST}").dtype


def open_source(directory: Path) -> Source:
    """Read a model's configuration and the headers of its weights.

    Raises:
        WeightsError: no model there, a damaged one, or one of a family that is not known here.
        UsageError: one whose attention cannot be converted, naming what it has.
    """
    config = read_config(directory)
    if config.model_type not in VISUAL | TEXT:
        known = ", ".join(sorted(VISUAL | TEXT))
        raise WeightsError(f"{directory}: model_type is {config.model_type!r}; convertible are {known}")
    shapes = stored_shapes(directory)
    firsts = [name for name in shapes if name.endswith(_FIRST) and "visual" not in name]
    if len(firsts) != 1:
        raise WeightsError(
            f"{directory}: found {len(firsts)} decoders, by tensors named *{_FIRST}; there must be one"
        )
    prefix = firsts[0].removesuffix(_FIRST)
    text = twin_config(directory, config, shapes, prefix)
    return Source(directory, config, text, prefix, _files(directory, shapes))


def latent_config(source: Source, **changes: Any) -> InternVideo3Config | InternVideo3TextConfig:
    """Return the configuration of the converted model, with the decoder's fields in `changes` set."""
    given = source.text.to_dict()
    del given["model_type"]
    text = InternVideo3TextConfig(**{**given, **changes})
    if not source.visual:
        return text
    whole: Any = source.config
    marks = ("image_token_id", "video_token_id", "vision_start_token_id", "vision_end_token_id")
    return InternVideo3Config(
        text_config=text.to_dict(),
        vision_config=whole.vision_config.to_dict(),
        tie_word_embeddings=whole.tie_word_embeddings,
        **{mark: getattr(whole, mark) for mark in marks},
    )


def turned(x_BHLd: Tensor, phases_BLF: Tensor) -> Tensor:
    """Rotate [real | imaginary] vectors by complex phases."""
    real, imaginary = x_BHLd.chunk(2, -1)
    cos, sin = phases_BLF.real[:, None], phases_BLF.imag[:, None]
    return torch.cat([real * cos - imaginary * sin, real * sin + imaginary * cos], -1)


def _files(directory: Path, shapes: Mapping[str, tuple[int, ...]]) -> dict[str, str]:
    index = directory / INDEX
    if index.is_file():
        return dict(json.loads(index.read_text(encoding="utf-8"))["weight_map"])
    return dict.fromkeys(shapes, SINGLE)
