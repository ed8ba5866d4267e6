"""Load what is trained or taught by: latent models, and grouped-query ones as a start, a baseline or a teacher."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from vidence.models.internvideo3.config import InternVideo3Config
from vidence.models.internvideo3.loading import BASELINES, CLASSES, load_baseline, load_model, read_config
from vidence.models.internvideo3.processing import InternVideo3Processor
from vidence.models.internvideo3.tower import by_frames
from vidence.training.apart import attends_apart
from vidence.training.learner import Learner


def load_learner(path: Path, device: torch.device | str = "cpu") -> Learner:
    """Load a model in float32, ready to be scored with; its parameters want gradients.

    Raises:
        WeightsError: the folder holds no model that is known here.
    """
    latent = isinstance(read_config(path), InternVideo3Config)
    model: Any = (load_model if latent else load_baseline)(path, dtype=torch.float32, device=device)
    if not latent:
        attends_apart(model)
        if hasattr(model.model, "visual"):
            by_frames(model.model.visual)
    return Learner(model)


def outline(path: Path) -> Learner:
    """Return a model without its weights: it can tell tokens' positions, and no more."""
    config: Any = read_config(path)
    with torch.device("meta"):
        return Learner((CLASSES | BASELINES)[type(config)](config))  # type: ignore[arg-type]


def load_processor(path: Path) -> InternVideo3Processor:
    """Load a checkpoint's processor."""
    return InternVideo3Processor.from_pretrained(path)
