"""Say in a few sentences what is known of a stretch of video: extractive, every word of it perceived by a sense."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING

from vidence.senses.observation import Observation
from vidence.timeline import Span, clock, total

if TYPE_CHECKING:
    from vidence.mcr.situation import Situation

_MOST = 5  # of each kind: a summary is read, not searched


def summarise(situation: Situation, span: Span) -> str:
    """Describe a span by its shots, things, classes, captions, text, speech and sound."""
    parts = [
        _shots(situation.observations("shots", span=span), span),
        _things(situation.observations("objects", "faces", span=span), span),
        _looks(situation.observations("looks", span=span)),
        _quotes("described as", situation.observations("captions", span=span)),
        _quotes("on screen", situation.observations("text", span=span)),
        _quotes("said", situation.observations("speech", span=span)),
        _labels(
            "camera",
            [o for o in situation.observations("motion", span=span) if o.data.get("kind") == "camera"],
        ),
        _labels("light and colour", situation.observations("colour", span=span)),
        _labels("sound", situation.observations("sound", span=span)),
    ]
    return " ".join(part for part in parts if part)


def _shots(shots: list[Observation], span: Span) -> str:
    count = max(len(shots), 1)
    return f"{clock(span.start)} to {clock(span.end)}, {count} shot{'s' if count > 1 else ''}."


def _things(found: list[Observation], span: Span) -> str:
    seconds: defaultdict[str, float] = defaultdict(float)
    numbers: Counter[str] = Counter()
    for o in found:
        seconds[o.text] += float(total([p for p in [o.span.intersection(span)] if p])) * o.confidence
        numbers[o.text] += 1
    named = [
        f"{label} ({numbers[label]})" if numbers[label] > 1 else label for label in _most(seconds, _MOST)
    ]
    return f"Seen: {', '.join(named)}." if named else ""


def _looks(samples: list[Observation]) -> str:
    weights: defaultdict[str, float] = defaultdict(float)
    for o in samples:
        for label, p in o.data.get("classes", ()):
            weights[label] += p
    likely = [label for label in _most(weights, 3) if weights[label] / max(len(samples), 1) > 0.15]
    return f"Looks like: {', '.join(likely)}." if likely else ""


def _quotes(how: str, found: list[Observation]) -> str:
    best = sorted(found, key=lambda o: -len(o.text) * o.confidence)[:_MOST]
    quotes = [f"“{o.text}”" for o in sorted(best, key=lambda o: o.span.start)]
    return f"{how.capitalize()}: {'; '.join(quotes)}." if quotes else ""


def _labels(what: str, found: list[Observation]) -> str:
    seconds: defaultdict[str, float] = defaultdict(float)
    for o in found:
        seconds[o.text] += float(o.span.duration)
    named = [label for label in _most(seconds, 2) if label]
    return f"{what.capitalize()}: {', '.join(named)}." if named else ""


def _most(weights: dict[str, float], count: int) -> list[str]:
    return sorted(weights, key=lambda label: -weights[label])[:count]
