"""A quiz whose answers were said or shown: each question has its answer, and where it is found."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

from vidence.apps.study.concepts import Need
from vidence.apps.study.knowledge import KnowledgePoint
from vidence.apps.study.onscreen import OnScreen
from vidence.apps.study.passages import term_stems
from vidence.apps.study.slides import Slide
from vidence.timeline import Span

MOST = 30
OPTIONS = 4
BLANK = "_____"


@dataclass(frozen=True, slots=True)
class QuizItem:
    """One question. `options` is empty for an open one; `quote` is the passage that answers it, at `span`."""

    question: str
    answer: str
    options: tuple[str, ...]
    span: Span
    quote: str
    point: str = ""

    def to_json(self) -> dict[str, Any]:
        """Write as JSON values."""
        return {
            "question": self.question,
            "answer": self.answer,
            "options": list(self.options),
            **self.span.to_json(),
            "quote": self.quote,
            "point": self.point,
        }


def make_quiz(
    points: Sequence[KnowledgePoint],
    needs: Sequence[Need],
    on_screen: Sequence[OnScreen],
    slides: Sequence[Slide],
    seed: str,
) -> list[QuizItem]:
    """Make questions, in order of time; the same video gives the same ones. Only what bore its check is asked."""
    rng = Random(seed)
    sure = [point for point in points if point.source is not None and point.certain]
    names = [point.name for point in sure]
    items: list[QuizItem] = []
    for point in sure:
        assert point.source is not None
        hidden = blanked(point.definition, point)
        if hidden is None:
            continue
        wrong = [
            name for name in names if name != point.name and not set(term_stems(name)) <= set(point.stems)
        ]
        options = _shuffled([point.name, *rng.sample(wrong, min(OPTIONS - 1, len(wrong)))], rng)
        items.append(
            QuizItem(
                f"Which term is missing? “{hidden}”",
                point.name,
                tuple(options) if len(options) >= 3 else (),
                point.source.span,
                point.source.text,
                point.id,
            )
        )
    by_id = {point.id: point for point in points}
    for need in needs:
        point, other = by_id[need.point], by_id[need.needs]
        if not (point.certain and other.certain):
            continue
        needed = {n.needs for n in needs if n.point == point.id}
        wrong = [p.name for p in sure if p.id not in needed | {point.id} and p.first > point.first]
        if len(wrong) >= 2:
            options = _shuffled([other.name, *rng.sample(wrong, min(OPTIONS - 1, len(wrong)))], rng)
            question = f"What should be understood before “{point.name}”?"
            items.append(
                QuizItem(question, other.name, tuple(options), need.source.span, need.source.text, point.id)
            )
    titles = {slide.number: slide.title for slide in slides}
    formulas = [one for one in on_screen if one.kind == "formula"]
    for one in formulas:
        wrong = [other.text for other in formulas if other.text != one.text]
        if titles.get(one.slide) and titles[one.slide] != one.text:
            options = _shuffled([one.text, *rng.sample(wrong, min(OPTIONS - 1, len(wrong)))], rng)
            question = f"Which formula stands on the slide “{titles[one.slide]}”?"
            items.append(
                QuizItem(question, one.text, tuple(options) if len(options) >= 3 else (), one.span, one.text)
            )
    return sorted(items[:MOST], key=lambda item: item.span)


def blanked(definition: str, point: KnowledgePoint) -> str | None:
    """Return a definition with its term taken out wherever it stands; None where nothing is left of it."""
    words = re.escape(point.name)
    hidden = re.sub(rf"\b{words}\w{{0,2}}\b", BLANK, definition, flags=re.IGNORECASE)
    if hidden == definition:  # another form of the word: take out what has its stems
        kept = [
            BLANK if set(term_stems(word)) and set(term_stems(word)) <= set(point.stems) else word
            for word in definition.split()
        ]
        hidden = re.sub(rf"{BLANK}(?: {BLANK})+", BLANK, " ".join(kept))
    return hidden if hidden != definition and len(hidden.split()) >= 5 else None


def _shuffled(options: list[str], rng: Random) -> list[str]:
    unique = list(dict.fromkeys(options))
    rng.shuffle(unique)
    return unique
