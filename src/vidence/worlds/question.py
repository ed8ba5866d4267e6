"""A question about a world, with its right answer and where it can be seen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from vidence.timeline import Span

SHARES = {
    "action": 20.9,
    "object": 12.4,
    "order": 11.3,
    "spatial": 10.8,
    "plot": 7.6,
    "chain": 6.9,
    "attribute": 6.2,
    "grounding": 6.0,
    "synopsis": 5.5,
    "text": 5.1,
    "multihop": 4.3,
    "state": 3.8,
    "ego": 3.2,
    "counting": 1.5,
    "needle": 0.4,
    "anomaly": 0.1,
}
"""Parts of a hundred of each kind: those of the InternVideo3 data (paper, figure of the capability mix), where events'
actions and objects count with perception's; grounding is not in that mix and gets as much as reading."""

KINDS = tuple(SHARES)


@dataclass(frozen=True, slots=True)
class Question:
    """A question with its answer.

    `correct` counts options from 0 and is None where the answer is open; `answer` is the right answer as text.
    `evidence` are the spans where the answer can be seen or heard: looking there suffices. `span` is the true interval
    of a grounding question. `needs` are senses: "frames", "speech", "text". The same `id` in another language asks the
    same.
    """

    id: str
    kind: str
    language: str
    text: str
    options: tuple[str, ...]
    correct: int | None
    answer: str
    evidence: tuple[Span, ...]
    span: Span | None = None
    needs: tuple[str, ...] = ("frames",)

    def to_json(self) -> dict[str, Any]:
        """Write as JSON values."""
        return {
            "id": self.id,
            "kind": self.kind,
            "language": self.language,
            "text": self.text,
            "options": list(self.options),
            "correct": self.correct,
            "answer": self.answer,
            "evidence": [span.to_json() for span in self.evidence],
            "span": self.span.to_json() if self.span else None,
            "needs": list(self.needs),
        }
