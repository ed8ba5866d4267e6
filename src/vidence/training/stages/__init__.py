"""The four stages: each says where a step's rows come from and what is minimised on them; the loop does the rest."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from vidence.training.stages.distill import Distill
from vidence.training.stages.finetune import Finetune
from vidence.training.stages.pretrain import Pretrain
from vidence.training.stages.reinforce import Reinforce
from vidence.training.stages.stage import Run, Stage

STAGES: Mapping[str, Callable[[Run], Stage]] = {
    "pretrain": Pretrain,
    "finetune": Finetune,
    "reinforce": Reinforce,
    "distill": Distill,
}
