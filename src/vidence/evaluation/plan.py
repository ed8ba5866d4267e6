"""Which questions of a benchmark a run asks."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

from vidence.evaluation.item import Item


@dataclass(frozen=True, slots=True)
class Plan:
    """Which questions are asked: of a split `limit` drawn by `seed`, and of those every `shards`-th from `shard`."""

    split: str
    limit: int | None = None
    seed: int = 0
    shard: int = 0
    shards: int = 1
    control: bool = True  # each is guessed without the video as well
    subtitles: bool = False  # what is said is given in writing, as the benchmark comes with it

    def chosen(self, items: Sequence[Item]) -> list[Item]:
        """Return the questions of this run, by video, so that each is opened once."""
        some = list(items)
        if self.limit is not None and self.limit < len(some):
            some = random.Random(self.seed).sample(some, self.limit)
        order = {item.id: at for at, item in enumerate(items)}
        some.sort(key=lambda item: (item.video, order[item.id]))
        return some[self.shard :: self.shards] if self.shards > 1 else some
