"""Attention on cached rows without expanding them: queries come already multiplied into the latent's space.

B batch, H query heads, L queries, S rows, R latent width, P rope width, W = R + P.

Every query sees a prefix of the rows: row s is visible to query l when s < limits_BL[b, l]. Rows hold only real
tokens, so this one rule is causality, padding and batches of uneven length at once.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from vidence.models.internvideo3 import kernels
from vidence.models.internvideo3.rows import Level, Rows

# Measured on a Zen 4 core, 32 heads, 512+64, 32,768 rows of bfloat16: chunks of 128 rows 91 ms, 256 64 ms, 1024 58 ms,
# 8192 97 ms. The same products in bfloat16, whole: 1,154 ms, so rows are widened chunk by chunk.
CHUNK_ROWS = 1024


def attend(
    q_BHLR: Tensor,
    q_rope_BHLP: Tensor,
    slabs: Sequence[Rows | Level],
    limits_BL: Tensor | None = None,
    *,
    scale: float,
) -> tuple[Tensor, Tensor]:
    """Attend to rows that stand in several slabs, by the fastest path that can do the work; return as those do.

    Queries may be wider than a slab's latent: its rows have only the leading lanes. `limits_BL` counts the rows of the
    slabs that the batch does not share.
    """
    parts, first = [], 0
    for slab in slabs:
        if isinstance(slab, Level):
            parts.append(_attend_level(q_BHLR, q_rope_BHLP, slab, scale))
            continue
        q_slab_BHLR = q_BHLR[..., : slab.latent_width]
        path = kernels.absorbed_attention if kernels.available(q_slab_BHLR, slab) else absorbed_attention
        limits_slab_BL = None if limits_BL is None else (limits_BL - first).clamp_(0, slab.length)
        parts.append(path(q_slab_BHLR, q_rope_BHLP, slab, limits_slab_BL, scale=scale))
        first += slab.length
    return merge(parts)


def _attend_level(q_BHLR: Tensor, q_rope_BHLP: Tensor, level: Level, scale: float) -> tuple[Tensor, Tensor]:
    """Attend to shared rows: the queries of a stretch's members stand side by side as those of one sequence."""
    width, heads = level.stretches[0][1].latent_width, q_BHLR.shape[1]
    out_BHLR = torch.zeros_like(q_BHLR[..., :width])
    lse_BHL = q_BHLR.new_full(q_BHLR.shape[:-1], -torch.inf, dtype=torch.float32)
    for members_N, rows in level.stretches:
        q_1HMR, q_rope_1HMP = (
            each[members_N].transpose(0, 1).flatten(1, 2)[None] for each in (q_BHLR, q_rope_BHLP)
        )
        out_1HMR, lse_1HM = attend(q_1HMR, q_rope_1HMP, [rows], scale=scale)
        out_BHLR[members_N] = out_1HMR.view(heads, len(members_N), -1, width).transpose(0, 1)
        lse_BHL[members_N] = lse_1HM.view(heads, len(members_N), -1).transpose(0, 1)
    return out_BHLR, lse_BHL


def absorbed_attention(
    q_BHLR: Tensor,
    q_rope_BHLP: Tensor,
    rows: Rows,
    limits_BL: Tensor | None = None,
    *,
    scale: float,
) -> tuple[Tensor, Tensor]:
    """Attend to `rows`; return (out_BHLR in the queries' dtype, lse_BHL in float32).

    `limits_BL` (integers) is how many rows each query sees, None for all. A query that sees none gets zeros and a
    log-sum-exp of minus infinity, so that parts of a cache merge exactly (`merge`). Heads are folded into the query
    axis: all of them read the same rows, so one matrix product a chunk serves them all.
    """
    query_BHLW = torch.cat([q_BHLR, q_rope_BHLP], -1).float() * scale
    parts = [
        _attend_chunk(query_BHLW, chunk, None if limits_BL is None else limits_BL - start)
        for start, chunk in rows.chunks(CHUNK_ROWS)
    ]
    out_BHLR, lse_BHL = merge(parts)
    return out_BHLR.to(q_BHLR.dtype), lse_BHL


def _attend_chunk(query_BHLW: Tensor, rows: Rows, limits_BL: Tensor | None) -> tuple[Tensor, Tensor]:
    batch, heads, queries, _ = query_BHLW.shape
    rows_BSW = rows.dense(torch.float32)
    scores_BNS = query_BHLW.flatten(1, 2) @ rows_BSW.mT
    if limits_BL is not None:
        unseen_BLS = hidden(limits_BL, rows.length)
        scores_BNS.view(batch, heads, queries, -1).masked_fill_(unseen_BLS[:, None], -torch.inf)
    lse_BN1 = scores_BNS.logsumexp(-1, keepdim=True)
    # A query that sees nothing here has minus infinity throughout; zero stands in, so that exp gives 0, not NaN.
    floor_BN1 = lse_BN1 if limits_BL is None else lse_BN1.masked_fill(lse_BN1 == -torch.inf, 0.0)
    out_BNR = scores_BNS.sub_(floor_BN1).exp_() @ rows_BSW[..., : rows.latent_width]
    return out_BNR.view(batch, heads, queries, -1), lse_BN1.view(batch, heads, queries)


def reference_attention(
    q_BHLR: Tensor,
    q_rope_BHLP: Tensor,
    rows: Rows,
    limits_BL: Tensor | None = None,
    *,
    scale: float,
) -> tuple[Tensor, Tensor]:
    """Compute `absorbed_attention` in float64 as the formula is written: the yardstick of every other path."""
    rows_BSW = rows.dense(torch.float64)
    query_BHLW = torch.cat([q_BHLR, q_rope_BHLP], -1).double()
    scores_BHLS = torch.einsum("bhlw,bsw->bhls", query_BHLW, rows_BSW) * scale
    if limits_BL is not None:
        scores_BHLS = scores_BHLS.masked_fill(hidden(limits_BL, rows.length)[:, None], -torch.inf)
    lse_BHL = scores_BHLS.logsumexp(-1)
    share_BHLS = (scores_BHLS - lse_BHL[..., None]).exp().nan_to_num(0.0)
    return torch.einsum("bhls,bsr->bhlr", share_BHLS, rows_BSW[..., : q_BHLR.shape[-1]]), lse_BHL


def merge(parts: Sequence[tuple[Tensor, Tensor]]) -> tuple[Tensor, Tensor]:
    """Merge (out_BHLR, lse_BHL) of disjoint rows into those of all rows together."""
    if len(parts) == 1:
        return parts[0]
    lse_BHL = torch.logsumexp(torch.stack([lse for _, lse in parts]), 0)
    floor_BHL = lse_BHL.masked_fill(lse_BHL == -torch.inf, 0.0)
    shares = [(lse - floor_BHL).exp()[..., None] for _, lse in parts]
    out_BHLR = sum(
        (out.float() * share for (out, _), share in zip(parts, shares, strict=True)), torch.zeros(())
    )
    return out_BHLR.to(parts[0][0].dtype), lse_BHL


def hidden(limits_BL: Tensor, length: int) -> Tensor:
    """Return a mask (B, L, S), True where the row must not be seen."""
    return torch.arange(length, device=limits_BL.device) >= limits_BL[..., None]
