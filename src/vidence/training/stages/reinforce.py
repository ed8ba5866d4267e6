"""Stage 3: rule-based reinforcement learning by group sequence policy optimisation (GSPO).

Rewards come from rules: the right answer, the overlap of an interval, form, evidence cited, tools spared. Prompts are
kept whose group has mixed outcomes, and of grounding those whose mean overlap lies in a band.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch

from vidence.training.episodes import Episode, weighed
from vidence.training.loading import load_learner
from vidence.training.objectives import Clip, group_advantages, gspo, reference_divergence
from vidence.training.packing import Pack
from vidence.training.sources import Sample
from vidence.training.stages.sampled import Sampled
from vidence.training.stages.stage import Loss, Run
from vidence.training.trajectory import Trajectory

_ALIKE = 1e-6


class Reinforce(Sampled):
    """Reinforcement learning."""

    def __init__(self, run: Run) -> None:
        super().__init__(run)
        self.rules = run.config.reinforce
        self.clip = Clip(self.rules.clip_low, self.rules.clip_high)
        kept = load_learner(run.config.model.path, run.processes.device) if self.rules.divergence else None
        self.reference = None if kept is None else kept.requires_grad_(False)
        self.beside = [] if self.reference is None else [self.reference]

    def chosen(
        self, groups: Sequence[Sequence[Episode]], samples: Sequence[Sample]
    ) -> list[list[Trajectory]]:
        """Keep groups of mixed outcomes, each outcome weighed against the group's mean."""
        kept = list[list[Trajectory]]()
        for group, sample in zip(groups, samples, strict=True):
            rewards = torch.tensor([episode.reward for episode in group])
            if float(rewards.max() - rewards.min()) < _ALIKE or not self._in_band(group, sample):
                continue
            kept.append(weighed(group, group_advantages(rewards, scaled=self.rules.scaled)))
        return kept

    def loss(self, pack: Pack) -> Loss:
        """Return the clipped objective and the divergence from the reference."""
        temperature, count = self.config.temperature, len(pack.trajectories)
        scores = self.run.learner(pack, temperature=temperature)
        advantages_K = torch.tensor(
            [one.advantage for one in pack.trajectories], device=scores.logprobs_N.device
        )
        value, clipped_K = gspo(
            scores.logprobs_N, self.old(scores, pack), pack.owners_N, advantages_K, self.clip
        )
        apart = float((scores.logprobs_N.detach() - pack.logprobs_N).abs().max())
        tokens = float(len(scores.entropy_N))
        sums = {
            "clipped": (float(clipped_K.sum()), float(count)),
            "entropy": (float(scores.entropy_N.sum()), tokens),
            "off_policy_nats": (apart * count, float(count)),
        }
        if self.reference is not None:
            with torch.no_grad():
                reference_N = self.reference(pack, temperature=temperature).logprobs_N
            divergence = reference_divergence(scores.logprobs_N, reference_N, pack.owners_N, count)
            sums["divergence"] = float(divergence.detach()), float(count)
            value = value + self.rules.divergence * divergence
        return Loss(value, sums)

    def _in_band(self, group: Sequence[Episode], sample: Sample) -> bool:
        if sample.truth is None or sample.truth.span is None or "answer" not in group[0].parts:
            return True
        least, most = self.rules.iou_band
        return least <= sum(episode.parts["answer"] for episode in group) / len(group) <= most
