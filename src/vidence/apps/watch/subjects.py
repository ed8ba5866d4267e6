"""Who and what passes: tracks of the senses, joined over short gaps, and what moves without a name."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction

from vidence.apps.finding import Path, box_at
from vidence.apps.watch.scene import PERSON, Point, Scene
from vidence.senses.objects.coco import kin
from vidence.senses.observation import Box, Observation
from vidence.timeline import Instant, Span

GAP_S, OVERLAP_S = 3.0, 1.0  # two tracks of one thing lie at most so far apart, or overlap by so much
REACH = 0.7  # of its height that a thing may be off where it was expected
TURNED = 0.5  # cosine of two ways from which one is the other turned round
TREMBLES = 0.01  # of the picture, in a second and a half: no movement
STANDS = 0.06  # of the picture: what moves less stands
COVERED = 0.5  # of a mover's looks within a detected thing: they are the same
MOVED_LEAST = 0.1  # of the picture that a mover without a name must go


@dataclass(frozen=True, slots=True)
class Subject:
    """One that is followed: a person, a vehicle, an animal, or something that moves.

    `sources` are the observations that it is made of; `enters` and `leaves` are edges of the picture, or None.
    """

    id: str
    kind: str
    path: Path = field(repr=False)
    span: Span
    confidence: float
    sources: tuple[Observation, ...] = field(repr=False)
    enters: str | None = None
    leaves: str | None = None

    @property
    def moves(self) -> bool:
        """Say whether it goes anywhere: parked cars do not."""
        (x0, y0), *rest = [box.centre for _, box in self.path]
        size = max(box.h for _, box in self.path)
        return max((math.hypot(x - x0, y - y0) for x, y in rest), default=0.0) >= max(STANDS, size / 3)

    def at(self, time: Instant, anchor: str) -> Point | None:
        """Return where it stands at a time; None when it is not there."""
        box = box_at(self.path, time)
        return None if box is None else stand(box, self.kind, anchor)


def stand(box: Box, kind: str, anchor: str) -> Point:
    """Return the point of a box that is where a thing stands: a person's feet; the middle of others, or of all."""
    x, y = box.centre
    return (x, min(box.y + box.h, 1.0)) if anchor == "foot" and kind == PERSON else (x, y)


def subjects_of(observations: Sequence[Observation], scene: Scene) -> list[Subject]:
    """Return all that is followed, in order of time, named by kind and number."""
    detected = [
        replace(o, text=scene.also.get(o.text, o.text))
        for o in observations
        if o.sense == "objects" and o.track and o.confidence >= scene.least
    ]
    wanted = [o for o in detected if o.text in scene.kinds]
    joined = _joined(wanted)
    if scene.movers != "ignore":
        named = [o for o in detected if o.text in scene.kinds]
        movers = [o for o in observations if o.sense == "motion" and o.data.get("kind") == "mover"]
        free = [o for o in movers if _goes_somewhere(o) and not _covered(o, named)]
        joined += [[replace(o, text=scene.movers)] for o in free]
    return _named([_subject(parts) for parts in joined])


def _joined(tracks: Sequence[Observation]) -> list[list[Observation]]:
    """Join tracks of which one goes on where another ended, the nearest first."""
    order = sorted(tracks, key=lambda o: o.span.start)
    pairs = [
        (cost, a, b)
        for a, left in enumerate(order)
        for b, right in enumerate(order)
        if a != b and (cost := _distance(left, right)) is not None
    ]
    after, before = dict[int, int](), dict[int, int]()
    for _, a, b in sorted(pairs):
        if a not in after and b not in before:
            after[a], before[b] = b, a
    chains = []
    for first in range(len(order)):
        if first in before:
            continue
        chain, at = [order[first]], first
        while at in after:
            at = after[at]
            chain.append(order[at])
        chains.append(chain)
    return chains


