"""The concept map: which knowledge points must be understood before which.

A point needs another when its definition names the other, or when the passages that teach it refer to the other more
than the other's refer to it (reference distance: Liang and others 2015), and the other is introduced no later. What
follows from other arrows is left out, and there are no circles.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from vidence.apps.study.knowledge import KnowledgePoint
from vidence.apps.study.passages import Passage, term_stems

LEAST = 0.3
DEFINED = 0.6  # what a mention in the definition counts
CUED = 0.4  # what words such as "builds on" count
ASKED_S = 25  # seconds after which a passage no longer teaches what was introduced before it
_CUE = re.compile(
    r"\b(?:requires?|needs?|builds? on|based on|depends? on|relies on|uses?|using|with the help of|recall|"
    r"braucht|benötigt|beruht auf|baut auf|nécessite|repose sur|requiere|necesita|se basa en|需要|基于|依赖)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Need:
    """`point` is understood only with `needs` (both are ids); `source` is the passage that says so."""

    point: str
    needs: str
    weight: float
    why: str
    source: Passage

    def to_json(self) -> dict[str, Any]:
        """Write as JSON values."""
        return {
            "point": self.point,
            "needs": self.needs,
            "weight": round(self.weight, 3),
            "why": self.why,
            **self.source.span.to_json(),
        }


def find_needs(points: Sequence[KnowledgePoint], passages: Sequence[Passage]) -> list[Need]:
    """Return the arrows of the concept map."""
    taught = {point.id: _teaching(point, passages, points) for point in points}
    found: list[Need] = []
    defined = [point for point in points if point.source is not None]
    for point in defined:
        for other in defined:
            if other.id != point.id and (need := _need(point, other, taught)) is not None:
                found.append(need)
    strongest = sorted(found, key=lambda need: -need.weight)
    kept: list[Need] = []
    for need in strongest:
        if not _reaches(need.needs, need.point, kept):  # else a circle
            kept.append(need)
    return [need for need in kept if not _follows(need, kept)]


def _need(point: KnowledgePoint, other: KnowledgePoint, taught: dict[str, list[Passage]]) -> Need | None:
    own, theirs = taught[point.id], taught[other.id]
    naming = [passage for passage in own if _names(other, passage, point)]
    back = [passage for passage in theirs if _names(point, passage, other)]
    weight = len(naming) / max(len(own), 1) - len(back) / max(len(theirs), 1)
    source, why = (naming[0] if naming else None), "is explained with it"
    if point.source is not None and _names(other, point.source, point):
        weight, source, why = weight + DEFINED, point.source, "its definition names it"
    if other.source is not None and _names(point, other.source, other):
        weight -= DEFINED
    cued = next((p for p in naming if (cue := _CUE.search(p.text)) and _after(other, p, cue.end())), None)
    if cued is not None:
        weight, source, why = weight + CUED, cued, f"“{_CUE.search(cued.text)[0]}”"  # type: ignore[index]
    if source is None or weight < LEAST:
        return None
    if (
        other.first > point.first
        and not (point.source is not None and _names(other, point.source, point))
        and cued is None
    ):
        return None
    return Need(point.id, other.id, min(weight, 1.0), why, source)


def _teaching(
    point: KnowledgePoint, passages: Sequence[Passage], points: Sequence[KnowledgePoint]
) -> list[Passage]:
    """Return what is said about a point: its definition and what follows until another is defined."""
    if point.source is None:
        return [p for p in passages if p.how == "said" and set(point.stems) <= p.stems]
    starts = [
        p.source.span.start
        for p in points
        if p.source is not None and p.source.span.start > point.source.span.start
    ]
    until = min([*starts, point.source.span.start + ASKED_S])
    return [p for p in passages if p.how == "said" and point.source.span.start <= p.span.start < until]


def _names(point: KnowledgePoint, passage: Passage, about: KnowledgePoint) -> bool:
    """Say whether a passage names a point, other than inside the name of the one it is about."""
    if not set(point.stems) <= passage.stems:
        return False
    if not set(point.stems) <= set(about.stems):
        return True
    words = term_stems(passage.text)
    return _count(point.stems, words) > _count(about.stems, words)


def _count(part: tuple[str, ...], words: Sequence[str]) -> int:
    return sum(tuple(words[at : at + len(part)]) == part for at in range(len(words) - len(part) + 1))


def _after(point: KnowledgePoint, passage: Passage, at: int) -> bool:
    return set(point.stems) <= set(term_stems(passage.text[at:]))


def _reaches(start: str, goal: str, needs: Sequence[Need]) -> bool:
    """Say whether `goal` is needed, over any number of arrows, for `start`."""
    open_, seen = [start], set()
    while open_:
        here = open_.pop()
        if here == goal:
            return True
        if here not in seen:
            seen.add(here)
            open_ += [need.needs for need in needs if need.point == here]
    return False


def _follows(need: Need, needs: Sequence[Need]) -> bool:
    """Say whether an arrow follows from others."""
    others = [other for other in needs if other is not need]
    return any(_reaches(other.needs, need.needs, others) for other in others if other.point == need.point)
