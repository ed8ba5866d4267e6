"""What a policy hands to the gate with the action "answer": text and claims, not yet checked."""

from __future__ import annotations

from dataclasses import dataclass

from vidence.mcr.answer import Choice
from vidence.mcr.evidence import Conflict, Evidence
from vidence.timeline import Span


@dataclass(frozen=True, slots=True)
class DraftClaim:
    """One statement with the evidence it rests on."""

    text: str
    evidence: tuple[Evidence, ...]
    against: tuple[Evidence, ...] = ()


@dataclass(frozen=True, slots=True)
class Draft:
    """An answer before the check. `lacking` says what was missing, "" when nothing."""

    text: str
    claims: tuple[DraftClaim, ...]
    confidence: float
    choice: Choice | None = None
    spans: tuple[Span, ...] = ()
    conflicts: tuple[Conflict, ...] = ()
    lacking: str = ""
