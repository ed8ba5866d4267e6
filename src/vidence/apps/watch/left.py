"""Things put down and taken away: lasting changes of a still scene, named by what a detector sees there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from vidence.apps.finding import box_at, with_article
from vidence.apps.watch.happening import Happening
from vidence.apps.watch.scene import ANIMALS, PERSON, VEHICLES, Scene
from vidence.apps.watch.subjects import Subject
from vidence.senses.observation import Box, Observation
from vidence.timeline import Instant, Span, instant

SURE = 0.75  # of a change
SMALLEST = 0.001  # of the picture
SAME = 0.3  # IoU of the place of a change and of a thing
NEAR_S = 3.0  # between a change and the coming or going of a thing there
STILL = 0.05  # of the picture that a thing left behind moves at most
PUT_S = 1  # after a detector first knows a thing, in a hand: it stands by then
_LIVING = {PERSON, *VEHICLES, *ANIMALS}


@dataclass(frozen=True, slots=True)
class _Change:
    appeared: bool
    time: Instant
    box: Box
    name: str
    confidence: float
    source: Observation


def left_and_removed(
    observations: Sequence[Observation], subjects: Sequence[Subject], scene: Scene, whole: Span
) -> list[Happening]:
    """Return things that were put down and stayed for `scene.left_s`, and things that were taken away."""
    things = [
        o
        for o in observations
        if o.sense == "objects" and o.text not in _LIVING and o.confidence >= 0.4 and _still(o)
    ]
    changes = _distinct([*_by_motion(observations, things, subjects), *_by_things(things, whole)])
    events = []
    for change in changes:
        if not change.appeared:
            title = f"{change.name.capitalize()} taken away"
            span = Span(change.time, min(change.time + 1, whole.end))
            why = f"{with_article(change.name)} that stood there is gone"
            events.append(_event("object-removed", title, span, change, why))
            continue
        gone = [
            o.time for o in changes if not o.appeared and o.time > change.time and _same(o.box, change.box)
        ]
        end = min(gone, default=whole.end)
        if float(end - change.time) >= scene.left_s:
            title = f"{change.name.capitalize()} put down"
            why = f"{with_article(change.name)} appeared and stayed for {float(end - change.time):.0f} s"
            events.append(_event("object-left", title, Span(change.time, end), change, why))
    return events


def _event(kind: str, title: str, span: Span, change: _Change, why: str) -> Happening:
    data = {"thing": change.name, "subjects": []}
    return Happening(kind, title, span, change.confidence, why, (), (change.source,), data)


def _by_motion(
    observations: Sequence[Observation], things: Sequence[Observation], subjects: Sequence[Subject]
) -> list[_Change]:
    """Return lasting changes of the scene; the span of one is the time of activity around it.

    What appeared stands there at its end; what is gone went at some time within.
    """
    living = [one for one in subjects if one.kind in _LIVING]
    found = []
    for seen in observations:
        kind = seen.data.get("change")
        if seen.sense != "motion" or kind not in ("appeared", "disappeared") or not seen.track:
            continue
        box, appeared = seen.track[0][1], kind == "appeared"
        time = seen.span.end if appeared else seen.span.middle
        if box.area < SMALLEST or _somebody(box, time, living):
            continue
        thing = next((o for o in things if _fits(o, box, time, appeared)), None)
        sure = max(seen.confidence, 0.9 * thing.confidence) if thing else seen.confidence
        if sure >= SURE or thing is not None:
            found.append(_Change(appeared, time, box, thing.text if thing else "object", sure, seen))
    return found


def _by_things(things: Sequence[Observation], whole: Span) -> list[_Change]:
    """Return the coming and going of things that stand still while they are there."""
    found = []
    for o in things:
        if float(o.span.duration) < 2 or o.confidence < SURE:
            continue
        box = o.track[len(o.track) // 2][1]
        if float(o.span.start - whole.start) > 2 and not o.data.get("enters"):
            found.append(_Change(True, o.span.start, box, o.text, o.confidence * 0.9, o))
        if float(whole.end - o.span.end) > 2 and not o.data.get("leaves"):
            found.append(_Change(False, o.span.end, box, o.text, o.confidence * 0.9, o))
    return found


def _distinct(changes: Sequence[_Change]) -> list[_Change]:
    """Tell each change once. Of two together things come first: one change of the scene may be of several things.

    But when a thing was put down is told by the change: a detector knows it while it still hangs in the air.
    """
    kept: list[_Change] = []
    for one in sorted(changes, key=lambda c: (c.source.sense != "objects", -c.confidence)):
        twins = [
            k
            for k in kept
            if k.appeared == one.appeared
            and abs(float(k.time - one.time)) <= NEAR_S
            and _same(k.box, one.box)
        ]
        if not twins:
            kept.append(one)
        elif len(twins) == 1 and one.source.sense == "motion":
            kept.remove(twins[0])
            time = min(one.time, twins[0].time + PUT_S) if one.appeared else twins[0].time
            sure = max(one.confidence, twins[0].confidence)
            kept.append(replace(twins[0], time=time, confidence=sure))
    return sorted(kept, key=lambda c: c.time)


def _fits(thing: Observation, box: Box, time: Instant, appeared: bool) -> bool:
    edge = thing.span.start if appeared else thing.span.end
    return abs(float(edge - time)) <= NEAR_S and _same(thing.track[len(thing.track) // 2][1], box)


def _somebody(box: Box, time: Instant, living: Sequence[Subject]) -> bool:
    """Say whether somebody comes to stand there then, or has stood there till then: then that is what changed."""
    for one in living:
        for moments in ((1.0, 2.5), (-1.0, -2.5)):
            places = [box_at(one.path, time + instant(moment), 1.0) for moment in moments]
            if all(there and (there.iou(box) > 0.2 or _share(box, there) > 0.5) for there in places):
                return True
    return False


def _share(inner: Box, outer: Box) -> float:
    w = min(inner.x + inner.w, outer.x + outer.w) - max(inner.x, outer.x)
    h = min(inner.y + inner.h, outer.y + outer.h) - max(inner.y, outer.y)
    return max(w, 0.0) * max(h, 0.0) / max(inner.area, 1e-9)


def _same(left: Box, right: Box) -> bool:
    return left.iou(right) >= SAME or _share(left, right) > 0.7 or _share(right, left) > 0.7


def _still(o: Observation) -> bool:
    """Say whether a thing stands, but for when it is put there and taken away: in the middle of its time."""
    inner = o.track[len(o.track) // 4 : max(3 * len(o.track) // 4, len(o.track) // 4 + 1)]
    xs, ys = [b.centre[0] for _, b in inner], [b.centre[1] for _, b in inner]
    return max(xs) - min(xs) <= STILL and max(ys) - min(ys) <= STILL
