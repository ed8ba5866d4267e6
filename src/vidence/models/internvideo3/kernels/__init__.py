"""Triton kernels for GPUs, and the one place that says when they are used."""

from __future__ import annotations

import os
from importlib.util import find_spec

import torch
from torch import Tensor

from vidence.models.internvideo3.kernels.blocks import Limits, choose, compute_dtype
from vidence.models.internvideo3.rows import Rows

_QUERIES = (torch.bfloat16, torch.float16, torch.float32)
_ROWS = (*_QUERIES, torch.int8)


def available(q_BHLR: Tensor, rows: Rows) -> bool:
    """Tell whether `absorbed_attention` of these kernels can do this: on a GPU, in known dtypes, in its memory.

    With TRITON_INTERPRET=1 in the environment they also run on a CPU, to be tested: some thousand times slower.
    """
    device = rows.rows_BSW.device.type
    return (
        (device == "cuda" or (device == "cpu" and os.environ.get("TRITON_INTERPRET") == "1"))
        and q_BHLR.dtype in _QUERIES
        and rows.rows_BSW.dtype in _ROWS
        and rows.rows_BSW.stride(-1) == 1
        and find_spec("triton") is not None
        and _fit(q_BHLR, rows)
    )


def absorbed_attention(
    q_BHLR: Tensor, q_rope_BHLP: Tensor, rows: Rows, limits_BL: Tensor | None = None, *, scale: float
) -> tuple[Tensor, Tensor]:
    """Compute what `decode.absorbed_attention` does with the Triton kernels; Triton is imported here, on first use."""
    from vidence.models.internvideo3.kernels.launch import launch

    return launch(q_BHLR, q_rope_BHLP, rows, limits_BL, scale=scale)


def _fit(q_BHLR: Tensor, rows: Rows) -> bool:
    batch, heads, queries, _ = q_BHLR.shape
    compute = compute_dtype(q_BHLR.dtype, rows.rows_BSW.dtype)
    return choose(batch, heads * queries, rows, compute, Limits.of(q_BHLR.device)) is not None
