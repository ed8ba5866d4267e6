"""Shots, and the moments in them: things that begin close together."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction

from vidence.memory.outline import Moment, Shot
from vidence.memory.titles import headline
from vidence.senses.observation import Observation
from vidence.timeline import Span, subtract, union

MOMENT_GAP_S = Fraction(3)
EVENTS = frozenset({"speech", "text", "objects", "faces", "motion"})
"""Senses whose observations happen; the others sample what is there all the time."""


def shots_of(seen: Sequence[Observation], whole: Span) -> list[Shot]:
    """Return the shots in order, with their moments; spans without a known shot count as one shot each."""
    known = {s.span: s.id for s in seen if s.sense == "shots" and s.span.start < s.span.end}
    bounds = whole.hull(union(known)[-1]) if known else whole
    spans = sorted([*known, *subtract(bounds, known)])
    events = sorted((s for s in seen if _happens(s)), key=lambda s: s.span)
    shots, at = [], 0
    for n, span in enumerate(spans):
        last = n == len(spans) - 1
        here = []
        while at < len(events) and (last or events[at].span.start < span.end):
            here.append(events[at])
            at += 1
        shots.append(Shot(span, headline(here), tuple(_moments(here, span)), known.get(span)))
    return shots


def _happens(seen: Observation) -> bool:
    return seen.sense in EVENTS and seen.data.get("kind") != "camera"


def _moments(events: Iterable[Observation], shot: Span) -> Iterable[Moment]:
    cluster: list[Observation] = []
    for event in events:
        if cluster and event.span.start - cluster[-1].span.start > MOMENT_GAP_S:
            yield _moment(cluster, shot)
            cluster = []
        cluster.append(event)
    if cluster:
        yield _moment(cluster, shot)


def _moment(cluster: Sequence[Observation], shot: Span) -> Moment:
    hull = Span(cluster[0].span.start, max(event.span.end for event in cluster))
    return Moment(hull.clipped(shot), headline(cluster), tuple(e.id for e in cluster if e.id is not None))
