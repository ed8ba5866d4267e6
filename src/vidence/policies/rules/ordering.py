"""Clues from order: each event of an option is grounded in time, and the option is scored by the pairs that agree."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import combinations

from vidence.mcr.belief import Clue
from vidence.mcr.grounding import Grounding, ground
from vidence.mcr.situation import Situation
from vidence.policies.rules.options import contrast
from vidence.timeline import Span

_STEP = re.compile(r"\s*(?:,|;|→|->|=>|\bthen\b|\bbefore\b|\bfollowed by\b|\bfinally\b)\s*", re.I)


def events_of(option: str) -> list[str]:
    """Split "clouds, brook, then the bird" into its events."""
    return [
        part.strip(" .")
        for part in _STEP.split(option)
        if part.strip(" .") and part.strip().lower() != "then"
    ]


def order_clues(situation: Situation, options: Sequence[str]) -> list[Clue]:
    """Weigh options that are sequences of events."""
    if situation.question.kind != "order":
        return []
    sequences = [events_of(option) for option in options]
    if sum(len(s) > 1 for s in sequences) < 2:
        return []
    names = list(dict.fromkeys(event for s in sequences for event in s))
    placed = {name: found[0] for name in names if (found := ground(name, situation, limit=1))}
    scores: list[float | None] = [
        _agreement(sequence, placed) if len(sequence) > 1 else None for sequence in sequences
    ]
    evidence = [
        tuple(situation.cite(source) for e in s if e in placed and (source := placed[e].source))
        for s in sequences
    ]
    why = [" < ".join(f"{e} at {placed[e].span}" for e in s if e in placed) for s in sequences]
    return contrast(scores, 3.0, "order", why, evidence)


def _precedes(left: Span, right: Span) -> float:
    """Say from -1 (after) to 1 (before) how plainly one span comes before another; spans that overlap tell little."""
    apart = right.start - left.start
    if not apart:
        return 0.0
    shared = left.intersection(right)
    shorter = min(left.duration, right.duration)
    blur = float(shared.duration / shorter) if shared and shorter else 0.0
    return (1.0 if apart > 0 else -1.0) * (1.0 - 0.8 * blur)


def _agreement(sequence: Sequence[str], placed: dict[str, Grounding]) -> float | None:
    """Return the share of pairs in the order seen, each weighed by how surely both were found."""
    total, agreed = 0.0, 0.0
    for first, second in combinations([e for e in sequence if e in placed], 2):
        left, right = placed[first], placed[second]
        weight = left.score * right.score
        agreed += weight * (0.5 + 0.5 * _precedes(left.span, right.span))
        total += weight
    # Of two orders that agree alike, the one that accounts for more of what was found is the better.
    return agreed / total * (0.9 + 0.1 * len(set(sequence) & set(placed)) / len(placed)) if total else None
