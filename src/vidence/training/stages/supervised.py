"""What the first two stages share: rows of samples whose right words are known."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from vidence.training.config import PhasePart
from vidence.training.learner import Learner
from vidence.training.measuring import answers, likelihood
from vidence.training.objectives import cross_entropy, sample_weights
from vidence.training.packing import Pack
from vidence.training.rows import RowStream
from vidence.training.stages.stage import Loss, Run


@dataclass(frozen=True, slots=True)
class _Taken:
    """Rows of a step, the places in the data behind them, what could not be used, and how many samples so far."""

    packs: Sequence[Pack]
    state: dict[str, Any]
    faults: Sequence[str]
    bad: int


class Supervised:
    """Learn the words of samples, and a teacher's predictions where there is one."""

    def __init__(self, run: Run, teacher: Learner | None = None) -> None:
        self.run, self.config, self.teacher = run, run.config.learn, teacher
        self.rows: dict[int, RowStream] = {}
        self._beside = ThreadPoolExecutor(1)  # makes the next step's rows while this one's are learned
        self._next: Future[_Taken] | None = None
        self._now = _Taken((), {}, (), 0)

    def begin(self, phase: PhasePart, number: int) -> None:
        """Start a phase: each of a step's rows has a stream of its own."""
        wait([self._next] if self._next else [])  # it draws on the last phase's
        self._next = None
        self.phase, self.chat = phase, self.run.workshop.preparer.chat(phase)
        processes, preparer = self.run.processes, self.run.workshop.preparer
        mine, begun = range(processes.row, phase.packs, processes.rows), uuid4().hex
        self.rows = {each: RowStream(preparer, begun, number, each, phase.packs) for each in mine}

    def packs(self, step: int) -> Sequence[Pack]:
        """Return the next rows."""
        del step
        coming = self._next or self._beside.submit(self._taken)
        self._now = coming.result()
        self._next = self._beside.submit(self._taken)
        for fault in self._now.faults:
            self.run.log.fault(fault)
        return self._now.packs

    def _taken(self) -> _Taken:
        taken = [rows.take() for rows in self.rows.values()]
        packs = [pack.to(self.run.processes.device) for pack, _ in taken]
        faults = [fault for _, each in taken for fault in each]
        state = {str(number): rows.state() for number, rows in self.rows.items()}
        return _Taken(packs, state, faults, sum(rows.bad for rows in self.rows.values()))

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
        return {"bad_samples": self.run.processes.total(self._now.bad)[0]}

    def state(self) -> dict[str, Any]:
        """Return the places in the data, by stream."""
        return self._now.state

    def restore(self, states: Sequence[dict[str, Any]]) -> None:
        """Go on from places in the data, whichever process was there."""
        every = {int(number): state for each in states for number, state in each.items()}
        for number, rows in self.rows.items():
            rows.restore(every[number])
