"""What every stage trains on: token ids, which of them are learned, the pictures seen, and what sampling them gave.

L tokens, N patches, D values a patch.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from vidence.models.internvideo3.patches import Grid

TEXT, IMAGE, VIDEO = 0, 1, 2  # the processor's mm_token_type_ids
PATCHES = {IMAGE: "pixel_values", VIDEO: "pixel_values_videos"}  # what it calls the patches of each kind
GRIDS = {IMAGE: "image_grid_thw", VIDEO: "video_grid_thw"}


@dataclass(frozen=True, slots=True)
class Picture:
    """An image or video as the tower takes it. Equal keys mean equal pixels: its features are computed once a pack."""

    key: str
    patches_ND: Tensor = field(repr=False)
    grid: Grid
    kind: int = VIDEO


def grids_of(pictures: Sequence[Picture]) -> dict[str, Tensor]:
    """Return the grids of pictures, (., 3) of each kind, by the names under which models take them."""
    by_kind = {kind: [one.grid.to_list() for one in pictures if one.kind == kind] for kind in GRIDS}
    return {GRIDS[kind]: torch.tensor(grids) for kind, grids in by_kind.items() if grids}


@dataclass(frozen=True, slots=True)
class Trajectory:
    """One sample. `name` says in logs where it came from.

    learned_L: tokens whose prediction is trained, the assistant's or those that were sampled. kinds_L: text, image or
    video. logprobs_L: of sampled tokens under the policy that sampled them, else zero; None where nothing was sampled.
    group: trajectories of one prompt share it. reward: what the rules gave; advantage: what the stage makes of it.
    """

    name: str
    ids_L: Tensor
    learned_L: Tensor
    kinds_L: Tensor
    pictures: tuple[Picture, ...] = ()
    logprobs_L: Tensor | None = None
    group: int = 0
    reward: float = 0.0
    advantage: float = 0.0

    @property
    def length(self) -> int:
        """Return the number of tokens."""
        return len(self.ids_L)

    @property
    def learned(self) -> int:
        """Return the number of tokens that are learned; the first token of all is never predicted."""
        return int(self.learned_L[1:].sum())


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of a trajectory while it is written: tokens, what kind each is, and whether they are learned."""

    ids: Sequence[int]
    kinds: Sequence[int] | None = None
    learned: bool = False
    logprobs: Sequence[float] | None = None
    pictures: tuple[Picture, ...] = ()


def joined(
    name: str, pieces: Sequence[Piece], *, group: int = 0, reward: float = 0.0, advantage: float = 0.0
) -> Trajectory:
    """Put pieces one after the other."""
    ids = [token for piece in pieces for token in piece.ids]
    kinds = [kind for piece in pieces for kind in piece.kinds or [TEXT] * len(piece.ids)]
    spoken = [piece.learned for piece in pieces for _ in piece.ids]
    learned = [
        said and kind == TEXT for said, kind in zip(spoken, kinds, strict=True)
    ]  # what is seen is not said
    sampled = any(piece.logprobs is not None for piece in pieces)
    logprobs = [value for piece in pieces for value in piece.logprobs or [0.0] * len(piece.ids)]
    return Trajectory(
        name,
        torch.tensor(ids),
        torch.tensor(learned),
        torch.tensor(kinds),
        tuple(picture for piece in pieces for picture in piece.pictures),
        torch.tensor(logprobs) if sampled else None,
        group,
        reward,
        advantage,
    )
