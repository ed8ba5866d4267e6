"""What the last two stages share: the policy's own samples are what it learns from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torch import Tensor

from vidence.errors import UsageError
from vidence.training.config import PhasePart
from vidence.training.episodes import Episode, Play
from vidence.training.learner import Learner, Scores
from vidence.training.measuring import answers
from vidence.training.packing import Pack, arranged, packed
from vidence.training.rewards import Rubric
from vidence.training.rollout import Engine, InProcess
from vidence.training.sources import Sample
from vidence.training.stages.stage import Run
from vidence.training.stream import Stream
from vidence.training.trajectory import Trajectory

MEASURED = 4  # answers that are sampled to each held-out question
TRIES = 4  # batches of prompts that may be sampled for one step before it makes do with what it has


class Sampled:
    """Sample groups of answers, keep those to learn from, and train on them in `updates` steps."""

    def __init__(self, run: Run) -> None:
        self.run, self.config = run, run.config.rollout
        stretches = [run.config.save_every, *(phase.steps for phase in run.config.phases)]
        if any(stretch % self.config.updates for stretch in stretches):
            raise UsageError(
                f"rollout.updates: save_every and every phase's steps must be multiples of {self.config.updates}, so "
                "that a run never stops within a batch of samples"
            )
        self.stream: Stream[Sample] | None = None
        self.beside = list[Learner]()  # models that score the same rows
        self._due = list[list[Trajectory]]()
        self._told: dict[str, float] = {}

    def begin(self, phase: PhasePart, number: int) -> None:
        """Start a phase."""
        self.phase = phase
        chat = self.run.workshop.preparer.chat(phase)
        self.play = Play(chat, Rubric(self.run.config.reinforce.rewards), self.config, phase.seeing)
        self.stream = self.run.questions(number)

    def packs(self, step: int) -> list[Pack]:
        """Return rows of the batch that is due, sampled anew when the last one is used up."""
        if not self._due:
            chosen = self._sampled(step)
            each = -(-len(chosen) // self.config.updates)
            self._due = [chosen[at * each : (at + 1) * each] for at in range(self.config.updates)]
        learner = self.run.learner
        # A reference or a teacher with grouped-query attention cannot tell answers apart that share a prompt.
        shared = learner.latent and all(each.latent for each in self.beside)
        rows = arranged(self._due.pop(0), self.phase.pack_tokens, shared=shared)
        return [packed(row, learner.place, learner.merge, shared=shared) for row in rows]

    def old(self, scores: Scores, pack: Pack) -> Tensor:
        """Return the log-probabilities that ratios are taken against (N,).

        Where a batch is used for one step alone, the policy that is trained is the one that sampled: any difference is
        rounding, of a kernel or of bfloat16, and at the width of GSPO's clip rounding alone would stop the learning.
        """
        return scores.logprobs_N.detach() if self.config.updates == 1 else pack.logprobs_N

    def weight(self, pack: Pack) -> float:
        """Return the number of trajectories."""
        return float(len(pack.trajectories))

    def told(self) -> dict[str, float]:
        """Return what the last batch of samples was like."""
        return self._told

    def measure(self) -> dict[str, float]:
        """Return the mean reward on held-out samples, sampled as in training, and that of the likeliest answers."""
        given = self.run, self.play.chat, self.held_out(), self.phase.seeing
        sampled, likeliest = answers(*given, group=MEASURED), answers(*given)
        return sampled | ({"held_out_likeliest": likeliest["held_out_reward"]} if likeliest else {})

    def held_out(self) -> list[Sample]:
        """Return this process' share of the held-out samples that can be judged."""
        return [one for one in self.run.held_out(self.phase) if one.truth]

    def state(self) -> dict[str, Any]:
        """Return the place in the data; checkpoints are written between batches."""
        assert self.stream is not None
        return {"stream": self.stream.state()}

    def restore(self, states: Sequence[dict[str, Any]]) -> None:
        """Go on from a place in the data.

        Raises:
            UsageError: there were more or fewer processes, whose samples were others.
        """
        assert self.stream is not None
        if len(states) != self.run.processes.size:
            raise UsageError(
                f"the run was begun by {len(states)} processes, and these are {self.run.processes.size}; what a policy "
                "samples depends on them, so start as many"
            )
        self.stream.restore(states[self.run.processes.rank]["stream"])

    def chosen(
        self, groups: Sequence[Sequence[Episode]], samples: Sequence[Sample]
    ) -> list[list[Trajectory]]:
        """Return what is learned from, by prompt, with advantages."""
        raise NotImplementedError

    def _sampled(self, step: int) -> list[Trajectory]:
        assert self.stream is not None
        run, config = self.run, self.config
        wanted = -(-config.prompts // run.processes.rows)
        engine: Engine = InProcess(run.whole())
        kept, all_groups = list[list[Trajectory]](), list[list[Episode]]()
        for attempt in range(TRIES):
            samples = [next(self.stream)[1] for _ in range(wanted)]
            seed = (run.config.seed * 1_000_003 + step) * 1_009 + attempt * 101 + run.processes.row
            groups = self.play.episodes(engine, samples, group=config.group, seed=seed)
            all_groups += groups
            kept += self.chosen(groups, samples)
            if len(kept) >= wanted:
                break
        self._told = self._described(all_groups, len(kept))
        return [one for group in kept[:wanted] for one in group]

    def _described(self, groups: Sequence[Sequence[Episode]], kept: int) -> dict[str, float]:
        episodes = [episode for group in groups for episode in group]
        names = sorted({name for episode in episodes for name in episode.parts})
        sums = [
            float(len(episodes)),
            float(len(groups)),
            float(kept),
            sum(episode.reward for episode in episodes),
            float(sum(episode.trajectory.learned for episode in episodes)),
            float(sum(episode.outcome.calls for episode in episodes)),
            *(sum(episode.parts[name] for episode in episodes) for name in names),
        ]
        count, prompts, used, reward, tokens, calls, *parts = self.run.processes.total(*sums)
        found = {"reward": reward / count, "kept_prompts": used / prompts, "tokens_said": tokens / count}
        found |= {"calls": calls / count} if self.config.turns > 1 else {}
        return found | {f"reward_{name}": value / count for name, value in zip(names, parts, strict=True)}
