"""Samples in a fixed order from several sources, prepared ahead, with account kept of those that cannot be used.

The order depends on the seed alone, so a stream is resumed from counts. Of several streams side by side, number p of P
is given samples p, p + P, p + 2 P: what a run sees does not depend on how many processes it has.
"""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from vidence.errors import UsageError

Item = TypeVar("Item")
Where = tuple[int, int]
"""A source, and the number of a sample in it."""

JUDGED_AFTER = 50  # samples before the share of bad ones may stop a run
TOLD = 5  # bad samples named in the error that stops it


@dataclass(slots=True)
class Account:
    """How many samples were asked for, and which could not be used."""

    share: float
    seen: int = 0
    bad: int = 0
    named: list[str] = field(default_factory=list)

    def add(self, fault: str | None) -> None:
        """Count a sample.

        Raises:
            UsageError: too many were bad.
        """
        self.seen += 1
        if fault is None:
            return
        self.bad += 1
        self.named.append(fault)
        if self.seen >= JUDGED_AFTER and self.bad > self.share * self.seen:
            last = "; ".join(self.named[-TOLD:])
            raise UsageError(
                f"{self.bad} of {self.seen} samples could not be used, more than bad_share allows: {last}"
            )


class Order:
    """Which sample comes when: sources in their shares, each one's samples shuffled anew every time through.

    Those of a source without end come in order from number `first`.
    """

    def __init__(
        self, sizes: Sequence[int | None], shares: Sequence[float], seed: int, first: int = 0
    ) -> None:
        self.sizes, self.seed, self.first = list(sizes), seed, first
        self.shares = [share / sum(shares) for share in shares]
        self.counts = [0] * len(sizes)
        self._shuffled: dict[tuple[int, int], list[int]] = {}

    def __next__(self) -> Where:
        """Return the source that is furthest behind its share, and the number of its next sample."""
        total = sum(self.counts) + 1
        chosen = max(range(len(self.sizes)), key=lambda at: self.shares[at] * total - self.counts[at])
        count, size = self.counts[chosen], self.sizes[chosen]
        self.counts[chosen] += 1
        if size is None:
            return chosen, self.first + count
        return chosen, self._epoch(chosen, count // size, size)[count % size]

    def _epoch(self, source: int, epoch: int, size: int) -> list[int]:
        if (source, epoch) not in self._shuffled:
            numbers = list(range(size))
            random.Random(f"{self.seed} {source} {epoch}").shuffle(numbers)
            self._shuffled = {key: kept for key, kept in self._shuffled.items() if key[0] != source}
            self._shuffled[source, epoch] = numbers
        return self._shuffled[source, epoch]


class Stream(Generic[Item]):
    """Have samples prepared some ahead, in order; what cannot be used is named and left out."""

    def __init__(
        self,
        order: Order,
        make: Callable[[Where], Future[Any]],
        *,
        number: int = 0,
        streams: int = 1,
        ahead: int = 1,
        bad_share: float = 0.02,
        tell: Callable[[str], None] = lambda fault: None,
    ) -> None:
        self.order, self.make, self.tell = order, make, tell
        self.number, self.streams, self.ahead, self.taken = number, streams, ahead, 0
        self.account = Account(bad_share)
        self._coming: deque[tuple[Where, Future[Any]]] = deque()

    def __iter__(self) -> Iterator[tuple[Where, Item]]:
        return self

    def __next__(self) -> tuple[Where, Item]:
        """Return the next usable sample, with its source and number."""
        while True:
            while len(self._coming) < self.ahead:
                where = self._choose()
                self._coming.append((where, self.make(where)))
            where, coming = self._coming.popleft()
            item, fault = coming.result()
            self.taken += 1
            if fault is not None:
                self.tell(fault)
            self.account.add(fault)
            if fault is None:
                return where, item

    def at(self, where: Where) -> Item:
        """Have one sample prepared again."""
        return self.make(where).result()[0]

    def state(self) -> dict[str, Any]:
        """Return what it takes to go on from here."""
        return {"taken": self.taken, "seen": self.account.seen, "bad": self.account.bad}

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from where another stream of this order was."""
        for _ in range(state["taken"]):
            self._choose()
        self.taken = state["taken"]
        self.account.seen, self.account.bad = state["seen"], state["bad"]

    def _choose(self) -> Where:
        chosen = [next(self.order) for _ in range(self.streams)]
        return chosen[self.number]
