"""What is believed at a step: hypotheses with the clues for and against them, what is uncertain, where to look."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from vidence.mcr.evidence import Evidence
from vidence.timeline import Span


@dataclass(frozen=True, slots=True)
class Clue:
    """One reason for (positive) or against (negative) one hypothesis, in natural-log odds.

    0.5 is a hint, 1 a fair sign, 2 a strong one, 3 as good as seen. Clues of one `channel` tell the same thing twice,
    so only the strongest of a channel counts.
    """

    hypothesis: int
    weight: float
    channel: str
    why: str
    evidence: tuple[Evidence, ...] = ()


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """One possible answer. `support` is the sum of its clues in log odds."""

    text: str
    clues: tuple[Clue, ...] = ()
    spans: tuple[Span, ...] = ()

    @property
    def support(self) -> float:
        """Add the strongest clue for and the strongest against of each channel."""
        best: dict[tuple[str, bool], float] = {}
        for clue in self.clues:
            key = (clue.channel, clue.weight >= 0)
            if abs(clue.weight) > abs(best.get(key, 0.0)):
                best[key] = clue.weight
        return sum(best.values())

    @property
    def evidence(self) -> tuple[Evidence, ...]:
        """Return the evidence of the clues that speak for it, strongest clue first, each once."""
        ordered = sorted((c for c in self.clues if c.weight > 0), key=lambda c: -c.weight)
        return tuple({e.id: e for clue in ordered for e in clue.evidence}.values())

    @property
    def against(self) -> tuple[Evidence, ...]:
        """Return the evidence of the clues that speak against it."""
        ordered = sorted((c for c in self.clues if c.weight < 0), key=lambda c: c.weight)
        return tuple({e.id: e for clue in ordered for e in clue.evidence}.values())


@dataclass(frozen=True, slots=True)
class Belief:
    """The belief state after a step. Immutable: each step makes a new one."""

    hypotheses: tuple[Hypothesis, ...] = ()
    uncertainties: tuple[str, ...] = ()
    candidates: tuple[Span, ...] = ()  # where the answer may lie
    exclusive: bool = True  # at most one is the answer; else each stands alone (things that are all there)
    none_of_these: float | None = None  # support of "none of these", for proposals that may all be wrong

    def with_clues(self, clues: Sequence[Clue]) -> Belief:
        """Return the belief with more clues."""
        added = [
            replace(h, clues=h.clues + tuple(c for c in clues if c.hypothesis == i))
            for i, h in enumerate(self.hypotheses)
        ]
        return replace(self, hypotheses=tuple(added))

    def probabilities(self) -> list[float]:
        """Return each hypothesis's probability: a softmax over exclusive ones, else each on its own odds."""
        supports = [h.support for h in self.hypotheses]
        if not supports:
            return []
        if not self.exclusive:
            return [1 / (1 + math.exp(-s)) for s in supports]
        rest = [] if self.none_of_these is None else [self.none_of_these]
        top = max(supports + rest)
        weights = [math.exp(s - top) for s in supports]
        return [w / (sum(weights) + sum(math.exp(s - top) for s in rest)) for w in weights]

    def best(self) -> tuple[int, float] | None:
        """Return (index, probability) of the best hypothesis; None without hypotheses or when none stands out."""
        odds = self.probabilities()
        if not odds:
            return None
        index = max(range(len(odds)), key=odds.__getitem__)
        return index, odds[index]

    def to_json(self) -> dict[str, Any]:
        """Write as JSON values."""
        return {
            "hypotheses": [
                {
                    "text": h.text,
                    "probability": round(p, 4),
                    "clues": [[c.channel, round(c.weight, 3), c.why] for c in h.clues],
                }
                for h, p in zip(self.hypotheses, self.probabilities(), strict=True)
            ],
            "uncertainties": list(self.uncertainties),
            "candidates": [span.to_json() for span in self.candidates],
        }  # fmt: skip