def _distance(left: Observation, right: Observation) -> float | None:
    """Return how far off the second begins from where the first would be, in its heights; None: not the same."""
    gap_s = float(right.track[0][0] - left.track[-1][0])
    longer = right.track[-1][0] > left.track[-1][0] and left.track[0][0] < right.track[0][0]
    if not (longer and -OVERLAP_S <= gap_s <= GAP_S and kin(left.text, right.text)):
        return None
    if left.data.get("leaves") or right.data.get("enters"):
        return None
    (x, y), (vx, vy) = left.track[-1][1].centre, _speed(left.track)
    wx, wy = _speed(right.track[::-1])  # of its first steps, backwards
    if -(vx * wx + vy * wy) < -TURNED * math.hypot(vx, vy) * math.hypot(wx, wy):
        return None  # who turned round in between was seen standing
    x, y = x + vx * gap_s, y + vy * gap_s
    box = right.track[0][1]
    height = max(box.h, left.track[-1][1].h)
    off = math.hypot(x - box.centre[0], y - box.centre[1]) / max(height, 0.02)
    alike = 0.5 < box.h / max(left.track[-1][1].h, 1e-6) < 2
    return off if alike and off <= REACH else None


def _speed(track: Path) -> tuple[float, float]:
    """Return the speed over the last second and a half of a track, in picture sides a second; zero for a trembling.

    Of a track turned round it is that of the first steps, backwards.
    """
    last_t, last = track[-1]
    t, box = next((at for at in reversed(track) if abs(float(last_t - at[0])) >= 1.5), track[0])
    passed = abs(float(last_t - t))
    (x0, y0), (x1, y1) = box.centre, last.centre
    if passed <= 0 or math.hypot(x1 - x0, y1 - y0) < TREMBLES:
        return 0.0, 0.0
    return (x1 - x0) / passed, (y1 - y0) / passed


def _subject(parts: Sequence[Observation]) -> Subject:
    path: list[tuple[Instant, Box]] = []
    for part in parts:
        path += [at for at in part.track if not path or at[0] > path[-1][0]]
    span = Span(min(p.span.start for p in parts), max(p.span.end for p in parts))
    names = [p.text for p in parts for _ in p.track]
    kind = max(set(names), key=lambda name: (names.count(name), name))
    sure = max(p.confidence for p in parts)
    return Subject(
        "",
        kind,
        tuple(path),
        span,
        sure,
        tuple(parts),
        parts[0].data.get("enters"),
        parts[-1].data.get("leaves"),
    )


def _named(subjects: Sequence[Subject]) -> list[Subject]:
    counts: dict[str, int] = {}
    named = []
    for one in sorted(subjects, key=lambda s: (s.span.start, s.span.end, s.path[0][1].x)):
        counts[one.kind] = counts.get(one.kind, 0) + 1
        named.append(replace(one, id=f"{one.kind} {counts[one.kind]}"))
    return named


def _goes_somewhere(mover: Observation) -> bool:
    return float(mover.data.get("distance", 0)) >= MOVED_LEAST and mover.confidence >= 0.7


def _covered(mover: Observation, named: Sequence[Observation]) -> bool:
    """Say whether a mover is, for half of its way, within things that have a name."""
    inside = sum(any(_within(box, box_at(o.track, time, 1.0)) for o in named) for time, box in mover.track)
    return inside >= COVERED * len(mover.track)


def _within(inner: Box, outer: Box | None) -> bool:
    if outer is None:
        return False
    x, y = inner.centre
    pad_x, pad_y = outer.w * 0.25, outer.h * 0.25
    return (
        outer.x - pad_x <= x <= outer.x + outer.w + pad_x
        and outer.y - pad_y <= y <= outer.y + outer.h + pad_y
    )


def grid(whole: Span, most: int = 4000) -> list[Instant]:
    """Return instants at which to count: twice a second, fewer in what is long."""
    step = max(Fraction(1, 2), whole.duration / most)
    return [whole.start + step * number for number in range(int(whole.duration / step) + 1)]
