"""What an application reports: one thing found in a video, with its evidence and what checking that found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from vidence.exports.records import path_json
from vidence.mcr.answer import CONFIDENT
from vidence.mcr.evidence import Evidence, Verdict
from vidence.senses.observation import Box
from vidence.timeline import Instant, Span

Severity = Literal["info", "low", "medium", "high"]

SEVERITIES: tuple[Severity, ...] = ("info", "low", "medium", "high")
"""From what is merely told to what should be looked at first."""

Path = tuple[tuple[Instant, Box], ...]
"""Where one thing is in the picture over time, as `Observation.track`."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing found: a violation, an event, a chapter, a shot.

    `kind` is the rule, the kind of event, "chapter" and so on; `why` says in words what led to it. `paths` are where in
    the picture it lies (boxes). `verdict` is None for what needs no check (a chapter, a count). `data` holds what an
    application adds, JSON values only, documented by the application.
    """

    id: str  # unique within one result, and the same when the same video gives the same finding again
    kind: str
    title: str
    span: Span
    severity: Severity
    confidence: float
    evidence: tuple[Evidence, ...] = ()
    verdict: Verdict | None = None
    why: str = ""
    paths: tuple[Path, ...] = ()
    data: Mapping[str, Any] = field(default_factory=dict)

    @property
    def certain(self) -> bool:
        """Say whether it may be stated as fact: confident, and borne out where it was to be checked."""
        held = self.verdict is None or self.verdict.kind == "supported"
        return held and self.confidence >= CONFIDENT

    @property
    def moment(self) -> Instant:
        """Return the instant that shows it best: where its boxes are, else the middle."""
        times = [time for path in self.paths for time, _ in path if time in self.span]
        return min(times, key=lambda time: abs(time - self.span.middle), default=self.span.middle)

    def boxes_at(self, time: Instant) -> list[Box]:
        """Return its boxes at a time: of each path that is alive there (half a second before and after it counts)."""
        return [box for path in self.paths if (box := box_at(path, time)) is not None]

    def to_json(self) -> dict[str, Any]:
        """Write as JSON values; the schema is `schemas/finding.json`."""
        return {
            "id": self.id, "kind": self.kind, "title": self.title, **self.span.to_json(),
            "severity": self.severity, "confidence": round(self.confidence, 4), "certain": self.certain,
            "why": self.why, "verdict": self.verdict.to_json() if self.verdict else None,
            "evidence": [e.to_json() for e in self.evidence],
            "paths": [path_json(path) for path in self.paths], "data": dict(self.data),
        }  # fmt: skip


def box_at(path: Path, time: Instant, slack_s: float = 0.5) -> Box | None:
    """Return a path's box at a time, between two looks in proportion; None `slack_s` outside of it."""
    if not path or not path[0][0] - slack_s <= time <= path[-1][0] + slack_s:
        return None
    after = next((at for at, (when, _) in enumerate(path) if when >= time), len(path) - 1)
    (t1, b1), (t0, b0) = path[after], path[max(after - 1, 0)]
    share = min(max(float((time - t0) / (t1 - t0)), 0.0), 1.0) if t1 > t0 else 1.0
    mixed = (a + (b - a) * share for a, b in ((b0.x, b1.x), (b0.y, b1.y), (b0.w, b1.w), (b0.h, b1.h)))
    return Box(*mixed)


def lowered(severity: Severity) -> Severity:
    """Return the severity one below."""
    return SEVERITIES[max(SEVERITIES.index(severity) - 1, 0)]


def numbered(findings: list[Finding]) -> list[Finding]:
    """Put findings in time order, and name them KIND-1, KIND-2, ... by it."""
    ordered = sorted(findings, key=lambda one: (one.span.start, one.span.end, one.kind, one.title))
    counts: dict[str, int] = {}
    named = []
    for one in ordered:
        counts[one.kind] = counts.get(one.kind, 0) + 1
        named.append(replace(one, id=f"{one.kind}-{counts[one.kind]}"))
    return named


def with_article(name: str) -> str:
    """Put "a" or "an" before the name of a thing."""
    return f"an {name}" if name[:1] in "aeiou" else f"a {name}"
