"""Launch the absorbed-decode kernels, with the memory between the two.

B batch, H heads, L queries, M = H L, S rows, R latent width, P rope width, W = R + P, K splits.

Memory traffic of one call: B S W elements of rows (in 8 bits also 4 B S bytes of scales), read once while a block of
query rows holds all heads (M <= 32), and 4 B K M (R + 1) bytes of partial sums written and read again; at 32 heads,
512+64 and 132 splits those are 8.7 MB, which stay in a second-level cache of 50 MB.
"""

# Triton is not part of the CPU install; a kernel is called as kernel[grid](...).
# pyright: reportMissingImports=false, reportIndexIssue=false, reportAttributeAccessIssue=false, reportCallIssue=false

from __future__ import annotations

import math

import torch
import triton
import triton.language as tl
from torch import Tensor

from vidence.models.internvideo3.kernels.absorbed import attend_split, merge_splits
from vidence.models.internvideo3.kernels.blocks import Limits, choose, compute_dtype, power_of_2
from vidence.models.internvideo3.rows import Rows

_COMPUTE = {torch.bfloat16: tl.bfloat16, torch.float16: tl.float16, torch.float32: tl.float32}
_MERGED_LANES = 32


def launch(
    q_BHLR: Tensor, q_rope_BHLP: Tensor, rows: Rows, limits_BL: Tensor | None = None, *, scale: float
) -> tuple[Tensor, Tensor]:
    """Attend to `rows`; return (out_BHLR in the queries' dtype, lse_BHL in float32)."""
    batch, heads, queries, latent = q_BHLR.shape
    rope = rows.rows_BSW.shape[-1] - latent
    query_rows = heads * queries
    compute = compute_dtype(q_BHLR.dtype, rows.rows_BSW.dtype)
    cut = choose(batch, query_rows, rows, compute, Limits.of(q_BHLR.device))
    assert cut is not None  # `available` has said that it fits
    q_BMW = torch.cat([q_BHLR, q_rope_BHLP], -1)
    float32 = {"dtype": torch.float32, "device": q_BHLR.device}
    out_BKMR = torch.empty((batch, cut.splits, query_rows, latent), **float32)
    lse_BKM = torch.empty((batch, cut.splits, query_rows), **float32)
    limits_BL = None if limits_BL is None else limits_BL.contiguous()
    # A row's two scales are read as one word, which asks that they lie side by side.
    scales_BS = None if rows.scales_BS2 is None else rows.scales_BS2.view(torch.int32)[..., 0]
    interpreted = triton.knobs.runtime.interpret
    attend_split[(math.ceil(query_rows / cut.query_rows), cut.splits, batch)](
        q_BMW,
        rows.rows_BSW,
        q_BMW if scales_BS is None else scales_BS,  # any pointer will do where it is not read
        q_BMW if limits_BL is None else limits_BL,
        out_BKMR,
        lse_BKM,
        rows.length,
        cut.rows_a_split,
        queries,
        query_rows,
        scale * math.log2(math.e),
        *rows.rows_BSW.stride()[:2],
        *(scales_BS.stride() if scales_BS is not None else (0, 0)),
        R=latent,
        P=rope,
        BLOCK_R=cut.latent,
        BLOCK_P=cut.rope,
        BLOCK_M=cut.query_rows,
        BLOCK_S=cut.rows,
        COMPUTE=_COMPUTE[compute],
        INT8=scales_BS is not None,
        LIMITED=limits_BL is not None,
        WIDEN=interpreted,
        num_warps=cut.warps,
        num_stages=cut.stages,
    )
    out_BHLR = torch.empty_like(q_BHLR, memory_format=torch.contiguous_format)
    lse_BHL = torch.empty((batch, heads, queries), **float32)
    lanes = min(_MERGED_LANES, cut.latent)
    merge_splits[(query_rows, batch, math.ceil(latent / lanes))](
        out_BKMR,
        lse_BKM,
        out_BHLR,
        lse_BHL,
        cut.splits,
        query_rows,
        R=latent,
        BLOCK_R=lanes,
        BLOCK_K=power_of_2(cut.splits),
        num_warps=4,
    )
    return out_BHLR, lse_BHL
