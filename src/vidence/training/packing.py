"""Packing: trajectories side by side in one row of bounded length, in which each sees only itself.

L tokens of a row, N learned tokens, V visual tokens, M features of the pictures, P patches, D values a patch.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate

import torch
from torch import Tensor

from vidence.errors import UsageError
from vidence.training.trajectory import TEXT, Picture, Trajectory

MULTIPLE = 64  # rows are filled up to a multiple of so many tokens, that few lengths occur


@dataclass(frozen=True, slots=True)
class Pack:
    """One row.

    segments_L numbers them from 1, 0 is padding; positions_3L are their own; visual_L marks what is seen.
    places_N are the tokens before those that are learned, targets_N the learned ones, owners_N whose they are (from 0),
    logprobs_N what sampling them gave. Each picture stands once in patches_PD and grids_I3, and features_V says which
    of the tower's tokens each visual token is. ends says where each number's tokens end, and the padding. Where
    trajectories share a prompt it has a number of its own, and parents_S says by number which prompt's tokens are seen
    as well (0: none).
    """

    trajectories: tuple[Trajectory, ...]
    ids_L: Tensor
    segments_L: Tensor
    positions_3L: Tensor
    visual_L: Tensor
    places_N: Tensor
    targets_N: Tensor
    owners_N: Tensor
    logprobs_N: Tensor
    features_V: Tensor
    patches_PD: Tensor | None
    grids_I3: Tensor | None
    ends: tuple[int, ...]
    parents_S: Tensor | None = None

    @property
    def tokens(self) -> int:
        """Return the tokens that are no padding."""
        return int((self.segments_L > 0).sum())

    def to(self, device: torch.device | str) -> Pack:
        """Move the tensors."""
        values = {name: getattr(self, name) for name in self.__slots__}
        moved = {name: value.to(device) for name, value in values.items() if isinstance(value, Tensor)}
        return replace(self, **moved)


Place = Callable[[Trajectory], Tensor]
"""Tells a trajectory's positions (3, L), by the rule of the model's family."""


@dataclass(frozen=True, slots=True)
class _Stretch:
    """Tokens [start, stop) of a trajectory as they stand in a row, and the pictures among them."""

    one: Trajectory
    start: int
    stop: int
    parent: int
    pictures: tuple[Picture, ...]


def packed(trajectories: Sequence[Trajectory], place: Place, merge: int, *, shared: bool = False) -> Pack:
    """Put trajectories into one row; `merge` is the side of the square of patches that the tower makes one token of.

    With `shared`, a prompt that neighbours of one group have in common stands once, and each answer sees it.
    """
    stretches, places = _laid_out(trajectories, shared=shared)
    pad = torch.zeros(-sum(each.stop - each.start for each in stretches) % MULTIPLE, dtype=torch.int64)

    def row(values: Callable[[Trajectory], Tensor]) -> Tensor:
        return torch.cat([values(each.one)[each.start : each.stop] for each in stretches])

    positions = {id(one): place(one) for one in trajectories}
    learned = [one.learned_L[1:].nonzero()[:, 0] + 1 for one in trajectories]
    several = list(zip(trajectories, learned, places, strict=True))
    pictures = {picture.key: picture for one in trajectories for picture in one.pictures}
    firsts, count = dict[str, int](), 0
    for key, picture in pictures.items():
        firsts[key] = count
        count += len(picture.patches_ND) // merge**2
    features = [_features(picture, firsts, merge) for each in stretches for picture in each.pictures]
    segments = [torch.full((each.stop - each.start,), number) for number, each in enumerate(stretches, 1)]
    empty = torch.zeros(0, dtype=torch.int64)
    return Pack(
        tuple(trajectories),
        torch.cat([row(lambda one: one.ids_L), pad]),
        torch.cat([*segments, pad]),
        torch.cat([row(lambda one: positions[id(one)].mT).mT, pad.expand(3, -1)], 1),
        torch.cat([row(lambda one: one.kinds_L), pad]) != TEXT,
        torch.cat([empty, *(where_L[at_N - 1] for _, at_N, where_L in several)]),
        torch.cat([empty, *(one.ids_L[at_N] for one, at_N, _ in several)]),
        torch.cat([empty, *(torch.full_like(at_N, number) for number, at_N in enumerate(learned))]),
        torch.cat([torch.zeros(0), *(_logprobs(one, at_N) for one, at_N, _ in several)]),
        torch.cat([empty, *features]),
        torch.cat([picture.patches_ND for picture in pictures.values()]) if pictures else None,
        torch.tensor([picture.grid.to_list() for picture in pictures.values()]) if pictures else None,
        tuple(accumulate(len(each) for each in (*segments, pad) if len(each))),
        torch.tensor([0, *(each.parent for each in stretches)]) if shared else None,
    )


def _laid_out(trajectories: Sequence[Trajectory], *, shared: bool) -> tuple[list[_Stretch], list[Tensor]]:
    """Cut trajectories into stretches of a row; return them, and by trajectory where each of its tokens stands."""
    stretches, places, length = list[_Stretch](), list[Tensor](), 0
    prompt_L, parent = torch.zeros(0, dtype=torch.int64), 0
    for at, one in enumerate(trajectories):
        cut = _prompt(one) if shared else 0
        if not (shared and at and _alike(trajectories[at - 1], one)):
            prompt_L = torch.arange(length, length + cut)
            if cut:
                stretches.append(_Stretch(one, 0, cut, 0, _shown(one, 0, cut)))
            parent, length = len(stretches) if cut else 0, length + cut
        stretches.append(_Stretch(one, cut, one.length, parent, _shown(one, cut, one.length)))
        places.append(torch.cat([prompt_L, torch.arange(length, length + one.length - cut)]))
        length += one.length - cut
    return stretches, places


def _prompt(one: Trajectory) -> int:
    """Return the tokens before the first that is learned."""
    learned = one.learned_L.nonzero()[:, 0]
    return int(learned[0]) if len(learned) else 0


def _alike(one: Trajectory, other: Trajectory) -> bool:
    """Tell whether two trajectories are of one group and begin with the same prompt."""
    cut = _prompt(one)
    return (
        one.group == other.group
        and cut == _prompt(other)
        and bool((one.ids_L[:cut] == other.ids_L[:cut]).all())
        and [picture.key for picture in _shown(one, 0, cut)]
        == [picture.key for picture in _shown(other, 0, cut)]
    )


def _shown(one: Trajectory, start: int, stop: int) -> tuple[Picture, ...]:
    """Return the pictures whose tokens lie in a stretch; none lies across its edges."""
    first, last, whole = (int((one.kinds_L[:edge] != TEXT).sum()) for edge in (start, stop, one.length))
    patches = sum(len(picture.patches_ND) for picture in one.pictures)
    found, before = list[Picture](), 0
    for picture in one.pictures:
        if first * patches <= before * whole < last * patches:  # a token is as many patches throughout
            found.append(picture)
        before += len(picture.patches_ND)
    return tuple(found)


def arranged(
    trajectories: Sequence[Trajectory], tokens: int, *, shared: bool = False
) -> list[list[Trajectory]]:
    """Group trajectories, none longer than `tokens`, into rows of at most so many; `shared` as in `packed`."""
    families = list[list[Trajectory]]()
    for one in trajectories:
        last = families[-1] if families else []
        if shared and last and _alike(last[-1], one) and _tokens([*last, one], shared=True) <= tokens:
            last.append(one)
        else:
            families.append([one])
    rows = list[list[Trajectory]]()
    while families:
        taken = chosen([_tokens(each, shared=shared) for each in families], tokens)
        rows.append([one for at in taken for one in families[at]])
        families = [each for at, each in enumerate(families) if at not in taken]
    return rows


def _tokens(family: Sequence[Trajectory], *, shared: bool) -> int:
    """Return the tokens that trajectories of one prompt take in a row."""
    return sum(one.length for one in family) - (len(family) - 1) * (_prompt(family[0]) if shared else 0)


def chosen(lengths: Sequence[int], tokens: int) -> list[int]:
    """Choose for one row: the oldest opens it; the longest that still fits follows, until none does."""
    chosen, left = [0], tokens - lengths[0]
    for at in sorted(range(1, len(lengths)), key=lambda at: -lengths[at]):
        if lengths[at] <= left:
            chosen.append(at)
            left -= lengths[at]
    return chosen


def _features(picture: Picture, firsts: dict[str, int], merge: int) -> Tensor:
    first = firsts[picture.key]
    return torch.arange(first, first + len(picture.patches_ND) // merge**2)


def _logprobs(one: Trajectory, at_N: Tensor) -> Tensor:
    return torch.zeros(len(at_N)) if one.logprobs_L is None else one.logprobs_L[at_N]


def fitting(one: Trajectory, tokens: int) -> Trajectory:
    """Return a trajectory that fits a row and has something to learn.

    Raises:
        UsageError: it does not, or has not: nothing is cut, least of all what is seen.
    """
    if one.length > tokens:
        raise UsageError(
            f"{one.name}: {one.length} tokens do not fit a row of {tokens}; "
            "raise pack_tokens or lower fps and max_frames"
        )
    if not one.learned:
        raise UsageError(f"{one.name}: holds nothing to learn; the assistant says nothing")
    return one
