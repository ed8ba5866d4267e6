"""Absorbed decode attention in Triton: the rows are split over the GPU, each part attended, the parts merged.

B batch, H heads, L queries, M = H L query rows (m = h L + l), S cached rows, R latent width, P rope width, W = R + P,
K splits. Scores and sums are float32; products take their operands in COMPUTE.

A row is read from memory once: as keys for the scores and, the same tile, as values for the sum. Rows of 8 bits are
turned into COMPUTE in registers, where their integers up to 127 are exact; their scales multiply the scores and the
shares in float32 instead, so that reading 8 bits rounds nothing. Triton copies tiles of floats ahead of their use by
itself (cp.async); tiles that are converted it does not, so those are loaded one turn ahead here.
"""

# Triton is not part of the CPU install, and a kernel's arguments are pointers and constants of its own language.
# pyright: reportMissingImports=false, reportArgumentType=false, reportOptionalOperand=false, reportIndexIssue=false
# pyright: reportOperatorIssue=false
# pyright: reportPossiblyUnboundVariable=false, reportAttributeAccessIssue=false

from __future__ import annotations

import triton
import triton.language as tl


@triton.jit
def product(a, b, WIDEN: tl.constexpr):
    """Multiply with float32 sums. WIDEN: Triton's interpreter multiplies bfloat16 as if they were integers."""
    if WIDEN:
        a = a.to(tl.float32)
        b = b.to(tl.float32)
    return tl.dot(a, b, input_precision="ieee")


@triton.jit
def tile(rows_SW, stride, s, count, lanes, FIRST: tl.constexpr, WIDTH: tl.constexpr):
    """Load rows `s` of `count`, WIDTH lanes from lane FIRST on; zeros beyond. Rows of 16 lanes come 16 bytes a load."""
    mask = (s < count)[:, None] & (lanes < WIDTH)[None, :]
    return tl.load(rows_SW + s[:, None] * stride + FIRST + lanes[None, :], mask=mask, other=0)


@triton.jit
def unpacked(tile, COMPUTE: tl.constexpr, WIDEN: tl.constexpr):
    """Turn loaded values into COMPUTE; WIDEN: the interpreter turns integers into bfloat16 bit by bit."""
    if WIDEN:
        tile = tile.to(tl.float32)
    return tile.to(COMPUTE)


