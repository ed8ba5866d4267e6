"""Sequence parallelism: several processes hold parts of one row, and exchange latent rows instead of keys and values.

L tokens of a row, l of them this process', S processes that share it, V visual tokens, P patches.

A process computes its own tokens' queries and latent rows; the rows of all, as narrow as the cache's, are gathered in
each layer. Tokens are dealt in 2 S stretches, the r-th and the r-th from the end to process r, so that causal attention
costs all the same. The tower sees only the frames whose tokens a process holds: its attention ends at a frame.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor

from vidence.errors import UsageError
from vidence.models.internvideo3.prefill import Visible
from vidence.training.learner import Learner
from vidence.training.packing import Pack
from vidence.training.parallel import Processes


@dataclass(frozen=True, slots=True)
class Portion:
    """One process' part of a row: its pack, where its tokens and its learned ones stand, and what its tokens see."""

    pack: Pack
    mine_N: Tensor
    seen: Visible


@dataclass(frozen=True, slots=True)
class Sharing:
    """A group of processes that hold parts of one row: their number, this one's rank among them, the tower's merge."""

    group: Any
    size: int
    rank: int
    merge: int

    def portion(self, pack: Pack) -> Portion:
        """Cut this process' part out of a row."""
        return _portion(pack, self)

    def summed(self, part_n: Tensor, mine_N: Tensor) -> Tensor:
        """Put values of this process' learned tokens among those of the others: (n,) to (N,), with gradients."""
        whole_N = part_n.new_zeros(len(mine_N)).masked_scatter(mine_N, part_n)
        every: Any = _Summed.apply(whole_N, self.group)
        return every


def share_rows(learner: Learner, processes: Processes) -> None:
    """Let the processes of each sequence group hold parts of one row.

    Raises:
        UsageError: the model is not latent.
    """
    if processes.sequence == 1:
        return
    if not learner.latent:
        raise UsageError(
            "parallel.sequence: only a latent model's rows can be shared; convert it, or set it to 1"
        )
    mine: Any = None
    for first in range(0, processes.size, processes.sequence):
        ranks = list(range(first, first + processes.sequence))
        group = dist.new_group(ranks)
        mine = group if processes.rank in ranks else mine
    learner.sharing = Sharing(mine, processes.sequence, processes.rank % processes.sequence, learner.merge)


def _portion(pack: Pack, sharing: Sharing) -> Portion:
    share, rank, group, merge = sharing.size, sharing.rank, sharing.group, sharing.merge
    padded = _padded(pack, -len(pack.ids_L) % (2 * share))
    chunks = torch.arange(len(padded.ids_L), device=pack.ids_L.device).chunk(2 * share)
    order_L = torch.cat([chunks[rank], chunks[2 * share - 1 - rank]])
    where_L = torch.full((len(padded.ids_L),), -1, device=order_L.device)
    where_L[order_L] = torch.arange(len(order_L), device=order_L.device)
    mine_N = where_L[padded.places_N] >= 0
    numbers_L = padded.visual_L.cumsum(0) - 1
    visual_l = padded.visual_L[order_L]
    patches, grids, features_V = _frames(padded, padded.features_V[numbers_L[order_L[visual_l]]], merge)
    own = replace(
        padded,
        ids_L=padded.ids_L[order_L],
        positions_3L=padded.positions_3L[:, order_L],
        visual_L=visual_l,
        places_N=where_L[padded.places_N][mine_N],
        targets_N=padded.targets_N[mine_N],
        features_V=features_V,
        patches_PD=patches,
        grids_I3=grids,
    )
    orders = torch.stack([torch.cat([chunks[at], chunks[2 * share - 1 - at]]) for at in range(share)])

    def gather(rows_BLW: Tensor) -> Tensor:
        every: Any = _Gathered.apply(rows_BLW, group, rank)
        all_SBLW: Tensor = every
        whole_BLW = all_SBLW.transpose(0, 1).flatten(1, 2)
        return whole_BLW[:, orders.flatten().argsort()]

    seen = Visible(
        (len(padded.ids_L),),
        segments_BL=padded.segments_L[None],
        parents_S=padded.parents_S,
        order_L=order_L,
        gather=gather,
    )
    return Portion(own, mine_N, seen)


class _Gathered(torch.autograd.Function):
    """Stack every process' tensor; gradients are summed over all who used it."""

    @staticmethod
    def forward(ctx: Any, part: Tensor, group: Any, rank: int) -> Tensor:
        ctx.group, ctx.rank = group, rank
        parts = [torch.empty_like(part) for _ in range(dist.get_world_size(group))]
        dist.all_gather(parts, part.contiguous(), group=group)
        return torch.stack(parts)

    @staticmethod
    def backward(ctx: Any, *gradients: Any) -> tuple[Any, ...]:
        gradient = gradients[0].contiguous()
        dist.all_reduce(gradient, group=ctx.group)
        return gradient[ctx.rank], None, None


class _Summed(torch.autograd.Function):
    """Sum tensors of all processes; gradients are summed as well, for every process computes the same loss."""

    @staticmethod
    def forward(ctx: Any, part: Tensor, group: Any) -> Tensor:
        ctx.group = group
        total = part.clone()
        dist.all_reduce(total, group=group)
        return total

    @staticmethod
    def backward(ctx: Any, *gradients: Any) -> tuple[Any, ...]:
        gradient = gradients[0].clone()
        dist.all_reduce(gradient, group=ctx.group)
        return gradient, None


def _padded(pack: Pack, more: int) -> Pack:
    """Fill a row up with padding."""
    if not more:
        return pack
    pad = torch.nn.functional.pad
    return replace(
        pack,
        ids_L=pad(pack.ids_L, (0, more)),
        segments_L=pad(pack.segments_L, (0, more)),
        positions_3L=pad(pack.positions_3L, (0, more)),
        visual_L=pad(pack.visual_L, (0, more)),
    )


def _frames(pack: Pack, features_V: Tensor, merge: int) -> tuple[Tensor | None, Tensor | None, Tensor]:
    """Keep the frames of which a token is needed; return patches, grids, and where the tokens now are."""
    if pack.patches_PD is None or pack.grids_I3 is None or not len(features_V):
        return None, None, features_V
    patches, grids, moved = list[Tensor](), list[list[int]](), torch.full_like(features_V, -1)
    first = kept = 0
    for frames, rows, columns in pack.grids_I3.tolist():
        each = rows * columns // merge**2
        for frame in range(frames):
            start = first + frame * each
            inside_V = (features_V >= start) & (features_V < start + each)
            if bool(inside_V.any()):
                patches.append(pack.patches_PD[start * merge**2 : (start + each) * merge**2])
                grids.append([1, rows, columns])
                moved = torch.where(inside_V, features_V - start + kept, moved)
                kept += each
        first += frames * each
    return torch.cat(patches), torch.tensor(grids, device=features_V.device), moved
