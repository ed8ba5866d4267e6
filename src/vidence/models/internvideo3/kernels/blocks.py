"""How a kernel's work is cut: sizes of tiles, parts of the rows, and whether they fit a multiprocessor.

R latent width, P rope width, M query rows (heads times queries), S cached rows. A program holds BLOCK_M query rows and
one tile of BLOCK_S rows for every stage of copying ahead in shared memory, both in the dtype of the products.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch

from vidence.models.internvideo3.rows import Rows

MOST_SPLITS = 256  # the merging kernel holds that many log-sum-exps of a query row at once
H100_SHARED_BYTES = 227 * 1024
_OTHER_SHARED_BYTES = 4096  # the most that the compiler added for its own exchanges in the shapes compiled


@dataclass(frozen=True, slots=True)
class Limits:
    """What a device offers: multiprocessors, and the shared memory of each."""

    processors: int
    shared_bytes: int

    @staticmethod
    def of(device: torch.device) -> Limits:
        """Ask a GPU; for a CPU, where kernels are only interpreted, say enough to have something to merge."""
        if device.type != "cuda":
            return Limits(4, H100_SHARED_BYTES)
        found = torch.cuda.get_device_properties(device)
        return Limits(found.multi_processor_count, found.shared_memory_per_block_optin)


@dataclass(frozen=True, slots=True)
class Blocks:
    """BLOCK_M query rows by tiles of BLOCK_S rows of BLOCK_R + BLOCK_P lanes, the rows in `splits` parts."""

    query_rows: int
    rows: int
    latent: int
    rope: int
    splits: int
    rows_a_split: int
    warps: int
    stages: int


def choose(batch: int, query_rows: int, rows: Rows, compute: torch.dtype, limits: Limits) -> Blocks | None:
    """Choose the blocks: all 32 heads of a query in one, a part of the rows for every multiprocessor.

    None where no tile fits the shared memory.
    """
    block_r = power_of_2(rows.latent_width)
    block_p = power_of_2(rows.rows_BSW.shape[-1] - rows.latent_width)
    row_bytes = (block_r + block_p) * compute.itemsize
    for block_m, block_s, stages in _tiles(query_rows, block_r, rows.rows_BSW.dtype, compute):
        if (block_m + (stages - 1) * block_s) * row_bytes + _OTHER_SHARED_BYTES <= limits.shared_bytes:
            break
    else:
        return None
    pieces = max(1, math.ceil(rows.length / block_s))
    programs = batch * math.ceil(query_rows / block_m)
    splits = max(1, min(limits.processors // programs, pieces, MOST_SPLITS))
    rows_a_split = math.ceil(pieces / splits) * block_s
    splits = max(1, math.ceil(rows.length / rows_a_split))
    return Blocks(block_m, block_s, block_r, block_p, splits, rows_a_split, 8 if block_r > 128 else 4, stages)


def compute_dtype(queries: torch.dtype, rows: torch.dtype) -> torch.dtype:
    """Return the dtype products take their operands in: 8-bit rows follow the queries, mixed floats go to float32."""
    return queries if rows in (queries, torch.int8) else torch.float32


def power_of_2(width: int) -> int:
    """Return the power of 2 at or above a width, at least the 16 that a matrix product takes."""
    return max(16, 1 << (width - 1).bit_length())


def _tiles(
    query_rows: int, block_r: int, rows: torch.dtype, compute: torch.dtype
) -> list[tuple[int, int, int]]:
    """Return (BLOCK_M, BLOCK_S, stages), best first; the last read the rows twice, once for each half of the heads.

    The first of each kind is the largest that compiles for an H100 without spilled registers. 512+64 in bfloat16: 64
    rows, 184 of 255 registers, 188 KB of shared memory; in 8 bits 32 rows, 203, 74 KB. 896+128: 16 rows, 233 registers
    and 148 KB; 252 and 111 KB. float32 always spills: it is there to be exact, not fast.

    Measured on an H100 at 131,072 rows of 512+64 in bfloat16, whose memory was read at 3.1 TB/s: 64 rows and three
    stages 63 us (2.4 TB/s), two stages 80, 32 rows and three stages 94, 64 query rows for 32 heads 81 to 84.
    """
    if block_r > 512 or compute == torch.float32:
        sizes = [(16, 3), (16, 2)] if compute != torch.float32 else [(16, 2)]
    else:
        sizes = [(32, 2), (16, 2)] if rows == torch.int8 else [(64, 3), (64, 2), (32, 2), (16, 2)]
    return [(size, *tile) for size in dict.fromkeys((min(power_of_2(query_rows), 32), 16)) for tile in sizes]
