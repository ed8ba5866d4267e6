"""Rotary positions on any list of frequencies, each turned by its own angle and mRoPE axis.

B batch, L tokens, H heads, F = d / 2 frequencies, J pairs of a rope key, P = 2 J. A vector of width 2 n holds n
complex numbers as [real n | imaginary n], the half-split layout of Qwen3-VL: its component l pairs with l + F.
"""

from __future__ import annotations

from functools import lru_cache

import torch
from torch import Tensor
from transformers.models.qwen2_5_vl.modeling_qwen2_5_vl import Qwen2_5_VLRotaryEmbedding
from transformers.models.qwen3_vl.modeling_qwen3_vl import Qwen3VLTextRotaryEmbedding

from vidence.models.internvideo3.config import InternVideo3TextConfig


def rotary(config: InternVideo3TextConfig) -> Qwen3VLTextRotaryEmbedding | Qwen2_5_VLRotaryEmbedding:
    """Make the module that gives cosines and sines (B, L, 2 F) of positions (3, B, L), by the order of its axes."""
    if (config.rope_parameters or {}).get("mrope_interleaved", True):
        return Qwen3VLTextRotaryEmbedding(config)
    return Qwen2_5_VLRotaryEmbedding(config)  # type: ignore[arg-type]  # it reads the fields of a decoder


def as_pairs(x: Tensor) -> tuple[Tensor, Tensor]:
    """Split [real | imaginary] in two views."""
    real, imaginary = x.chunk(2, -1)
    return real, imaginary


def multiply(real: Tensor, imaginary: Tensor, by_real: Tensor, by_imaginary: Tensor) -> Tensor:
    """Multiply complex numbers and return them as [real | imaginary]."""
    product_real = torch.addcmul(real * by_real, imaginary, by_imaginary, value=-1)
    product_imaginary = torch.addcmul(real * by_imaginary, imaginary, by_real)
    return torch.cat([product_real, product_imaginary], -1)


def rotate(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Rotate pairs [real | imaginary] by angles whose cosine and sine broadcast against one half of `x`."""
    return multiply(*as_pairs(x), cos, sin)


def angles(position_embeddings: tuple[Tensor, Tensor], frequencies: tuple[int, ...]) -> tuple[Tensor, Tensor]:
    """Take cosine and sine (B, L, J) of these frequencies from those of the rotary module (B, L, 2 F)."""
    cos_BLd, sin_BLd = position_embeddings
    half = cos_BLd.shape[-1] // 2
    if frequencies == tuple(range(half)):
        return cos_BLd[..., :half], sin_BLd[..., :half]
    index_J = _index_J(frequencies, cos_BLd.device)
    return cos_BLd[..., index_J], sin_BLd[..., index_J]


def pick(x: Tensor, frequencies: tuple[int, ...]) -> tuple[Tensor, Tensor]:
    """Take (real, imaginary) of these frequencies from a head's vector (..., 2 F)."""
    index_J = _index_J(frequencies, x.device)
    real, imaginary = as_pairs(x)
    return real[..., index_J], imaginary[..., index_J]


@lru_cache(maxsize=1024)
def _index_J(frequencies: tuple[int, ...], device: torch.device) -> Tensor:
    # Kept, as a copy to a GPU at every layer and token would wait for it; made outside inference mode, as a tensor
    # made inside could not serve training later.
    with torch.inference_mode(False):
        return torch.tensor(frequencies, device=device, dtype=torch.int64)


def deinterleave(x: Tensor) -> Tensor:
    """Turn pairs stored side by side (0, 1), (2, 3), ... into [real | imaginary]."""
    return torch.cat([x[..., 0::2], x[..., 1::2]], -1)
