"""Summaries of three lengths, extractive: every sentence was said, or stands on a slide.

Sentences are ranked by how many others say the like (LexRank: Erkan and Radev 2004, on vectors of meaning) and by the
knowledge points they define, then chosen so that they do not repeat one another and every chapter has its share.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from vidence.apps.study.chapters import Chapter
from vidence.apps.study.knowledge import KnowledgePoint
from vidence.apps.study.passages import Passage
from vidence.senses.language import embed
from vidence.timeline import Span

LEAST_WORDS = 5
ALIKE = 0.25  # cosine from which two sentences say the like
DAMPING = 0.85
REPEATS = 0.6  # weight of likeness to what is chosen already
LENGTHS = {"short": 2, "medium": 6, "long": 18}
"""Sentences of each length, at most; never more than two thirds of all."""

A_CHAPTER = {"short": 0, "medium": 1, "long": 3}
_DEFINES, _NAMES = 0.5, 0.15


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence of a summary, and where it was said."""

    text: str
    span: Span
    passage: Passage

    def to_json(self) -> dict[str, Any]:
        """Write as JSON values."""
        return {"text": self.text, **self.span.to_json(), "how": self.passage.how}


def summarise(
    passages: Sequence[Passage], points: Sequence[KnowledgePoint], chapters: Sequence[Chapter]
) -> dict[str, list[Sentence]]:
    """Return the sentences of each length, in order of time."""
    said = [p for p in passages if p.how == "said" and _whole(p.text)]
    told = said or [p for p in passages if p.how == "written" and len(p.text.split()) >= 3]
    told = list({" ".join(p.text.casefold().split()): p for p in reversed(told)}.values())[::-1]  # each once
    if not told:
        return {length: [] for length in LENGTHS}
    vectors = embed([p.text for p in told])
    worth = _ranked(vectors) + np.array([_teaches(p, points) for p in told])
    where = [next((c.number for c in chapters if p.span.start in c.span), 0) for p in told]
    result = {}
    for length, most in LENGTHS.items():
        count = min(most, max(len(told) * 2 // 3, 1))
        chosen = _chosen(vectors, worth, where, count, A_CHAPTER[length])
        result[length] = [Sentence(told[n].text, told[n].span, told[n]) for n in sorted(chosen)]
    return result


def _whole(text: str) -> bool:
    return (
        len(text.split()) >= LEAST_WORDS or (len(text) >= 12 and not text.isascii())
    ) and not text.endswith("?")


def _ranked(vectors: np.ndarray) -> np.ndarray:
    """Return the stationary weight of each sentence, 0 to 1."""
    likes = np.maximum(vectors @ vectors.T, 0.0)
    likes[likes < ALIKE] = 0.0
    np.fill_diagonal(likes, 0.0)
    sums = likes.sum(axis=1, keepdims=True)
    moves = np.divide(likes, sums, out=np.full_like(likes, 1 / len(likes)), where=sums > 0)
    weight = np.full(len(likes), 1 / len(likes))
    for _ in range(30):
        weight = (1 - DAMPING) / len(likes) + DAMPING * weight @ moves
    return weight / max(float(weight.max()), 1e-9)


def _teaches(passage: Passage, points: Sequence[KnowledgePoint]) -> float:
    most = max((point.weight for point in points), default=1.0) or 1.0
    defined = sum(_DEFINES * p.weight / most for p in points if p.source is passage)
    named = sum(_NAMES * p.weight / most for p in points if set(p.stems) <= passage.stems)
    return defined + min(named, 0.45)


def _chosen(
    vectors: np.ndarray, worth: np.ndarray, where: Sequence[int], count: int, a_chapter: int
) -> list[int]:
    chosen: list[int] = []
    for chapter in dict.fromkeys(where) if a_chapter else ():
        inside = [n for n in range(len(worth)) if where[n] == chapter]
        for _ in range(min(a_chapter, max(len(inside) // 2, 1))):
            if len(chosen) < count and (left := [n for n in inside if n not in chosen]):
                chosen.append(_best(left, chosen, vectors, worth))
    while len(chosen) < count:
        chosen.append(_best([n for n in range(len(worth)) if n not in chosen], chosen, vectors, worth))
    return chosen


def _best(left: Sequence[int], chosen: Sequence[int], vectors: np.ndarray, worth: np.ndarray) -> int:
    def value(n: int) -> float:
        like = max((float(vectors[n] @ vectors[m]) for m in chosen), default=0.0)
        return float(worth[n]) - REPEATS * like

    return max(left, key=lambda n: (value(n), -n))
