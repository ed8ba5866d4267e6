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
from vidence.training.stream import Order, Stream, Where

PHASES, PHASE_SAMPLES = (
    100,
    1_000_000,
)  # of a source without end, each phase of each seed has so many to itself
HELD_OUT = 10**12  # and from here on they are held out


@dataclass(frozen=True, slots=True)
class Run:
    """What all stages share. `whole` gives the model unsharded, as it is now: to sample from and to measure with."""

    config: Config
    learner: Learner
    whole: Callable[[], Learner]
    workshop: Workshop
    processes: Processes
    log: Log

    def streams(self, wanted: str, phase: int, count: int) -> dict[int, Stream[Any]]:
        """Return by number those of `count` streams of a phase's samples that are this process' own.

        `wanted` is what is made of a sample, as `Preparer` names it.
        """
        config, preparer = self.config, self.workshop.preparer
        mine = range(self.processes.row, count, self.processes.rows)

        def make(where: Where) -> Future[Any]:
            return self.workshop.order(wanted, phase, where)

        def stream(number: int) -> Stream[Any]:
            sizes = [source.size for source in preparer.sources(phase)]
            shares = [part.share for part in config.sources]
            seed = config.seed * PHASES + phase
            order = Order(sizes, shares, seed, seed * PHASE_SAMPLES)
            ahead = max(4 * config.workers // max(len(mine), 1), 1)
            return Stream(
                order,
                make,
                number=number,
                streams=count,
                ahead=ahead,
                bad_share=config.bad_share,
                tell=self.log.fault,
            )

        return {number: stream(number) for number in mine}

    def held_out(self, phase: PhasePart) -> list[Sample]:
        """Return this process' share of the samples that are measured on, the same every time."""
        config, processes = self.config, self.processes
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
