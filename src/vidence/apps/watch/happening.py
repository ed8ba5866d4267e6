"""What happens in a scene, before it is checked: the kind, when, who, and why it is said to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Any

from vidence.apps.finding import Path, Severity, box_at
from vidence.apps.watch.subjects import Subject
from vidence.senses.observation import Observation
from vidence.timeline import Span

KINDS: dict[str, Severity] = {
    "crossing": "info", "entering": "info", "leaving": "info", "intrusion": "high", "loitering": "medium",
    "wrong-way": "medium", "crowding": "medium", "object-left": "medium", "object-removed": "medium",
    "fall-like": "high", "unusual": "low",
}  # fmt: skip
"""Kinds of events and how grave each is."""

AROUND_S = Fraction(2)  # before and after an event that are opened to check it


@dataclass(frozen=True, slots=True)
class Happening:
    """One event. `subjects` take part in it; `sources` are what shows it, where that is not their tracks."""

    kind: str
    title: str
    span: Span
    confidence: float
    why: str
    subjects: tuple[Subject, ...] = ()
    sources: tuple[Observation, ...] = ()
    data: dict[str, Any] = field(default_factory=dict)

    @property
    def severity(self) -> Severity:
        """How grave its kind is."""
        return KINDS[self.kind]

    @property
    def unnamed(self) -> bool:
        """Say whether it is told of movement alone: no detector knows who takes part."""
        sources = [source for one in self.subjects for source in one.sources]
        return bool(sources) and all(source.sense == "motion" for source in sources)

    @property
    def paths(self) -> tuple[Path, ...]:
        """Where it is in the picture: along tracks, or at the place of a change for as long as that lasts."""
        if self.subjects:
            return tuple(cut for one in self.subjects if (cut := cut_to(one.path, self.span)))
        places = [source.track[len(source.track) // 2][1] for source in self.sources if source.track]
        return tuple(((self.span.start, box), (self.span.end, box)) for box in places)

    def evidence(self) -> list[Observation]:
        """Return the observations that show it.

        They are cut to a little around it, so that the check opens just that. Comings and goings are many: of them the
        check opens whether the one who goes is there at all, once for all that it does.
        """
        if self.severity == "info":
            return [max(one.sources, key=lambda source: source.span.duration) for one in self.subjects]
        shown = self.sources or tuple(_parts(self.subjects, self.span))
        return [_cut(seen, self.span.padded(AROUND_S)) if seen.sense == "objects" else seen for seen in shown]


def cut_to(path: Path, span: Span) -> Path:
    """Return a path within a span, with its boxes at the span's ends."""
    inside = [at for at in path if span.start <= at[0] <= span.end]
    ends = [(time, box) for time in (span.start, span.end) if (box := box_at(path, time)) is not None]
    return tuple(sorted({at[0]: at for at in [*ends, *inside]}.values(), key=lambda at: at[0]))


def _parts(subjects: Sequence[Subject], span: Span) -> list[Observation]:
    """Return the tracks of subjects that are alive in a span (all of a subject's where none is)."""
    found: list[Observation] = []
    for one in subjects:
        alive = [source for source in one.sources if source.span.overlaps(span)]
        found += alive or list(one.sources[:1])
    return found


def _cut(seen: Observation, span: Span) -> Observation:
    shared = seen.span.intersection(span)
    if shared is None or not shared.duration:
        return seen
    track = tuple(at for at in seen.track if shared.start <= at[0] <= shared.end)
    return replace(seen, span=shared, track=track) if track else seen
