"""Chapters: stretches of one topic, from slides and from what is said to them.

Time is cut into units, at slides and at sentences; each is described by the meaning of its words. Borders are placed so
that the scatter within chapters, and a price for each border, is least (as scenes are, see `memory.scenes`). A border
is cheap where a slide begins that has a heading of its own, dear within one slide.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from vidence.apps.study.knowledge import KnowledgePoint
from vidence.apps.study.passages import Passage
from vidence.apps.study.slides import Slide
from vidence.memory.scenes import borders
from vidence.senses.language import embed, normalise
from vidence.timeline import Instant, Span, clock

UNIT_S = 30  # longest unit
SHORTEST_S = 10  # of a chapter, unless the video is short
PRICE_S = (5.0, 60.0)  # seconds of unit squared distance, least and most
PRICE_SHARE = 1 / 14  # of the length
WITHIN = 4.0  # times the price, where no slide begins
SAME_TITLE = 8.0  # times the price, where the slide before has the same heading
SLIDE_WEIGHT = 0.6  # of the heading and lines beside the speech


@dataclass(frozen=True, slots=True)
class Chapter:
    """One chapter; `slides` and `points` are what is shown and taught in it."""

    number: int
    span: Span
    title: str
    slides: tuple[int, ...] = ()
    points: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Write as JSON values."""
        return {
            "number": self.number,
            **self.span.to_json(),
            "title": self.title,
            "slides": list(self.slides),
            "points": list(self.points),
        }


@dataclass(frozen=True, slots=True)
class _Unit:
    span: Span
    slide: Slide | None
    begins: bool  # a slide is first seen at its start
    text: str


def find_chapters(
    slides: Sequence[Slide], passages: Sequence[Passage], points: Sequence[KnowledgePoint], whole: Span
) -> list[Chapter]:
    """Return the chapters; together they cover the video."""
    units = _units(slides, passages, whole)
    if not units:
        return []
    spans = _merged(_grouped(units, whole), whole)
    chapters: list[Chapter] = []
    for n, span in enumerate(spans, 1):
        shown = [slide for slide in slides if any(_mostly(part, span) for part in slide.appearances)]
        first = [slide for slide in shown if slide.first in span]
        taught = sorted((p for p in points if p.moment in span), key=lambda p: p.moment)
        title = _title(first, taught, [p for p in passages if p.span.middle in span], chapters)
        chapters.append(
            Chapter(
                n,
                span,
                title or clock(span.start, millis=False),
                tuple(s.number for s in shown),
                tuple(p.id for p in taught),
            )
        )
    return chapters


def _mostly(part: Span, span: Span) -> bool:
    inside = part.intersection(span)
    return inside is not None and inside.duration * 2 >= part.duration and bool(inside.duration)


def _units(slides: Sequence[Slide], passages: Sequence[Passage], whole: Span) -> list[_Unit]:
    """Cut time at slides, and within them where a sentence begins after `UNIT_S` seconds."""
    shown = sorted(
        ((part, slide) for slide in slides for part in slide.appearances), key=lambda pair: pair[0]
    )
    edges: dict[Instant, tuple[Slide | None, bool]] = {whole.start: (None, False)}
    for part, slide in shown:
        edges[max(part.start, whole.start)] = (slide, part == slide.appearances[0])
    said = [p for p in passages if p.how == "said"]
    starts = sorted(edges)
    for begin, end in zip(starts, [*starts[1:], whole.end], strict=True):
        last = begin
        for passage in said:
            if passage.span.start > last + UNIT_S and passage.span.start < end - 5:
                edges[passage.span.start] = (edges[begin][0], False)
                last = passage.span.start
    starts = sorted(edges)
    units = []
    for begin, end in zip(starts, [*starts[1:], whole.end], strict=True):
        span = Span(begin, max(end, begin))
        words = " ".join(p.text for p in said if span.start <= p.span.middle < span.end)
        units.append(_Unit(span, *edges[begin], words))
    return [unit for unit in units if unit.span.duration] or units[:1]


def _grouped(units: Sequence[_Unit], whole: Span) -> list[Span]:
    said = embed([unit.text for unit in units])
    shown = embed([unit.slide.text.replace("\n", ". ") if unit.slide else "" for unit in units])
    rows = said + SLIDE_WEIGHT * shown
    norms = np.linalg.norm(rows, axis=1, keepdims=True)
    rows = rows / np.maximum(norms, 1e-6)
    known = norms[:, 0] > 1e-3
    rows[~known] = rows[known].mean(0) if known.any() else 0.0
    weights = np.array([min(float(unit.span.duration), 2.0 * UNIT_S) for unit in units])
    price = min(max(float(whole.duration) * PRICE_SHARE, PRICE_S[0]), PRICE_S[1])
    prices, before = [], None
    for unit in units:
        title = normalise(unit.slide.title) if unit.slide else None
        factor = 1.0 if unit.begins else WITHIN
        if title is not None and title == before:
            factor = SAME_TITLE
        prices.append(price * factor)
        before = title or before
    first = borders(rows.astype(np.float64), weights, prices)
    ends = [*first[1:], len(units)]
    return [Span(units[a].span.start, units[b - 1].span.end) for a, b in zip(first, ends, strict=True)]


def _merged(spans: Sequence[Span], whole: Span) -> list[Span]:
    """Give chapters that are too short to the one before."""
    least = min(Fraction(SHORTEST_S), whole.duration / 6)
    kept: list[Span] = []
    for span in spans:
        if (kept and span.duration < least) or (kept and kept[-1].duration < least and len(kept) == 1):
            kept[-1] = kept[-1].hull(span)
        else:
            kept.append(span)
    return kept


def _title(
    slides: Sequence[Slide],
    points: Sequence[KnowledgePoint],
    passages: Sequence[Passage],
    before: Sequence[Chapter],
) -> str:
    """Name a chapter by its first heading, else by what it teaches, else by its words."""
    taken = {chapter.title for chapter in before}
    for slide in slides:
        if sum(c.isalpha() for c in slide.title) >= 3 and slide.title not in taken:
            return slide.title
    if points:
        return ", ".join(point.name for point in sorted(points, key=lambda p: -p.weight)[:3])
    words = Counter(
        word.strip(".,;:!?\"'()").lower()
        for p in passages
        for word in p.text.split()
        if len(word) > 4 and set(_stems(word)) & p.stems
    )
    return ", ".join(word for word, _ in words.most_common(3))


def _stems(word: str) -> list[str]:
    from vidence.senses.language import stems

    return stems(word)
