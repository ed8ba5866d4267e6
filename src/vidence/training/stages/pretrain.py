"""Stage 1: continued pretraining after conversion, on text, images and videos.

The published recipe minimises cross-entropy alone; where the unconverted model is given as a teacher, its predictions
are learned as well as the words, which takes fewer tokens to recover (X-EcoMLA, arXiv 2503.11132).
"""

from __future__ import annotations

from vidence.training.loading import load_learner
from vidence.training.stages.stage import Run
from vidence.training.stages.supervised import Supervised


class Pretrain(Supervised):
    """Continued pretraining."""

    def __init__(self, run: Run) -> None:
        path = run.config.learn.teacher
        teacher = None if path is None else load_learner(path, run.processes.device)
        super().__init__(run, teacher)
