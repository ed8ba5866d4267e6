"""The sense of motion: gathers a segment's samples and hands them to camera, movers and changes."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from vidence.senses.motion import camera
from vidence.senses.motion.camera import Step, Stretch
from vidence.senses.motion.changes import Change, find_changes
from vidence.senses.motion.foreground import learn_scene, masks
from vidence.senses.motion.movers import LEAST_PATH, Mover, find_movers
from vidence.senses.observation import Observation, Producer
from vidence.senses.sense import Cost, Sampling
from vidence.timeline import Instant, Span

if TYPE_CHECKING:
    from vidence.media import Frame, Media

RATE_HZ = 5.0
SIDE = 320
LEAD_S = 4.0
TRUST = 0.95  # in movers before a still camera
STATIC_SHARE = 0.85  # of the steps of a shot: then its background can be learnt


class Motion:
    """Perceive camera movement, movers and lasting changes."""

    name = "motion"
    producer = Producer("motion", "1", parameters=f"rate={RATE_HZ:g},side={SIDE}")
    cost = Cost(cpu_s_per_minute=4.3, memory_mb=90)
    sampling = Sampling(rate_hz=RATE_HZ, max_side=SIDE, lead_s=LEAD_S)

    def watch(self, media: Media, segment: Span) -> MotionWatcher:
        """Start on a segment."""
        return MotionWatcher(media, segment, self.producer)

    def join(self, left: Observation, right: Observation) -> Observation | None:
        """Join a stretch of one camera move, a shot's travel, or one mover's path over a segment boundary."""
        kind = left.data.get("kind")
        if kind != right.data.get("kind"):
            return None
        if kind in ("camera", "travel"):
            return _join_camera(left, right)
        return _join_movers(left, right) if kind == "mover" else None


class MotionWatcher:
    """Keeps the samples of one segment (about 50 MB), and looks at them together at the end."""

    def __init__(self, media: Media, segment: Span, producer: Producer) -> None:
        self.media, self.segment, self.producer = media, segment, producer
        self.times: list[Instant] = []
        self.pictures: list[np.ndarray] = []

    def see(self, frame: Frame) -> None:
        """Take the next sample."""
        import cv2

        if self.times and frame.time <= self.times[-1]:
            return
        image = frame.image
        if self.pictures and image.shape != self.pictures[0].shape:  # the stream changed its size
            image = cv2.resize(image, self.pictures[0].shape[1::-1], interpolation=cv2.INTER_AREA)
        self.times.append(frame.time)
        self.pictures.append(image)

    def finish(self) -> list[Observation]:
        """Return what moved in the segment, in time order."""
        if not any(time in self.segment for time in self.times):
            return []
        self._read_on()
        found: list[Observation] = []
        steps = camera.steps_between(self.times, self.pictures)
        for first, last in _shots(steps):
            found += self._shot(first, last, steps[first:last])
        return sorted(found, key=lambda seen: (seen.span.start, seen.span.end))

    def _read_on(self) -> None:
        """Look past the segment's end when something still moves there: what it leaves behind shows only later."""
        if self.segment.end >= self.media.info.span.end or len(self.times) < 2:
            return
        late = [p for t, p in zip(self.times, self.pictures, strict=True) if t >= self.segment.end - 2]
        if any((np.abs(a.astype(np.int16) - b) > 24).mean() > 0.002 for a, b in pairwise(late)):
            beyond = Span(self.segment.end, self.segment.end + Fraction(LEAD_S))
            for frame in self.media.frames(beyond, rate_hz=RATE_HZ, max_side=SIDE):
                self.see(frame)

    def _shot(self, first: int, last: int, steps: Sequence[Step]) -> Iterator[Observation]:
        """Yield what one shot shows: samples first to last, and the steps between them."""
        if len(steps) < 2:
            return
        yield from self._camera(steps)
        times, pictures = self.times[first : last + 1], self.pictures[first : last + 1]
        if sum(step.still for step in steps) < STATIC_SHARE * len(steps):
            return
        scene, changes = learn_scene(pictures), find_changes(times, pictures)
        movers = find_movers(times, pictures, masks(pictures, scene), TRUST)
        lasting = [c for c in changes if c.confidence >= 0.75 and c.area >= 0.005 and not _stopped(c, movers)]
        if lasting:
            movers = find_movers(times, pictures, masks(pictures, scene, lasting), TRUST)
        yield from (seen for mover in movers if (seen := self._mover(mover)))
        yield from (self._change(change) for change in changes if change.span.middle in self.segment)

    def _camera(self, steps: Sequence[Step]) -> Iterator[Observation]:
        inside = [s for s in steps if s.span.end > self.segment.start and s.span.start < self.segment.end]
        if not inside:
            return
        parts = camera.stretches(inside)
        last = parts[-1].span.end
        for kind, part in [("camera", part) for part in parts] + [("travel", camera.travel(inside))]:
            span = part.span.clipped(self.segment)
            if span.end == last and self.segment.end - last <= Fraction(2) / Fraction(RATE_HZ):
                span = Span(span.start, self.segment.end)  # the last sample stays on screen until the end
            yield self._observe(span, _said(kind, part), part.confidence, kind, _sums(part))

    def _mover(self, mover: Mover) -> Observation | None:
        """Cut a mover's path to the segment; None when all of it lies in the lead."""
        path = tuple(at for at in mover.path if at[0] in self.segment)
        if not path:
            return None
        end = min(path[-1][0] + 1 / Fraction(RATE_HZ), self.segment.end)
        data = {
            "direction": mover.direction,
            "enters": mover.enters if mover.path[0][0] == path[0][0] else None,
            "leaves": mover.leaves if mover.path[-1][0] == path[-1][0] else None,
            "colours": [list(pair) for pair in mover.colours],
            "area": round(mover.area, 5),
            "distance": mover.distance,
            "smoothness": mover.smoothness,
        }
        text = f"{mover.colours[0][0] if mover.colours else ''} thing moves {mover.direction}".strip()
        seen = self._observe(Span(path[0][0], end), text, mover.confidence, "mover", data)
        return replace(seen, track=path)

    def _change(self, change: Change) -> Observation:
        data = {"change": change.change, "colours": [list(pair) for pair in change.colours]}
        colour = f"{change.colours[0][0]} " if change.colours else ""
        seen = self._observe(
            change.span.clipped(self.segment),
            f"{colour}something {change.change}",
            change.confidence,
            "change",
            data,
        )
        return replace(seen, track=((seen.span.start, change.box),))

    def _observe(
        self, span: Span, text: str, confidence: float, kind: str, data: dict[str, Any]
    ) -> Observation:
        return Observation(span, "visual", self.producer, text, confidence, data={"kind": kind, **data})


