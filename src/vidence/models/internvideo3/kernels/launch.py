"""Launch the absorbed-decode kernels: sizes of blocks, number of splits, and the memory between the two.

B batch, H heads, L queries, M = H L, S rows, R latent width, P rope width, W = R + P, K splits.

Memory traffic of one call: B S W elements of rows (in 8 bits also 4 B S bytes of scales), read once while a block of
query rows holds all heads (M <= 32), and 4 B K M (R + 1) bytes of partial sums written and read again; at 32 heads,
512+64 and 132 splits those are 8.7 MB, which stay in a second-level cache of 50 MB.
"""

# Triton is not part of the CPU install; a kernel is called as kernel[grid](...).
# pyright: reportMissingImports=false, reportIndexIssue=false

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
import triton
import triton.language as tl
from torch import Tensor

from vidence.models.internvideo3.kernels.absorbed import attend_split, merge_splits
from vidence.models.internvideo3.rows import Rows

_COMPUTE = {torch.bfloat16: tl.bfloat16, torch.float16: tl.float16, torch.float32: tl.float32}
_MOST_SPLITS = 256  # the merging kernel holds that many log-sum-exps of a query row at once
_MERGED_LANES = 32


@dataclass(frozen=True, slots=True)
class Blocks:
    """How the work is cut: BLOCK_M query rows by BLOCK_S rows of BLOCK_R + BLOCK_P lanes, in `splits` parts."""

    query_rows: int
    rows: int
    latent: int
    rope: int
    splits: int
    rows_a_split: int
    warps: int
    stages: int


def blocks(batch: int, query_rows: int, rows: Rows, compute: torch.dtype, processors: int) -> Blocks:
    """Choose the blocks: all 32 heads of a query in one, and one part of the rows for every multiprocessor."""
    block_r = _power_of_2(rows.latent_width)
    block_p = _power_of_2(rows.rows_BSW.shape[-1] - rows.latent_width)
    block_m = min(_power_of_2(query_rows), 32)
    block_s, stages = _tile(block_r, rows.rows_BSW.dtype, compute)
    pieces = max(1, math.ceil(rows.length / block_s))
    programs = batch * math.ceil(query_rows / block_m)
    splits = max(1, min(processors // programs, pieces, _MOST_SPLITS))
    rows_a_split = math.ceil(pieces / splits) * block_s
    splits = max(1, math.ceil(rows.length / rows_a_split))
    return Blocks(block_m, block_s, block_r, block_p, splits, rows_a_split, 8 if block_r > 128 else 4, stages)


def launch(
    q_BHLR: Tensor, q_rope_BHLP: Tensor, rows: Rows, limits_BL: Tensor | None = None, *, scale: float
) -> tuple[Tensor, Tensor]:
    """Attend to `rows`; return (out_BHLR in the queries' dtype, lse_BHL in float32)."""
    batch, heads, queries, latent = q_BHLR.shape
    rope = rows.rows_BSW.shape[-1] - latent
    query_rows = heads * queries
    compute = _compute_dtype(q_BHLR.dtype, rows.rows_BSW.dtype)
    cut = blocks(batch, query_rows, rows, compute, _processors(q_BHLR.device))
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
        BLOCK_K=_power_of_2(cut.splits),
        num_warps=4,
    )
    return out_BHLR, lse_BHL


def _tile(block_r: int, rows: torch.dtype, compute: torch.dtype) -> tuple[int, int]:
    """Return (rows of a tile, stages of copying ahead): the largest that compile for an H100 without spilled registers.

    512+64 in bfloat16: 64 rows, 184 of 255 registers, 115 KB of shared memory; in 8 bits 32 rows, 203, 74 KB. 896+128:
    16 rows, 233 registers and 148 KB; 252 and 111 KB. float32 always spills: it is there to be exact, not fast.
    """
    if block_r > 512 or compute == torch.float32:
        return 16, 2 if compute == torch.float32 else 3
    return (32 if rows == torch.int8 else 64), 2


def _compute_dtype(queries: torch.dtype, rows: torch.dtype) -> torch.dtype:
    """Return the dtype products take their operands in: 8-bit rows follow the queries, mixed floats go to float32."""
    return queries if rows in (queries, torch.int8) else torch.float32


def _processors(device: torch.device) -> int:
    """Return how many programs can run at once; on a CPU, where kernels are only interpreted, a few."""
    return torch.cuda.get_device_properties(device).multi_processor_count if device.type == "cuda" else 4


def _power_of_2(width: int) -> int:
    """Return the power of 2 at or above a width, at least the 16 that a matrix product takes."""
    return max(16, triton.next_power_of_2(width))
