"""Rows made ready ahead of the loop, where there are workers in processes beside it: a GPU learns a row sooner than one
process draws, writes and packs it.

Each of a step's rows has a stream of its own. What it gives does not depend on how many processes learn, but on how
many workers each has: a stream's samples are dealt to them, and its rows come from each in turn.
"""

from __future__ import annotations

from collections import deque
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from typing import Any

from vidence.training.loading import outline
from vidence.training.packing import Pack, chosen, packed
from vidence.training.preparing import Preparer, done, preparer, processes
from vidence.training.stream import Stream, Where
from vidence.training.trajectory import Trajectory

WINDOW = 32  # trajectories at least that wait for a row they fit in
AHEAD = 2  # rows that each worker is asked for


class Rows:
    """Group a stream of trajectories into rows of at most so many tokens; one that is longer is bad, never cut."""

    def __init__(self, stream: Stream[Trajectory], window: int = WINDOW) -> None:
        self.stream, self.window = stream, window
        self._waiting = list[tuple[Where, Trajectory]]()

    def take(self, tokens: int) -> list[Trajectory]:
        """Return the next row."""
        while self._few(tokens):
            self._waiting.append(next(self.stream))
        taken = chosen([one.length for _, one in self._waiting], tokens)
        row = [self._waiting[at][1] for at in taken]
        self._waiting = [each for at, each in enumerate(self._waiting) if at not in taken]
        return row

    def state(self) -> dict[str, Any]:
        """Return what it takes to go on from here."""
        return {"stream": self.stream.state(), "waiting": [where for where, _ in self._waiting]}

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from where other rows of this stream were."""
        self.stream.restore(state["stream"])
        self._waiting = [(tuple(where), self.stream.at(tuple(where))) for where in state["waiting"]]

    def _few(self, tokens: int) -> bool:
        """Tell whether there is little to choose from for a row."""
        return len(self._waiting) < self.window or sum(one.length for _, one in self._waiting) < 2 * tokens


@dataclass(frozen=True, slots=True)
class Made:
    """A row, the place in the data behind it, what could not be used for it, and how many samples that are so far."""

    pack: Pack
    state: dict[str, Any]
    faults: tuple[str, ...]
    bad: int


@dataclass(frozen=True, slots=True)
class Share:
    """A worker's share of the samples of a phase: number `number` of `count`. `begun` tells one beginning of it from
    another."""

    config: str = field(repr=False)
    begun: str
    phase: int
    number: int
    count: int


class Maker:
    """Make the rows of one share."""

    def __init__(self, share: Share, preparer: Preparer, state: dict[str, Any] | None) -> None:
        self._faults = list[str]()

        def make(where: Where) -> Future[Any]:
            return done(preparer.tried("trajectory", share.phase, where))

        model = outline(preparer.config.model.path)
        self._place, self._merge = model.place, model.merge
        self._tokens = preparer.config.phases[share.phase].pack_tokens
        number, count = share.number, share.count
        tell = self._faults.append
        self.rows = Rows(preparer.stream(share.phase, make, number=number, streams=count, ahead=1, tell=tell))
        if state is not None:
            self.rows.restore(state)

    def make(self) -> Made:
        """Make the next."""
        pack = packed(self.rows.take(self._tokens), self._place, self._merge)
        faults, bad = tuple(self._faults), self.rows.stream.account.bad
        self._faults.clear()
        return Made(replace(pack, trajectories=()), self.rows.state(), faults, bad)  # tensors travel once


class RowStream:
    """One stream of rows, number `number` of `count`."""

    def __init__(
        self,
        preparer: Preparer,
        begun: str,
        phase: int,
        number: int,
        count: int,
    ) -> None:
        self._preparer = preparer
        config, parts = preparer.config, max(preparer.config.workers, 1)
        written = config.model_dump_json()
        self._shares = [
            Share(written, begun, phase, number * parts + part, count * parts) for part in range(parts)
        ]
        self._states: list[dict[str, Any] | None] = [None for _ in self._shares]
        self._bad = [0 for _ in self._shares]
        self._coming = [deque[Future[Made]]() for _ in self._shares]
        self._taken = 0
        self._inline: Maker | None = None

    @property
    def bad(self) -> int:
        """Return how many samples could not be used so far."""
        return sum(self._bad)

    def take(self) -> tuple[Pack, tuple[str, ...]]:
        """Return the next row, and what could not be used for it.

        Raises:
            UsageError: too many samples could not be used.
        """
        part = self._taken % len(self._shares)
        made = self._next(part)
        self._taken, self._states[part], self._bad[part] = self._taken + 1, made.state, made.bad
        return made.pack, made.faults

    def state(self) -> dict[str, Any]:
        """Return what it takes to go on from here."""
        return {"taken": self._taken, "parts": list(self._states), "bad": list(self._bad)}

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from where another was."""
        self._taken, self._states, self._bad = state["taken"], list(state["parts"]), list(state["bad"])

    def _next(self, part: int) -> Made:
        if not self._preparer.config.workers:
            self._inline = self._inline or Maker(self._shares[0], self._preparer, self._states[0])
            return self._inline.make()
        for at, coming in enumerate(self._coming):  # all of them, that none waits for its turn to begin
            while len(coming) < AHEAD:
                coming.append(processes(1, at + 1).submit(_made, self._shares[at], self._states[at]))
        return self._coming[part].popleft().result()


_makers: dict[Share, Maker] = {}
"""Of this worker: those of the phase that is under way."""


def _made(share: Share, state: dict[str, Any] | None) -> Made:
    maker = _makers.get(share)
    if maker is None:
        for each in [each for each in _makers if each.begun != share.begun]:
            del _makers[each]
        maker = _makers[share] = Maker(share, preparer(share.config), state)
    return maker.make()