def _shots(steps: Sequence[Step]) -> Iterator[tuple[int, int]]:
    """Yield the first and last sample of each run without a cut."""
    first = 0
    for k, step in enumerate(steps):
        if step.cut:
            yield first, k
            first = k + 1
    yield first, len(steps)


def _stopped(change: Change, movers: Sequence[Mover]) -> bool:
    """Say whether a change is a mover that came to rest there, or set off from there, and not a thing it left."""
    edges = (change.span.start, change.span.end)
    ends = (at for mover in movers for at in mover.path if min(abs(at[0] - edge) for edge in edges) <= 1)
    return any(box.iou(change.box) > 0.5 for _, box in ends)


def _sums(part: Stretch) -> dict[str, Any]:
    return {
        "move": part.move,
        "scale": round(part.scale, 4),
        "dx": round(part.dx, 4),
        "dy": round(part.dy, 4),
    }


def _said(kind: str, part: Stretch) -> str:
    """Say a move in words; a shot's travel says how much nearer or farther it ends."""
    words = camera.WORDS[part.move]
    if kind == "camera" or part.move not in ("zoom in", "zoom out"):
        return words if kind == "camera" else f"over the shot: {words}"
    nearer, ratio = part.scale > 1, max(part.scale, 1 / part.scale)
    much = "much " if ratio >= 1.5 else ""
    return (
        f"over the shot: {words} and ends {much}{'nearer' if nearer else 'farther away'} ({ratio:.1f} times)"
    )


def _join_camera(left: Observation, right: Observation) -> Observation | None:
    a, b = left.data, right.data
    if a["kind"] == "camera" and a["move"] != b["move"]:
        return None
    both = Stretch(
        left.span.hull(right.span),
        a["move"],
        a["dx"] + b["dx"],
        a["dy"] + b["dy"],
        a["scale"] * b["scale"],
        min(left.confidence, right.confidence),
    )
    if a["kind"] == "travel":
        both = camera.named(both, a["move"] if left.span.duration >= right.span.duration else b["move"])
    data = {"kind": a["kind"], **_sums(both)}
    return replace(left, span=both.span, text=_said(a["kind"], both), confidence=both.confidence, data=data)


def _join_movers(left: Observation, right: Observation) -> Observation | None:
    """Join two paths when the first, moving on, is where the second begins, at about its size."""
    if left.data["leaves"] or right.data["enters"] or not (left.track and right.track):
        return None
    (before_at, before), (at, box), (next_at, after) = (
        (left.track[-2:] * 2)[-2],
        left.track[-1],
        right.track[0],
    )
    ahead = float((next_at - at) / (at - before_at)) if at > before_at else 0.0
    (x0, y0), (x1, y1), (x2, y2) = before.centre, box.centre, after.centre
    apart = min(
        math.hypot(x1 + (x1 - x0) * ahead - x2, y1 + (y1 - y0) * ahead - y2), math.hypot(x1 - x2, y1 - y2)
    )
    alike = 0.4 < box.area / max(after.area, 1e-9) < 2.5
    if not alike or apart > max(LEAST_PATH, 0.5 * math.sqrt(max(box.area, after.area))):
        return None
    track = left.track + right.track
    data = {
        **left.data,
        "leaves": right.data["leaves"],
        "distance": left.data["distance"] + right.data["distance"],
    }
    (x0, y0), (x1, y1) = track[0][1].centre, track[-1][1].centre
    if max(abs(x1 - x0), abs(y1 - y0)) >= LEAST_PATH:
        wide = abs(x1 - x0) >= abs(y1 - y0)
        data["direction"] = ("right" if x1 > x0 else "left") if wide else ("down" if y1 > y0 else "up")
    text = f"{left.text.rsplit(' ', 1)[0]} {data['direction']}"
    return replace(left, span=left.span.hull(right.span), text=text, track=track, data=data)
