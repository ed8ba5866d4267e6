"""How a tracked thing moves through the picture: over which edge it comes and goes, and which way."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

import numpy as np

from vidence.senses.observation import Box

Edge = Literal["left", "right", "top", "bottom"]
Direction = Literal["left", "right", "up", "down", "nearer", "farther", "still"]

TOUCH = 0.02  # of the picture: nearer to an edge than this is at the edge
STILL = 0.06  # of the picture: a centre that moves less stays, allowing for loose boxes
GROWTH = 1.35  # of the side of a box: what changes more comes nearer or goes away
Path = Sequence[tuple[float, Box]]
"""Times in seconds and boxes, in time order."""


def crossed(path: Path, step_s: float, *, entering: bool) -> Edge | None:
    """Say over which edge a thing came in (or went out), or None where it appeared within the picture.

    A fast thing is first seen well inside. So it is followed back (or on) by one look, `step_s`, at the speed it had:
    an edge that it reaches in that time was crossed.
    """
    ordered = path if entering else path[::-1]
    box = ordered[0][1]
    inward_x, inward_y = _speed(ordered, step_s)
    gaps = {"left": box.x, "right": 1 - box.x - box.w, "top": box.y, "bottom": 1 - box.y - box.h}
    inward = {"left": inward_x, "right": -inward_x, "top": inward_y, "bottom": -inward_y}
    main = max(abs(inward_x), abs(inward_y))  # feet that touch the lower edge do not leave over it
    reached: list[tuple[float, Edge]] = [
        (inward[edge] - gaps[edge], edge)
        for edge in ("left", "right", "top", "bottom")
        if gaps[edge] <= TOUCH + max(inward[edge], 0.0)
        and (inward[edge] > max(TOUCH / 2, main / 2) or len(path) == 1)
    ]
    return max(reached)[1] if reached else None


def direction(path: Path) -> Direction:
    """Say which way it went on the whole, as seen by the viewer."""
    third = max(1, min(3, len(path) // 2))
    start, end = _typical(path[:third]), _typical(path[-third:])
    growth = math.log(math.sqrt(end.area / start.area)) if start.area and end.area else 0.0
    dx, dy = end.centre[0] - start.centre[0], end.centre[1] - start.centre[1]
    moved = max(abs(dx), abs(dy))
    if abs(growth) > math.log(GROWTH) and abs(growth) * max(start.w, start.h) > moved / 2:
        return "nearer" if growth > 0 else "farther"
    if moved < STILL:
        return "still"
    if abs(dx) >= abs(dy):
        return "right" if dx > 0 else "left"
    return "down" if dy > 0 else "up"


def _speed(path: Path, step_s: float) -> tuple[float, float]:
    """Movement of the centre in one step at the head of a path; positive x: to the right, as the path is given."""
    if len(path) < 2:
        return 0.0, 0.0
    (t0, a), (t1, b) = path[0], path[min(2, len(path) - 1)]
    steps = abs(t1 - t0) / step_s
    return (b.centre[0] - a.centre[0]) / steps, (b.centre[1] - a.centre[1]) / steps


def _typical(path: Path) -> Box:
    x, y, w, h = np.median([(box.x, box.y, box.w, box.h) for _, box in path], axis=0).tolist()
    return Box(x, y, w, h)
