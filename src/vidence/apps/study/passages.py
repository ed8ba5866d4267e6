"""What is taught in order of time: sentences that are said, and lines of slides, each with its observation."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from vidence.apps.study.slides import Slide
from vidence.senses.language import detect_language, stems
from vidence.senses.observation import Observation
from vidence.timeline import Span

_SINGULARS = {
    "vertices": "vertex", "indices": "index", "apices": "apex", "matrices": "matrix", "appendices": "appendix",
    "axes": "axis", "nuclei": "nucleus", "radii": "radius", "stimuli": "stimulus", "foci": "focus", "loci": "locus",
    "mitochondria": "mitochondrion", "criteria": "criterion", "phenomena": "phenomenon", "bacteria": "bacterium",
    "hypotheses": "hypothesis", "analyses": "analysis", "formulae": "formula", "antennae": "antenna", "media": "medium",
}  # fmt: skip
"""Learned plurals that lecturers use and stemmers do not know."""

_PLURAL = re.compile(rf"\b({'|'.join(_SINGULARS)})\b", re.IGNORECASE)


def term_stems(text: str, language: str | None = None) -> list[str]:
    """Return the stems of a text's words, learned plurals as their singular."""
    return stems(_PLURAL.sub(lambda word: _SINGULARS[word[0].lower()], text), language)


@dataclass(frozen=True, slots=True)
class Passage:
    """One sentence or line; `slide` is the number of the slide on screen, 0 for none."""

    text: str
    span: Span
    how: Literal["said", "written"]
    source: Observation
    slide: int
    stems: frozenset[str]


def passages_of(seen: Sequence[Observation], slides: Sequence[Slide]) -> tuple[list[Passage], str]:
    """Return all passages in order of time, and the language most of it is in."""
    said = [o for o in seen if o.sense == "speech" and o.text and "doubt" not in o.data]
    language = detect_language(" ".join([*(o.text for o in said), *(slide.text for slide in slides)])[:5000])
    found = [
        Passage(
            " ".join(o.text.split()),
            o.span,
            "said",
            o,
            _slide_at(o.span, slides),
            frozenset(term_stems(o.text, language)),
        )
        for o in said
    ]
    for slide in slides:
        for line in slide.lines:
            first = max(line.source.span.start, slide.first)
            span = Span(first, max(slide.appearances[0].end, first))
            words = frozenset(term_stems(line.text, language))
            found.append(Passage(line.text, span, "written", line.source, slide.number, words))
    return sorted(found, key=lambda one: (one.span.start, one.how, one.span.end)), language


def _slide_at(span: Span, slides: Sequence[Slide]) -> int:
    middle = span.middle
    return next((s.number for s in slides if any(middle in part for part in s.appearances)), 0)
