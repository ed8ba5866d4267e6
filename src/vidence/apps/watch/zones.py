"""Zones: who is in them, from when to when; entering, leaving, intrusion, loitering, crowds, against the flow."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from vidence.apps.watch.happening import Happening, cut_to
from vidence.apps.watch.scene import Scene, Zone
from vidence.apps.watch.subjects import Subject, grid, stand
from vidence.timeline import Instant, Span, instant, union

BRIDGE_S, SHORTEST_S = 1.5, 1.0  # absences that are bridged; stays that count
AWAY_S = 3.0  # for which a closed zone must be empty before there is another alarm
CROWD_S = 2.0  # that a crowd must last
AGAINST = 0.08  # of the picture that one must go against the flow


@dataclass(frozen=True, slots=True)
class Stay:
    """One subject in one zone: `came` and `went` say whether it was seen to enter and to leave."""

    zone: Zone
    subject: Subject
    span: Span
    came: bool
    went: bool

    @property
    def dwell_s(self) -> float:
        """Seconds in it, as far as seen."""
        return float(self.span.duration)


def stays(subjects: Sequence[Subject], zone: Zone, anchor: str) -> list[Stay]:
    """Return who was in a zone, in order of time."""
    found = []
    for one in subjects:
        if zone.kinds and one.kind not in zone.kinds:
            continue
        times = [time for time, _ in one.path]
        inside = [zone.holds(stand(box, one.kind, anchor)) for _, box in one.path]
        ends = [*times[1:], one.span.end]
        parts = [Span(t, max(e, t)) for t, e, there in zip(times, ends, inside, strict=True) if there]
        for span in union(parts, gap=instant(BRIDGE_S)):
            if float(span.duration) >= SHORTEST_S:
                came = span.start > times[0] or one.enters is not None
                went = span.end < one.span.end or one.leaves is not None
                found.append(Stay(zone, one, span, came, went))
    return sorted(found, key=lambda stay: (stay.span.start, stay.span.end))


def zone_events(found: Sequence[Stay], zone: Zone, scene: Scene, whole: Span) -> list[Happening]:
    """Return what happens in a zone."""
    events: list[Happening] = []
    for stay in found:
        one, where = stay.subject, "the picture" if zone.name == "picture" else f"“{zone.name}”"
        data = {"zone": zone.name, "subjects": [one.id], "dwell_s": round(stay.dwell_s, 2)}
        if one.moves:
            for there, kind, word, time in (
                (stay.came, "entering", "enters", stay.span.start), (stay.went, "leaving", "leaves", stay.span.end)
            ):  # fmt: skip
                if there:
                    span = Span(time, time + instant(0.5)).clipped(whole)
                    told = f"{one.id} {word} {where}"
                    events.append(Happening(kind, told, span, one.confidence, told, (one,), (), data))
        if zone.loiter_s and stay.dwell_s >= zone.loiter_s and one.kind == "person":
            why = f"{one.id} stays in {where} for {stay.dwell_s:.0f} s; {zone.loiter_s:g} s are allowed"
            events.append(
                Happening(
                    "loitering",
                    f"{one.id} loiters in {where}",
                    stay.span,
                    one.confidence,
                    why,
                    (one,),
                    (),
                    data,
                )
            )
        if zone.flow and (span := _against(stay, zone, scene)):
            why = f"{one.id} goes against the flow of {where}, which is {zone.flow}"
            title = f"Wrong way in {where}: {one.id}"
            events.append(Happening("wrong-way", title, span, one.confidence, why, (one,), (), data))
    return events + _intrusions(found, zone) + _crowds(found, zone, whole)


def _intrusions(found: Sequence[Stay], zone: Zone) -> list[Happening]:
    """Return the spans in which anybody is in a closed zone: one alarm each, whoever comes and goes in it."""
    if not zone.closed:
        return []
    events = []
    for span in union((stay.span for stay in found), gap=instant(AWAY_S)):
        there = tuple({s.subject.id: s.subject for s in found if s.span.overlaps(span)}.values())
        sure = max(one.confidence for one in there)
        names = ", ".join(one.id for one in there[:4]) + (
            f" and {len(there) - 4} more" if len(there) > 4 else ""
        )
        why = f"{names} in “{zone.name}” for {float(span.duration):.1f} s, where nobody should be"
        data = {"zone": zone.name, "subjects": [one.id for one in there], "most": len(there)}
        events.append(Happening("intrusion", f"{names} in “{zone.name}”", span, sure, why, there, (), data))
    return events


def _crowds(found: Sequence[Stay], zone: Zone, whole: Span) -> list[Happening]:
    if not zone.crowd:
        return []
    times = grid(whole)
    step = times[1] - times[0] if len(times) > 1 else instant(0.5)
    full = [Span(time, time + step) for time in times if occupancy(found, time) >= zone.crowd]
    events = []
    for span in union(full, gap=instant(BRIDGE_S)):
        if float(span.duration) < CROWD_S:
            continue
        inside = [time for time in times if time in span]
        peak = max(inside, key=lambda time: occupancy(found, time))
        there = tuple(stay.subject for stay in found if peak in stay.span)
        sure = sum(one.confidence for one in there) / len(there)
        why = f"up to {len(there)} at once in “{zone.name}”, for {float(span.duration):.0f} s; {zone.crowd} are a crowd"
        data = {"zone": zone.name, "subjects": [one.id for one in there], "most": len(there)}
        events.append(Happening("crowding", f"Crowd in “{zone.name}”", span, sure, why, there, (), data))
    return events


def occupancy(found: Sequence[Stay], time: Instant) -> int:
    """Count who is there at a time, each once."""
    return len({stay.subject.id for stay in found if time in stay.span})


def _against(stay: Stay, zone: Zone, scene: Scene) -> Span | None:
    """Return the span in which one goes against a zone's flow, far enough to mean it."""
    path = cut_to(stay.subject.path, stay.span)
    points = [(time, stand(box, stay.subject.kind, scene.anchor)) for time, box in path]
    axis, sign = {"left": (0, -1), "right": (0, 1), "up": (1, -1), "down": (1, 1)}[zone.flow or "right"]
    best, start = (0.0, None), 0
    for at in range(1, len(points)):
        if sign * (points[at][1][axis] - points[start][1][axis]) >= 0:
            start = at
            continue
        back = -sign * (points[at][1][axis] - points[start][1][axis])
        if back > best[0]:
            best = back, Span(points[start][0], points[at][0])
    return best[1] if best[0] >= AGAINST else None
