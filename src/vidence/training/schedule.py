"""Learning rates over a run's phases, and the optimiser they drive."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import nn

from vidence.training.config import ModelPart, OptimiserPart, PhasePart
from vidence.training.learner import Learner


def phase_at(phases: Sequence[PhasePart], step: int) -> tuple[int, int]:
    """Return which phase a step (from 0) belongs to, and how many of its steps came before."""
    for index, phase in enumerate(phases):
        if step < phase.steps:
            return index, step
        step -= phase.steps
    return len(phases) - 1, phases[-1].steps + step


def rate_at(phases: Sequence[PhasePart], optimiser: OptimiserPart, step: int) -> float:
    """Return a step's learning rate: in each phase a linear rise, then half a cosine down to the floor."""
    index, done = phase_at(phases, step)
    phase = phases[index]
    rise = math.ceil(optimiser.warmup * phase.steps)
    if done < rise:
        return phase.rate * (done + 1) / rise
    share = (done - rise) / max(phase.steps - rise, 1)
    return phase.rate * (
        optimiser.floor + (1 - optimiser.floor) * (1 + math.cos(math.pi * min(share, 1))) / 2
    )


def adamw(module: nn.Module, part: OptimiserPart) -> torch.optim.AdamW:
    """Return AdamW over what is not frozen; vectors do not decay."""
    trained = [each for each in module.parameters() if each.requires_grad]
    groups = [
        {"params": [each for each in trained if each.ndim >= 2], "weight_decay": part.weight_decay},
        {"params": [each for each in trained if each.ndim < 2], "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(
        [group for group in groups if group["params"]], lr=0.0, betas=part.betas, eps=part.eps
    )


def freeze(learner: Learner, part: ModelPart) -> None:
    """Keep the named parts' weights as they are."""
    core = learner.model.model
    parts = {
        "tower": core.visual,
        "decoder": core.language_model.layers,
        "embeddings": core.language_model.embed_tokens,
    }
    for name in part.frozen:
        parts[name].requires_grad_(False)
