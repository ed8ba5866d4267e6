"""What a conversion is calibrated on, from the samples that a model is trained on."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from vidence.models.internvideo3.convert.samples import Corpus, text_sample
from vidence.models.internvideo3.convert.seeing import Eyes
from vidence.models.internvideo3.convert.source import Source
from vidence.training.trajectory import PATCHES, Trajectory, grids_of


def calibration(source: Source, trajectories: Sequence[Trajectory]) -> Corpus:
    """Return trajectories as a conversion's samples, seen by the source's own tower.

    Raises:
        ValueError: one shows both images and videos.
    """
    eyes = Eyes(source)
    samples = [eyes.sample(_inputs(one)) if one.pictures else text_sample(one.ids_L) for one in trajectories]
    origin = ({"file": one.name, "tokens": one.length} for one in trajectories)
    return Corpus(tuple(samples), tuple(origin))


def _inputs(one: Trajectory) -> dict[str, Tensor]:
    """Write a trajectory as a processor would have."""
    words = {"input_ids": one.ids_L[None], "mm_token_type_ids": one.kinds_L[None]}
    by_kind = {kind: [each.patches_ND for each in one.pictures if each.kind == kind] for kind in PATCHES}
    patches = {PATCHES[kind]: torch.cat(parts) for kind, parts in by_kind.items() if parts}
    return words | patches | grids_of(one.pictures)
