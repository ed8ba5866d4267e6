"""Attention for many queries: keys and values are expanded from the rows for a few heads at a time, then dropped.

B batch, L queries, S rows, N heads with keys of their own, h query heads that share one of them, d content width,
v value width, P rope width, R latent width, W = R + P, K = d + P.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise

import torch
from torch import Tensor
from torch.nn import functional as F
from torch.nn.attention.bias import causal_lower_right

from vidence.models.internvideo3.decode import hidden
from vidence.models.internvideo3.ledger import Plan
from vidence.models.internvideo3.rows import Rows

EXPANDED_ELEMENTS = 1 << 26  # keys and values in flight: 128 MB in bfloat16
MASK_ELEMENTS = 1 << 24  # entries of a mask in flight


@dataclass(frozen=True, slots=True)
class Visible:
    """Which rows each query sees. Without `limits` and `segments_BL`: query l of L sees rows up to S - L + l.

    limits: by stretch of rows, how many of its rows each query sees (B, L), or None for all.
    segments_BL: for tokens that attend to themselves: 0 is padding, and tokens of different numbers do not meet.
    parents_S: by number, that of the tokens which those of this number see as well: a prompt that answers share.
    ends: instead of a mask, where stretches end of which each sees itself alone; what it costs is the sum of squares.
    order_L, gather: where several processes hold parts of the tokens: which of all of them this process' are, and how
    rows (B, L, W) of each become all rows in order; segments_BL are then those of all.
    """

    lengths: tuple[int, ...]
    limits: tuple[Tensor | None, ...] = ()
    segments_BL: Tensor | None = None
    parents_S: Tensor | None = None
    ends: tuple[int, ...] = ()
    order_L: Tensor | None = None
    gather: Callable[[Tensor], Tensor] | None = None

    def mask_BLS(self, start: int, stop: int, device: torch.device) -> Tensor | None:
        """Return what queries [start, stop) see, True where they do; None where that is all."""
        if self.segments_BL is not None:
            order_L = (
                torch.arange(start, stop, device=device) if self.order_L is None else self.order_L[start:stop]
            )
            query_BL1 = self.segments_BL[:, order_L, None]
            causal_LS = torch.arange(self.lengths[0], device=device) <= order_L[:, None]
            row_B1S = self.segments_BL[:, None]
            same_BLS = query_BL1 == row_B1S
            if self.parents_S is not None:
                same_BLS |= (self.parents_S[query_BL1] == row_B1S) & (row_B1S > 0)
            return causal_LS & same_BLS
        if all(limit is None for limit in self.limits):
            return None
        parts = [
            torch.ones((1, stop - start, length), dtype=torch.bool, device=device)
            if limit is None
            else ~hidden(limit[:, start:stop], length)
            for limit, length in zip(self.limits, self.lengths, strict=True)
        ]
        batch = max(part.shape[0] for part in parts)
        return torch.cat([part.expand(batch, -1, -1) for part in parts], -1)


def visible(plan: Plan, views: Sequence[Sequence[Rows]]) -> Visible:
    """Tell what a forward pass sees of the cache: per slab of each bank, in the order of `views`."""
    lengths, limits = [], []
    for bank, slabs in zip(plan.banks, views, strict=True):
        first = 0
        for slab in slabs:
            lengths.append(slab.length)
            limits.append(None if bank.limits_BL is None else bank.limits_BL - first)
            first += slab.length
    return Visible(tuple(lengths), () if plan.uniform else tuple(limits))


def expanded_attention(
    q_content_BHLd: Tensor,
    q_rope_BHLP: Tensor,
    rows: Sequence[Tensor],
    kv_b_NkR: Tensor,
    seen: Visible,
    *,
    scale: float,
) -> Tensor:
    """Attend with expanded keys and values; return (B, H, L, v).

    `rows` are dense (B, S, W) stretches in the queries' dtype, each of any latent width up to R; `kv_b_NkR` maps a
    latent to d content and v value lanes of each of N heads. Memory beyond the result is bounded by the constants
    of this module and by one head's keys and values.
    """
    content = q_content_BHLd.shape[-1]
    batch, heads, _, _ = q_content_BHLd.shape
    width = kv_b_NkR.shape[1] - content
    query_BHLK = torch.cat([q_content_BHLd, q_rope_BHLP], -1)
    own, share = kv_b_NkR.shape[0], heads // kv_b_NkR.shape[0]
    total = sum(seen.lengths)
    lanes = batch * total * (kv_b_NkR.shape[1] + q_rope_BHLP.shape[-1]) * share
    step = max(1, min(own, EXPANDED_ELEMENTS // max(lanes, 1)))
    parts = []
    for first in range(0, own, step):
        key, value = _expand(rows, kv_b_NkR[first : first + step], content, q_rope_BHLP.shape[-1])
        # torch's fused kernels take values only as wide as keys. On a Zen 4 core, 2,048 tokens, 4 heads of 192 and
        # 128 lanes: 126 ms filled up with zeros, 374 ms as they are.
        value = F.pad(value, (0, max(key.shape[-1] - width, 0)))
        if step > 1:  # small enough to repeat; a single head's is shared as it is
            key, value = key.repeat_interleave(share, 1), value.repeat_interleave(share, 1)
        else:
            key, value = key.expand(-1, share, -1, -1), value.expand(-1, share, -1, -1)
        out = _attend(query_BHLK[:, first * share : (first + step) * share], key, value, seen, scale)
        parts.append(out[..., :width])
    return torch.cat(parts, 1)


def _expand(rows: Sequence[Tensor], kv_b_NkR: Tensor, content: int, rope: int) -> tuple[Tensor, Tensor]:
    keys, values = [], []
    for rows_BSW in rows:
        latent = rows_BSW.shape[-1] - rope
        kv_BNSk = torch.einsum("bsr,nkr->bnsk", rows_BSW[..., :latent], kv_b_NkR[..., :latent])
        rope_BNSP = rows_BSW[:, None, :, latent:].expand(-1, kv_b_NkR.shape[0], -1, -1)
        keys.append(torch.cat([kv_BNSk[..., :content], rope_BNSP], -1))
        values.append(kv_BNSk[..., content:])
    return torch.cat(keys, 2), torch.cat(values, 2)


def _attend(query_BHLK: Tensor, key_BHSK: Tensor, value_BHSv: Tensor, seen: Visible, scale: float) -> Tensor:
    batch, _, queries, _ = query_BHLK.shape
    total = key_BHSK.shape[2]
    if seen.ends:
        return attend_apart(query_BHLK, key_BHSK, value_BHSv, seen.ends, scale)
    if seen.segments_BL is None and not seen.limits:
        if queries == total:
            return F.scaled_dot_product_attention(
                query_BHLK, key_BHSK, value_BHSv, is_causal=True, scale=scale
            )
        if query_BHLK.is_cuda:  # fused there; on a CPU the bias would be written out as one large mask
            bias = causal_lower_right(queries, total)
            return F.scaled_dot_product_attention(
                query_BHLK, key_BHSK, value_BHSv, attn_mask=bias, scale=scale
            )
    size = max(1, MASK_ELEMENTS // max(batch * total, 1))
    outs = []
    for start in range(0, queries, size):
        stop = min(start + size, queries)
        used, mask = _mask(seen, start, stop, queries, total, query_BHLK.device)
        part_BHlK = query_BHLK[:, :, start:stop]
        key, value = key_BHSK[:, :, :used], value_BHSv[:, :, :used]
        outs.append(F.scaled_dot_product_attention(part_BHlK, key, value, attn_mask=mask, scale=scale))
    return outs[0] if len(outs) == 1 else torch.cat(outs, 2)


def attend_apart(
    query_BHLK: Tensor, key_BHLK: Tensor, value_BHLv: Tensor, ends: Sequence[int], scale: float
) -> Tensor:
    """Attend causally within each stretch of tokens that ends at one of `ends`; return (B, H, L, v)."""
    lengths = [stop - start for start, stop in pairwise((0, *ends))]
    if query_BHLK.is_cuda and len(lengths) > 1 and query_BHLK.shape[0] == 1:
        return attend_beside(query_BHLK, key_BHLK, value_BHLv, lengths, scale)
    stretches = zip(*(each.split(lengths, 2) for each in (query_BHLK, key_BHLK, value_BHLv)), strict=True)
    outs = [F.scaled_dot_product_attention(*each, is_causal=True, scale=scale) for each in stretches]
    return torch.cat(outs, 2)


def attend_beside(
    query_1HLK: Tensor, key_1HLK: Tensor, value_1HLv: Tensor, lengths: Sequence[int], scale: float
) -> Tensor:
    """Do so with all stretches side by side, filled up to the longest: on a GPU one call costs less than many."""
    longest, device = max(lengths), query_1HLK.device
    starts_S = torch.tensor([0, *accumulate(lengths[:-1])])
    last_S = starts_S + torch.tensor(lengths) - 1
    taken_ST = torch.minimum(starts_S[:, None] + torch.arange(longest), last_S[:, None])
    own_L = torch.cat([at * longest + torch.arange(length) for at, length in enumerate(lengths)])
    taken, own_L = taken_ST.flatten().to(device), own_L.to(device)
    query, key, value = (
        each[0].index_select(1, taken).unflatten(1, (-1, longest)).transpose(0, 1)
        for each in (query_1HLK, key_1HLK, value_1HLv)
    )
    # What fills a stretch up stands behind its tokens, where causal attention does not see it.
    out_SHTv = F.scaled_dot_product_attention(query, key, value, is_causal=True, scale=scale)
    return out_SHTv.transpose(0, 1).flatten(1, 2).index_select(1, own_L)[None]


def _mask(
    seen: Visible, start: int, stop: int, queries: int, total: int, device: torch.device
) -> tuple[int, Tensor | None]:
    """Return how many rows queries [start, stop) need at all, and which of those each sees."""
    if seen.segments_BL is None and not seen.limits:
        used = total - queries + stop  # rows that are still to come for all of these queries are left out
        limit_L = torch.arange(used - (stop - start) + 1, used + 1, device=device)
        return used, ~hidden(limit_L, used)
    mask_BLS = seen.mask_BLS(start, stop, device)
    return total, None if mask_BLS is None else mask_BLS[:, None]
