"""Checks that open a place in single frames: is it otherwise than when nobody was there, and of which shape.

What stands still does not move: the sense of motion, run again over a few seconds, would not see it. So the picture
with it is held against one without it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np

from vidence.apps.finding import box_at
from vidence.apps.watch.happening import Happening
from vidence.mcr.evidence import Verdict
from vidence.senses.observation import Box
from vidence.timeline import Instant, clock

if TYPE_CHECKING:
    from vidence.apps.checking import Checker
    from vidence.media import Frame
    from vidence.media.frame import Image

Opened = tuple[Verdict, str | None]
"""What was found, and the hash of the frame that shows it."""

AROUND_S = Fraction(1)  # before and after a change
AWAY_S = Fraction(2)  # before one came, or after it went: the place is empty
SIDE = 320
LEVELS, MORE = 10.0, 1.5  # of 255 by which a place must differ, and times the rest of the picture
SHAPE_LEVELS = 25  # of 255 by which a pixel differs from the empty place


def check_change(event: Happening, check: Checker) -> Opened | None:
    """Open a place before and after something was put down or taken away: it must look otherwise, and stay so."""
    source = event.sources[0]
    moved = source.sense == "motion"
    first = source.span.start if moved else event.span.start
    after = max(source.span.end if moved else event.span.start, event.span.start) + AROUND_S
    times = [first - AROUND_S, after]
    if event.kind == "object-left":
        times.append(max(event.span.end - AROUND_S, after))
    frames = _open(times, check)
    return None if frames is None else _compared(frames, source.track[len(source.track) // 2][1])


def check_presence(event: Happening, check: Checker) -> Opened | None:
    """Open a place while somebody is said to be there, and while it was empty: they must differ. None: it never was."""
    one, time = event.subjects[0], event.span.middle
    box, empty = box_at(one.path, time, 2.0), _empty(event, check)
    if box is None or empty is None:
        return None
    frames = _open([empty, time], check)
    return None if frames is None else _compared(frames, box)


def check_shape(
    event: Happening, check: Checker, upright: float, lying: float, aspect: float
) -> Opened | None:
    """Open an empty place, and the same when one stood and when it lies there: the shapes must be so."""
    one, empty = event.subjects[0], _empty(event, check)
    if empty is None:
        return None
    times = [event.span.start, event.span.end + Fraction(3, 4)]
    frames = _open([empty, *times], check)
    if frames is None:
        return None
    shapes = [
        shape(frames[0].image, frame.image, box, aspect)
        for frame, time in zip(frames[1:], times, strict=True)
        if (box := box_at(one.path, time, 2.0)) is not None
    ]
    fell = len(shapes) == 2 and shapes[0] >= upright and 0 < shapes[1] <= lying
    told = " and ".join(f"{each:.1f}" for each in shapes)
    how = f"opened the place at {_clocks(frames)}: height by width is {told}"
    return Verdict("supported" if fell else "unsupported", 0.8 if fell else 0.0, how), _digest(frames[-1])


def shape(empty: Image, image: Image, box: Box, aspect: float) -> float:
    """Return the height by the width, in pixels of a square, of what differs from the empty place; 0 for nothing."""
    height, width = image.shape[:2]
    top, low = max(int((box.y - box.h / 2) * height), 0), int((box.y + 1.5 * box.h) * height) + 1
    left, right = max(int((box.x - box.w / 2) * width), 0), int((box.x + 1.5 * box.w) * width) + 1
    apart = np.abs(empty.astype(np.int16) - image).max(axis=2)[top:low, left:right] > SHAPE_LEVELS
    rows, columns = apart.sum(axis=1), apart.sum(axis=0)
    if not apart.any():
        return 0.0
    high = int((rows > 0.2 * rows.max()).sum()) / height
    wide = int((columns > 0.2 * columns.max()).sum()) / width
    return high / (wide * aspect)


def differs(before: Image, after: Image, box: Box) -> tuple[float, float]:
    """Return the mean difference in levels within a box, and in the rest of the picture."""
    apart = np.abs(before.astype(np.int16) - after).max(axis=2)
    height, width = apart.shape
    inside = np.zeros(apart.shape, bool)
    rows = slice(max(int(box.y * height), 0), max(int((box.y + box.h) * height), 1))
    inside[rows, max(int(box.x * width), 0) : max(int((box.x + box.w) * width), 1)] = True
    rest = apart[~inside]
    return float(apart[inside].mean()) if inside.any() else 0.0, float(rest.mean()) if rest.size else 0.0


def _compared(frames: Sequence[Frame], box: Box) -> Opened:
    """Hold each frame against the first."""
    changed = [differs(frames[0].image, frame.image, box) for frame in frames[1:]]
    there = all(inside >= LEVELS and inside >= MORE * outside for inside, outside in changed)
    told = " and ".join(f"{inside:.0f} levels ({outside:.0f} elsewhere)" for inside, outside in changed)
    how = f"opened the place at {_clocks(frames)}: it differs by {told}"
    return Verdict("supported" if there else "unsupported", 0.9 if there else 0.0, how), _digest(frames[1])


def _empty(event: Happening, check: Checker) -> Instant | None:
    """Return a time at which the one who takes part was not there yet, or no more."""
    span, whole = event.subjects[0].span, check.situation.whole
    if span.start - AWAY_S >= whole.start:
        return span.start - AWAY_S
    return span.end + AWAY_S if span.end + AWAY_S < whole.end else None


def _open(times: Sequence[Instant], check: Checker) -> list[Frame] | None:
    """Open frames, on the meter's account; None where the budget is spent."""
    situation = check.situation
    if (situation.meter.exhausted() or "step limit") != "step limit":
        return None
    whole = situation.whole
    inside = [min(max(time, whole.start), whole.end - Fraction(1, 10)) for time in times]
    frames = situation.media.frames_at(inside, max_side=SIDE, mode="exact")
    situation.meter.frames += len(frames)
    situation.meter.actions["verify"] += 1
    return frames


def _clocks(frames: Sequence[Frame]) -> str:
    return ", ".join(clock(frame.time) for frame in frames)


def _digest(frame: Frame) -> str:
    return hashlib.sha256(frame.image.tobytes()).hexdigest()
