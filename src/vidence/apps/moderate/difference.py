"""What another policy, or another version of one, judges otherwise; from memory alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from vidence.apps.finding import Finding
from vidence.apps.moderate.moderation import Moderation

SAME_IOU = 0.5


@dataclass(frozen=True, slots=True)
class Change:
    """One violation under two policies; `fields` are those that differ, as (before, after)."""

    before: Finding
    after: Finding
    fields: dict[str, tuple[Any, Any]]

    def to_json(self) -> dict[str, Any]:
        """Write as JSON values."""
        return {
            "before": self.before.id, "after": self.after.id, **self.after.span.to_json(),
            "fields": {name: {"before": old, "after": new} for name, (old, new) in self.fields.items()},
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Difference:
    """What is new, gone, changed and the same, in order of time; and the ratings before and after."""

    added: tuple[Finding, ...]
    removed: tuple[Finding, ...]
    changed: tuple[Change, ...]
    same: int
    ages: tuple[int | None, int | None]

    def to_json(self) -> dict[str, Any]:
        """Write as JSON values."""
        return {
            "added": [one.to_json() for one in self.added], "removed": [one.to_json() for one in self.removed],
            "changed": [one.to_json() for one in self.changed], "same": self.same,
            "rating": {"before": self.ages[0], "after": self.ages[1]},
        }  # fmt: skip


def difference(before: Moderation, after: Moderation) -> Difference:
    """Compare two moderations of one video: violations with the same rule or label, and the same time, are one."""
    left = list(before.violations)
    added, changed, same = list[Finding](), list[Change](), 0
    for one in after.violations:
        twin = _twin(one, left)
        if twin is None:
            added.append(one)
            continue
        left.remove(twin)
        fields = {
            name: (old, new)
            for name, old, new in (
                ("rule", twin.kind, one.kind),
                ("severity", twin.severity, one.severity),
                ("age", twin.data["age"], one.data["age"]),
                ("action", twin.data["action"], one.data["action"]),
                ("certain", twin.certain, one.certain),
                ("span", str(twin.span), str(one.span)),
            )
            if old != new
        }
        if fields:
            changed.append(Change(twin, one, fields))
        else:
            same += 1
    return Difference(tuple(added), tuple(left), tuple(changed), same, (before.age, after.age))


def _twin(one: Finding, others: Sequence[Finding]) -> Finding | None:
    alike = [
        other
        for other in others
        if other.span.iou(one.span) >= SAME_IOU
        and (other.kind == one.kind or other.data["label"]["path"] == one.data["label"]["path"])
    ]
    return max(alike, key=lambda other: (other.kind == one.kind, other.span.iou(one.span)), default=None)
