"""What reviewers decided: accept, reject or amend a violation. Kept beside the memory, found again by rule and time.

A decision belongs to a rule and a span of one medium, not to a run: it holds for the next run, and for another policy
with a rule of the same id.
"""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, cast

from vidence.apps.finding import SEVERITIES, Finding
from vidence.apps.kept import Kept
from vidence.errors import UsageError
from vidence.mcr.evidence import Verdict
from vidence.timeline import Span, instant

Decision = Literal["accepted", "rejected", "amended"]

SAME_IOU = 0.3
"""A violation is the one decided on when its rule is the same and its span overlaps by this, or lies within."""


@dataclass(frozen=True, slots=True)
class Review:
    """One decision. `changes` of an amended one: "severity", "start_s", "end_s", "title", "action"."""

    medium: str
    rule: str
    span: Span
    decision: Decision
    changes: dict[str, Any]
    note: str = ""
    reviewer: str = ""
    made: float = 0.0  # seconds since 1970

    def to_json(self) -> dict[str, Any]:
        """Write as JSON values."""
        return {
            "decision": self.decision, "changes": self.changes, "note": self.note,
            "reviewer": self.reviewer, "made": round(self.made, 3),
        }  # fmt: skip


def keep_review(kept: Kept, review: Review) -> None:
    """Keep a decision; a later one on the same violation takes its place."""
    span = review.span.to_json()
    with kept.database() as db:
        for rowid, old in _rows(db, review.medium):
            if old.rule == review.rule and _same(old.span, review.span):
                db.execute("DELETE FROM review WHERE rowid = ?", (rowid,))
        db.execute(
            "INSERT INTO review VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                review.medium, review.rule, span["start_s"], span["end_s"], review.decision,
                json.dumps(review.changes, ensure_ascii=False), review.note, review.reviewer,
                review.made or time.time(),
            ),
        )  # fmt: skip


def reviews_of(kept: Kept, medium: str) -> list[Review]:
    """Return the decisions on a medium, in the order in which they were made."""
    if not kept.path.exists():
        return []
    with kept.database() as db:
        return [review for _, review in _rows(db, medium)]


def forget_review(kept: Kept, medium: str, finding: Finding) -> None:
    """Take a decision back."""
    with kept.database() as db:
        for rowid, old in _rows(db, medium):
            if old.rule == finding.kind and _same(old.span, found_span(finding)):
                db.execute("DELETE FROM review WHERE rowid = ?", (rowid,))


def reviewed(findings: Sequence[Finding], reviews: Sequence[Review]) -> list[Finding]:
    """Return findings with what was decided: accepted ones are certain, rejected ones are told for the record alone."""
    return [_decided(finding, _review_for(finding, reviews)) for finding in findings]


def found_span(finding: Finding) -> Span:
    """Return the span in which it was found, whatever a reviewer made of it."""
    found = finding.data.get("found")
    return Span.of(found["start_s"], found["end_s"]) if found else finding.span


def read_changes(text: str) -> dict[str, Any]:
    """Read "severity=low,start=12.5,end=14" into changes.

    Raises:
        UsageError: a field or a value is none.
    """
    from vidence.apps.moderate.policy import ACTIONS

    changes: dict[str, Any] = {}
    for part in (part.strip() for part in text.split(",") if part.strip()):
        field, sign, value = (piece.strip() for piece in part.partition("="))
        if not sign or not value:
            raise UsageError(f"{part!r} is no change; write FIELD=VALUE, for example severity=low")
        if field in ("start", "end"):
            changes[f"{field}_s"] = float(instant(value))
        elif field in ("severity", "action"):
            allowed = SEVERITIES if field == "severity" else ACTIONS
            if value not in allowed:
                raise UsageError(f"{field} {value!r} is none of {', '.join(allowed)}")
            changes[field] = value
        elif field == "title":
            changes[field] = value
        else:
            raise UsageError(f"{field!r} cannot be amended; severity, action, start, end and title can")
    if not changes:
        raise UsageError("nothing is amended; write for example severity=low,start=12.5")
    return changes


def _rows(db: Any, medium: str) -> list[tuple[int, Review]]:
    rows = db.execute(
        "SELECT rowid, rule, start_s, end_s, decision, changes, note, reviewer, made FROM review WHERE medium = ? "
        "ORDER BY made",
        (medium,),
    )
    return [
        (
            rowid,
            Review(medium, rule, Span.of(start, end), decision, json.loads(changes), note, reviewer, made),
        )
        for rowid, rule, start, end, decision, changes, note, reviewer, made in rows
    ]


def _review_for(finding: Finding, reviews: Sequence[Review]) -> Review | None:
    fitting = [r for r in reviews if r.rule == finding.kind and _same(r.span, finding.span)]
    return max(fitting, key=lambda r: (r.span.iou(finding.span), r.made), default=None)


def _same(left: Span, right: Span) -> bool:
    shared = left.intersection(right)
    if shared is None:
        return False
    shortest = min(left.duration, right.duration)
    return (
        left.iou(right) >= SAME_IOU
        or (shortest > 0 and shared.duration >= shortest * 9 / 10)
        or shortest == 0
    )


def _decided(finding: Finding, review: Review | None) -> Finding:
    if review is None:
        return finding
    data = {**finding.data, "review": review.to_json(), "found": finding.span.to_json()}
    by = f" by {review.reviewer}" if review.reviewer else ""
    if review.decision == "rejected":
        verdict = Verdict("contradicted", 0.0, f"rejected{by}")
        return replace(finding, severity="info", confidence=0.0, verdict=verdict, data=data)
    changes = review.changes
    if "action" in changes:
        data["action"] = changes["action"]
    start, end = changes.get("start_s", finding.span.start), changes.get("end_s", finding.span.end)
    span = Span.of(start, end) if instant(start) <= instant(end) else finding.span
    return replace(
        finding,
        span=span,
        title=changes.get("title", finding.title),
        severity=cast(Any, changes.get("severity", finding.severity)),
        confidence=1.0,
        verdict=Verdict("supported", 1.0, f"{review.decision}{by}"),
        data=data,
    )
