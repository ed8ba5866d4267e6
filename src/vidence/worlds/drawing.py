"""Chance that is the same everywhere: generators seeded by text, and draws that cost one number each."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from random import Random
from typing import TypeVar

Item = TypeVar("Item")


def generator(*purpose: object) -> Random:
    """Return a generator that depends on the words of its purpose alone, on every machine."""
    digest = hashlib.sha256("/".join(map(str, purpose)).encode()).digest()
    return Random(int.from_bytes(digest[:8], "big"))


def pick(rng: Random, items: Sequence[Item]) -> Item:
    """Draw one item by exactly one number, so that draws after it do not depend on how many items there were."""
    return items[int(rng.random() * len(items))]


def some(rng: Random, items: Sequence[Item], most: int) -> list[Item]:
    """Draw up to `most` different places of `items`, in random order, by one number each."""
    left, drawn = list(items), []
    while left and len(drawn) < most:
        drawn.append(left.pop(int(rng.random() * len(left))))
    return drawn


def held_out(*what: object) -> bool:
    """Say whether a combination belongs to the test split: about one in four does, for ever the same."""
    return hashlib.sha256("/".join(map(str, what)).encode()).digest()[0] < 64
