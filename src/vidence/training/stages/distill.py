"""Stage 4: on-policy distillation: the student speaks, and learns from what a teacher thinks of each of its tokens.

Minimises the reverse divergence KL(student | teacher) in its policy-gradient form, where plain differentiation of the
sampled tokens' log-probabilities would have a gradient of expectation zero.
"""

from __future__ import annotations

from collections.abc import Sequence

from vidence.errors import UsageError
from vidence.training.episodes import Episode, weighed
from vidence.training.judges import EndpointJudge, InProcessJudge, Judge
from vidence.training.loading import load_learner
from vidence.training.measuring import divergence
from vidence.training.objectives import on_policy_distillation
from vidence.training.packing import Pack
from vidence.training.sources import Sample
from vidence.training.stages.sampled import Sampled
from vidence.training.stages.stage import Loss, Run
from vidence.training.trajectory import Trajectory


class Distill(Sampled):
    """On-policy distillation."""

    def __init__(self, run: Run) -> None:
        super().__init__(run)
        self.rules = run.config.distill
        self.judge = self._judge()
        self.beside = [self.judge.learner] if isinstance(self.judge, InProcessJudge) else []

    def chosen(
        self, groups: Sequence[Sequence[Episode]], samples: Sequence[Sample]
    ) -> list[list[Trajectory]]:
        """Keep all that was said."""
        del samples
        return [weighed(group, [0.0] * len(group)) for group in groups]

    def loss(self, pack: Pack) -> Loss:
        """Return the loss whose gradient is that of the reverse divergence."""
        scores, count = self.run.learner(pack, temperature=self.config.temperature), len(pack.trajectories)
        teacher_N = self.judge.logprobs(pack)
        value = on_policy_distillation(
            scores.logprobs_N, self.old(scores, pack), teacher_N, pack.owners_N, count, self.rules.most
        )
        tokens = float(len(teacher_N))
        return Loss(value, {"reverse_divergence": (float((pack.logprobs_N - teacher_N).sum()), tokens)})

    def measure(self) -> dict[str, float]:
        """Return the reverse divergence and the mean reward on held-out samples."""
        if not isinstance(self.judge, InProcessJudge):
            return super().measure()
        found = divergence(self.run, self.judge.learner, self.play.chat, self.held_out(), self.phase.seeing)
        return super().measure() | found

    def _judge(self) -> Judge:
        rules = self.rules
        if (rules.teacher is None) == (rules.teacher_url is None):
            raise UsageError(
                "distill: name the teacher's folder (teacher), or an endpoint (teacher_url), one of them"
            )
        if rules.teacher is not None:
            return InProcessJudge(load_learner(rules.teacher, self.run.processes.device))
        return EndpointJudge(str(rules.teacher_url), rules.teacher_model or "teacher")