@triton.jit(do_not_specialize=["length"])  # it grows with every token: one kernel serves all
def attend_split(
    q_BMW,
    rows_BSW,
    scales_BS,
    limits_BL,
    out_BKMR,
    lse_BKM,
    length,
    rows_a_split,
    queries,
    query_rows,
    scale_log2,
    rows_stride_b,
    rows_stride_s,
    scales_stride_b,
    scales_stride_s,
    R: tl.constexpr,
    P: tl.constexpr,
    BLOCK_R: tl.constexpr,
    BLOCK_P: tl.constexpr,
    BLOCK_M: tl.constexpr,
    BLOCK_S: tl.constexpr,
    COMPUTE: tl.constexpr,
    INT8: tl.constexpr,
    LIMITED: tl.constexpr,
    WIDEN: tl.constexpr,
):
    """Attend BLOCK_M query rows to one split of the rows; store its normalised sum and log2-sum-exp.

    The grid is (blocks of M, K, B): programs that read the same rows run side by side, so that the second-level cache
    serves all but the first. Rows beyond the longest limit are never read.
    """
    split, batch = tl.program_id(1), tl.program_id(2).to(tl.int64)
    m = tl.program_id(0) * BLOCK_M + tl.arange(0, BLOCK_M)
    r, p = tl.arange(0, BLOCK_R), tl.arange(0, BLOCK_P)
    query = q_BMW + (batch * query_rows + m[:, None]) * (R + P)
    real_m = m < query_rows
    q_MR = tl.load(query + r[None, :], mask=real_m[:, None] & (r < R)[None, :], other=0.0).to(COMPUTE)
    q_MP = tl.load(query + R + p[None, :], mask=real_m[:, None] & (p < P)[None, :], other=0.0).to(COMPUTE)
    first = split * rows_a_split
    last = tl.minimum(first + rows_a_split, length)
    limit_M = tl.full([BLOCK_M], 0, tl.int32) + last
    if LIMITED:
        allowed_M = tl.load(limits_BL + batch * queries + m % queries, mask=real_m, other=0).to(tl.int32)
        limit_M = tl.minimum(limit_M, allowed_M)
        last = tl.minimum(last, tl.max(limit_M, 0))
    rows_BSW += batch * rows_stride_b + first.to(tl.int64) * rows_stride_s
    scales_BS += batch * scales_stride_b + first.to(tl.int64) * scales_stride_s
    top_M = tl.full([BLOCK_M], float("-inf"), tl.float32)
    weight_M = tl.zeros([BLOCK_M], tl.float32)
    sum_MR = tl.zeros([BLOCK_M, BLOCK_R], tl.float32)
    count = last - first
    if INT8:
        s = tl.arange(0, BLOCK_S)
        next_SR = tile(rows_BSW, rows_stride_s, s, count, r, 0, R)
        next_SP = tile(rows_BSW, rows_stride_s, s, count, p, R, P)
        next_S = tl.load(scales_BS + s * scales_stride_s, mask=s < count, other=0)
    for start in range(0, count, BLOCK_S):
        s = start + tl.arange(0, BLOCK_S)
        if INT8:
            latent_SR = unpacked(next_SR, COMPUTE, WIDEN)
            rope_SP = unpacked(next_SP, COMPUTE, WIDEN)
            pair_S = next_S
            n = s + BLOCK_S
            next_SR = tile(rows_BSW, rows_stride_s, n, count, r, 0, R)
            next_SP = tile(rows_BSW, rows_stride_s, n, count, p, R, P)
            next_S = tl.load(scales_BS + n * scales_stride_s, mask=n < count, other=0)
        else:
            latent_SR = unpacked(tile(rows_BSW, rows_stride_s, s, count, r, 0, R), COMPUTE, WIDEN)
            rope_SP = unpacked(tile(rows_BSW, rows_stride_s, s, count, p, R, P), COMPUTE, WIDEN)
        scores_MS = product(q_MR, tl.trans(latent_SR), WIDEN)
        turned_MS = product(q_MP, tl.trans(rope_SP), WIDEN)
        if (
            INT8
        ):  # two bfloat16 in one word: the latent's scale in its lower half, the rope key's in its upper
            latent_scale_S = (pair_S << 16).to(tl.float32, bitcast=True)
            rope_scale_S = (pair_S & -65536).to(tl.float32, bitcast=True)
            scores_MS = scores_MS * latent_scale_S[None, :]
            turned_MS = turned_MS * rope_scale_S[None, :]
        scores_MS = (scores_MS + turned_MS) * scale_log2
        scores_MS = tl.where((first + s)[None, :] < limit_M[:, None], scores_MS, float("-inf"))
        higher_M = tl.maximum(top_M, tl.max(scores_MS, 1))
        floor_M = tl.where(higher_M == float("-inf"), 0.0, higher_M)
        kept_M = tl.exp2(top_M - floor_M)
        share_MS = tl.exp2(scores_MS - floor_M[:, None])
        weight_M = weight_M * kept_M + tl.sum(share_MS, 1)
        if INT8:
            share_MS = share_MS * latent_scale_S[None, :]
        sum_MR = sum_MR * kept_M[:, None] + product(share_MS.to(COMPUTE), latent_SR, WIDEN)
        top_M = higher_M
    seen_M = weight_M > 0.0
    sum_MR = sum_MR / tl.where(seen_M, weight_M, 1.0)[:, None]
    part = (batch * tl.num_programs(1) + split) * query_rows + m
    tl.store(out_BKMR + part[:, None] * R + r[None, :], sum_MR, mask=real_m[:, None] & (r < R)[None, :])
    lse_M = tl.where(seen_M, top_M + tl.log2(tl.where(seen_M, weight_M, 1.0)), float("-inf"))
    tl.store(lse_BKM + part, lse_M, mask=real_m)


@triton.jit(do_not_specialize=["splits"])
def merge_splits(
    out_BKMR,
    lse_BKM,
    out_BMR,
    lse_BM,
    splits,
    query_rows,
    R: tl.constexpr,
    BLOCK_R: tl.constexpr,
    BLOCK_K: tl.constexpr,
):
    """Merge the splits of one query row, BLOCK_R lanes of it. The grid is (M, B, blocks of R).

    Splits that saw nothing weigh nothing; where none saw anything the result is 0 and its log-sum-exp minus infinity.
    """
    m, batch = tl.program_id(0), tl.program_id(1).to(tl.int64)
    r = tl.program_id(2) * BLOCK_R + tl.arange(0, BLOCK_R)
    k = tl.arange(0, BLOCK_K)
    part_K = (batch * splits + k) * query_rows + m
    lse_K = tl.load(lse_BKM + part_K, mask=k < splits, other=float("-inf"))
    top = tl.max(lse_K, 0)
    floor = tl.where(top == float("-inf"), 0.0, top)
    weight_K = tl.exp2(lse_K - floor)
    weight = tl.sum(weight_K, 0)
    whole = tl.where(weight > 0.0, weight, 1.0)
    wanted = (weight_K > 0.0)[:, None] & (r < R)[None, :]
    out_KR = tl.load(out_BKMR + part_K[:, None] * R + r[None, :], mask=wanted, other=0.0)
    sum_R = tl.sum(out_KR * (weight_K / whole)[:, None], 0)
    row = batch * query_rows + m
    tl.store(out_BMR + row * R + r, sum_R.to(out_BMR.dtype.element_ty), mask=r < R)
    if tl.program_id(2) == 0:
        lse = tl.where(weight > 0.0, (floor + tl.log2(whole)) * 0.6931471805599453, float("-inf"))
        tl.store(lse_BM + row, lse)
