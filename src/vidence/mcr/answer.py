"""The answer to one question: text, checked claims, and everything needed to judge it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from vidence.mcr.budget import Receipt
from vidence.mcr.evidence import Claim, Conflict
from vidence.timeline import Span

if TYPE_CHECKING:
    from vidence.memory import Coverage

Status = Literal["answered", "insufficient evidence", "budget exhausted"]

STATUS_TEXT = {
    "insufficient evidence": "No supported answer: the evidence is not enough.",
    "budget exhausted": "The budget ran out before the answer was sure.",
}
"""What is said where there is no answer that is sure, by status."""

CONFIDENT = 0.6
"""An answer at or above this confidence is stated as fact; below it is offered as a guess, and says so."""


@dataclass(frozen=True, slots=True)
class Choice:
    """The option chosen, when options were given. `index` counts from 0."""

    index: int
    text: str

    @property
    def letter(self) -> str:
        """Return the option's letter: A for the first."""
        return chr(ord("A") + self.index)


@dataclass(frozen=True, slots=True)
class Answer:
    """What is returned for a question.

    `spans` are where the answer lies in time, best first (for "when" questions they are the answer). `next_looks` are
    the spans that would be looked at next with more budget. `lacking` says in words what was missing, "" when nothing.
    """

    question: str
    text: str
    status: Status
    confidence: float
    claims: tuple[Claim, ...]
    receipt: Receipt
    coverage: Coverage
    choice: Choice | None = None
    spans: tuple[Span, ...] = ()
    conflicts: tuple[Conflict, ...] = ()
    next_looks: tuple[Span, ...] = ()
    lacking: str = ""
    run: int | None = None  # under which number its steps are kept

    @property
    def confident(self) -> bool:
        """Say whether the answer is stated as fact."""
        return self.status == "answered" and self.confidence >= CONFIDENT

    def to_json(self) -> dict[str, Any]:
        """Write as JSON values; the schema is `schemas/ask.json`."""
        return {
            "question": self.question,
            "text": self.text,
            "choice": {"index": self.choice.index, "text": self.choice.text} if self.choice else None,
            "status": self.status,
            "confidence": round(self.confidence, 4),
            "confident": self.confident,
            "claims": [claim.to_json() for claim in self.claims],
            "spans": [span.to_json() for span in self.spans],
            "conflicts": [conflict.to_json() for conflict in self.conflicts],
            "lacking": self.lacking,
            "next_looks": [span.to_json() for span in self.next_looks],
            "coverage": self.coverage.to_json(),
            "receipt": self.receipt.to_json(),
            "run": self.run,
        }
