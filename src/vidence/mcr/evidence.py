"""Evidence that can be opened again, the claims it bears on, and what checking found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from vidence.senses.observation import Modality
from vidence.timeline import Span

VerdictKind = Literal["supported", "contradicted", "unsupported", "unseen"]
"""supported: re-opening the span showed it again; contradicted: it showed the opposite; unsupported: it showed neither;
unseen: the span could not be looked at, so nothing may be said."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """A span of one medium that someone can open and look at, with what was perceived there."""

    id: str  # "e1", "e2", ...: unique within one answer, and kept when the context is folded
    medium: str  # content hash
    span: Span
    modality: Modality
    quote: str  # what was perceived, in words: the transcript, the sign, "car, white, moves left"
    sense: str
    confidence: float
    found_by: str  # the action that found it, e.g. "recall", "look"
    observation: int | None = None  # id in memory
    frame_hash: str | None = None  # SHA-256 of the verified frame's pixels; None when no frame was opened
    absent: bool = False  # the evidence is that the thing is NOT there throughout the span

    def to_json(self) -> dict[str, Any]:
        """Write as JSON values."""
        return {
            "id": self.id, "medium": self.medium, **self.span.to_json(), "modality": self.modality,
            "quote": self.quote, "sense": self.sense, "confidence": round(self.confidence, 4),
            "found_by": self.found_by, "observation": self.observation, "frame_hash": self.frame_hash,
            "absent": self.absent,
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Verdict:
    """What re-opening the evidence of a claim found. `score` is the share of support, 0 to 1."""

    kind: VerdictKind
    score: float
    checked_by: str  # how it was checked, e.g. "read again at full size: 'Big Buck Bunny'"

    def to_json(self) -> dict[str, Any]:
        """Write as JSON values."""
        return {"verdict": self.kind, "score": round(self.score, 4), "checked_by": self.checked_by}


@dataclass(frozen=True, slots=True)
class Claim:
    """One statement of an answer, with the evidence for and against it and the verdict of the check."""

    text: str
    evidence: tuple[Evidence, ...]
    verdict: Verdict
    against: tuple[Evidence, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Write as JSON values."""
        return {
            "text": self.text, **self.verdict.to_json(),
            "spans": [e.span.to_json() for e in self.evidence],
            "evidence": [e.to_json() for e in self.evidence], "against": [e.to_json() for e in self.against],
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Conflict:
    """Two pieces of evidence that cannot both be right about one thing: kept and shown, never averaged away."""

    about: str
    left: Evidence
    right: Evidence
    note: str

    def to_json(self) -> dict[str, Any]:
        """Write as JSON values."""
        return {
            "about": self.about,
            "note": self.note,
            "left": self.left.to_json(),
            "right": self.right.to_json(),
        }
