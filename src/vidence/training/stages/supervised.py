"""What the first two stages share: rows of samples whose right words are known."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from vidence.training.config import PhasePart
from vidence.training.learner import Learner
from vidence.training.measuring import answers, likelihood
from vidence.training.objectives import cross_entropy, sample_weights
from vidence.training.packing import Pack, Rows, packed
from vidence.training.stages.stage import Loss, Run


class Supervised:
    """Learn the words of samples, and a teacher's predictions where there is one."""

    def __init__(self, run: Run, teacher: Learner | None = None) -> None:
        self.run, self.config, self.teacher = run, run.config.learn, teacher
        self.rows: dict[int, Rows] = {}

    def begin(self, phase: PhasePart, number: int) -> None:
        """Start a phase: each of a step's rows has a stream of its own."""
        self.phase, self.chat = phase, self.run.workshop.preparer.chat(phase)
        streams = self.run.streams("trajectory", number, phase.packs)
        self.rows = {number: Rows(stream) for number, stream in streams.items()}

    def packs(self, step: int) -> list[Pack]:
        """Return the next rows."""
        del step
        learner = self.run.learner
        taken = [rows.take(self.phase.pack_tokens) for rows in self.rows.values()]
        return [packed(row, learner.place, learner.merge) for row in taken]

    def weight(self, pack: Pack) -> float:
        """Return the sum of the tokens' weights."""
        return float(sample_weights(pack.owners_N, self.config.normalisation).sum())

    def loss(self, pack: Pack) -> Loss:
        """Return cross-entropy, and the divergence from the teacher where there is one."""
        weights_N = sample_weights(pack.owners_N, self.config.normalisation)
        taught = None if self.teacher is None else self.teacher.teach(pack)
        scores = self.run.learner(pack, teacher=taught)
        value, total = cross_entropy(scores.logprobs_N, weights_N), float(weights_N.sum())
        sums = {"cross_entropy": (float(value.detach()), total)}
        if scores.divergence_N is not None:
            divergence, share = (weights_N * scores.divergence_N).sum(), self.config.teacher_share
            sums["divergence"] = float(divergence.detach()), total
            value = (1 - share) * value + share * divergence
        return Loss(value, sums)

    def measure(self) -> dict[str, float]:
        """Return the held-out loss, and accuracy where answers can be judged."""
        samples = self.run.held_out(self.phase)
        found = likelihood(self.run, self.chat, samples, self.phase.pack_tokens, self.teacher)
        return found | answers(self.run, self.chat, [one for one in samples if one.truth], self.phase.seeing)

    def told(self) -> dict[str, float]:
        """Return how many samples were bad."""
        bad = sum(rows.stream.account.bad for rows in self.rows.values())
        return {"bad_samples": self.run.processes.total(bad)[0]}

    def state(self) -> dict[str, Any]:
        """Return the places in the data, by stream."""
        return {str(number): rows.state() for number, rows in self.rows.items()}

    def restore(self, states: Sequence[dict[str, Any]]) -> None:
        """Go on from places in the data, whichever process was there."""
        every = {int(number): state for each in states for number, state in each.items()}
        for number, rows in self.rows.items():
            rows.restore(every[number])
