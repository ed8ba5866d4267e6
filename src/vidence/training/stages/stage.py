"""What a stage is, and what it works with."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any, Protocol

from torch import Tensor

from vidence.training.config import Config, PhasePart
from vidence.training.learner import Learner
from vidence.training.log import Log
from vidence.training.packing import Pack
from vidence.training.parallel import Processes
from vidence.training.preparing import Workshop
from vidence.training.sources import Sample, open_source
from vidence.training.stream import Stream, Where

HELD_OUT = 10**12  # of a source without end, samples from here on are held out


@dataclass(frozen=True, slots=True)
class Run:
    """What all stages share. `whole` gives the model unsharded, as it is now: to sample from and to measure with."""

    config: Config
    learner: Learner
    whole: Callable[[], Learner]
    workshop: Workshop
    processes: Processes
    log: Log

    def questions(self, phase: int) -> Stream[Sample]:
        """Return the questions of a phase that are this process' own."""

        def make(where: Where) -> Future[Any]:
            return self.workshop.question(phase, where)

        return self.workshop.preparer.stream(
            phase,
            make,
            number=self.processes.row,
            streams=self.processes.rows,
            ahead=max(4 * self.config.workers, 1),
            tell=self.log.fault,
        )

    def held_out(self, phase: PhasePart) -> list[Sample]:
        """Return this process' share of the samples that are measured on, the same every time.

        They are as their sources say, whatever the phase draws, and seen as the phase sees.
        """
        config, processes = self.config, self.processes
        phase = phase.model_copy(update={"duration_s": None, "level": None})
        wanted = range(processes.row, config.held_out_samples, processes.rows)
        sources = [open_source(part, phase) for part in config.held_out]
        return [_held_out(sources, number) for number in wanted] if sources else []


@dataclass(frozen=True, slots=True)
class Loss:
    """A row's loss, a sum over what weighs in it, and further sums by name with what each is to be divided by."""

    value: Tensor
    sums: Mapping[str, tuple[float, float]] = field(default_factory=dict)


class Stage(Protocol):
    """One of the four."""

    def begin(self, phase: PhasePart, number: int) -> None:
        """Start a phase."""
        ...

    def packs(self, step: int) -> Sequence[Pack]:
        """Return this process' rows of a step; they may be none."""
        ...

    def weight(self, pack: Pack) -> float:
        """Return what a row weighs in the step's mean."""
        ...

    def loss(self, pack: Pack) -> Loss:
        """Return a row's loss, with its gradient."""
        ...

    def measure(self) -> dict[str, float]:
        """Return numbers on held-out samples."""
        ...

    def told(self) -> dict[str, float]:
        """Return numbers about the step that was just prepared, alike on all processes."""
        ...

    def state(self) -> dict[str, Any]:
        """Return what it takes to go on from here."""
        ...

    def restore(self, states: Sequence[dict[str, Any]]) -> None:
        """Go on from where another run was, given what each of its processes returned."""
        ...


def _held_out(sources: Sequence[Any], number: int) -> Sample:
    source = sources[number % len(sources)]
    at = number // len(sources)
    return source.sample(HELD_OUT + at if source.size is None else at % source.size)
