"""The names that the classifier can give: 1000 ImageNet classes, and 200 kinds that gather them.

A fine class is often wrong where its kind is right (three breeds share the mass of one dog), and people ask
for "dog", "bird" or "kitchen": so the probability of a kind is the sum over its classes.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib import resources

import numpy as np


@dataclass(frozen=True, slots=True)
class ClassName:
    """One class: its place among the outputs is its place in `classes()`."""

    synset: str  # WordNet 3.0 offset, as ImageNet names it
    name: str
    others: tuple[str, ...]
    kinds: tuple[str, ...]  # general to special


@dataclass(frozen=True, slots=True)
class Kinds:
    """All kinds, sorted by name, with the classes each gathers."""

    names: tuple[str, ...]
    others: tuple[tuple[str, ...], ...]
    members_CK: np.ndarray  # float32: 1 where class C is of kind K

    @property
    def share_K(self) -> np.ndarray:
        """Share of all classes that each kind gathers: what chance alone would give it."""
        return self.members_CK.mean(axis=0)


def _rows(file: str) -> list[list[str]]:
    text = resources.files("vidence.senses.looks").joinpath("data", file).read_text(encoding="utf-8")
    return [line.split("\t") for line in text.splitlines() if not line.startswith("#")]


def _parts(cell: str) -> tuple[str, ...]:
    return tuple(part for part in cell.split("|") if part)


@cache
def classes() -> tuple[ClassName, ...]:
    """Return the 1000 classes in the order of the classifier's outputs."""
    return tuple(ClassName(row[0], row[1], _parts(row[2]), _parts(row[3])) for row in _rows("imagenet.tsv"))


@cache
def kinds() -> Kinds:
    """Return the kinds with their members."""
    rows = _rows("kinds.tsv")
    place = {row[0]: k for k, row in enumerate(rows)}
    members = np.zeros((len(classes()), len(rows)), np.float32)
    for c, one in enumerate(classes()):
        members[c, [place[kind] for kind in one.kinds]] = 1.0
    return Kinds(tuple(place), tuple(_parts(row[1]) for row in rows), members)
