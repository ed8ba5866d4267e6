"""What is unusual for this scene, learned from the footage itself: where others go, how fast, how long, which way.

Each subject is held against all the others, never against itself. Nothing is called unusual before `LEAST_OTHERS` have
passed: with fewer there is no usual.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from vidence.apps.watch.happening import Happening
from vidence.apps.watch.subjects import Subject, stand

if TYPE_CHECKING:
    from vidence.timeline import Span

COLUMNS, ROWS = 24, 16
LEAST_OTHERS = 10
RARE = 0.04  # of the others, that a place is visited by at most
OFF = 0.5  # of a path in rare places
STRAY = 5.0  # robust deviations of speed or stay
AGAINST = -0.6  # cosine with the way in which the others go
FEW = 0.05  # of all, that a kind makes up


@dataclass(frozen=True, slots=True)
class Manner:
    """How one subject went: cells with its way in each, speed in heights a second, seconds it stayed."""

    subject: Subject
    cells: dict[tuple[int, int], tuple[float, float]]
    speed: float
    stay_s: float


def unusual(subjects: Sequence[Subject], anchor: str, whole: Span) -> list[Happening]:
    """Return those that do what few others do, with what that is."""
    manners = [_manner(one, anchor) for one in subjects if one.moves and len(one.path) >= 4]
    if len(manners) <= LEAST_OTHERS:
        return []
    visits = np.zeros((ROWS, COLUMNS))
    flow = np.zeros((ROWS, COLUMNS, 2))
    for manner in manners:
        for (x, y), way in manner.cells.items():
            visits[y, x] += 1
            flow[y, x] += way
    speeds = np.array([m.speed for m in manners])
    stays = np.array([m.stay_s for m in manners])
    events = []
    for at, manner in enumerate(manners):
        reasons = [
            *_where(manner, visits, len(manners) - 1),
            *_which_way(manner, visits, flow),
            *_stray(np.delete(speeds, at), manner.speed, "moves", "as fast as is usual here", high=True),
            *_stray(np.delete(stays, at), manner.stay_s, "stays", "as long as is usual here", high=True),
            *_kind(manner, manners),
        ]
        if not reasons:
            continue
        one, why = manner.subject, "; ".join(text for _, text in reasons)
        score = 1 - math.prod(1 - score for score, _ in reasons)
        data = {"subjects": [one.id], "others": len(manners) - 1}
        title = f"{one.id} does what is unusual here"
        sure = min(score, one.confidence)
        events.append(
            Happening("unusual", title, one.span.clipped(whole), sure, f"{one.id} {why}", (one,), (), data)
        )
    return events


def _manner(one: Subject, anchor: str) -> Manner:
    points = np.array([stand(box, one.kind, anchor) for _, box in one.path])
    times = np.array([float(time) for time, _ in one.path])
    if len(points) >= 5:  # boxes tremble
        points = np.stack(
            [np.convolve(np.pad(points[:, k], 1, "edge"), np.ones(3) / 3, "valid") for k in (0, 1)], 1
        )
    steps, passed = np.diff(points, axis=0), np.maximum(np.diff(times), 1e-3)
    height = float(np.median([box.h for _, box in one.path]))
    speed = float(np.median(np.linalg.norm(steps, axis=1) / passed)) / max(height, 0.02)
    cells: dict[tuple[int, int], tuple[float, float]] = {}
    for at, (x, y) in enumerate(points):
        dx, dy = steps[min(at, len(steps) - 1)]
        long = math.hypot(dx, dy)
        key = min(int(x * COLUMNS), COLUMNS - 1), min(int(y * ROWS), ROWS - 1)
        if long > 0.004:
            cells[key] = (dx / long, dy / long)
        else:
            cells.setdefault(key, (0.0, 0.0))
    return Manner(one, cells, speed, float(one.span.duration))


def _around(grid: np.ndarray, x: int, y: int) -> np.ndarray:
    return grid[max(y - 1, 0) : y + 2, max(x - 1, 0) : x + 2]


def _where(manner: Manner, visits: np.ndarray, others: int) -> list[tuple[float, str]]:
    """Hold where it goes against where the others go; its own visit is taken off."""
    least = max(1.0, RARE * others)
    seen = [max(float(_around(visits, x, y).max()) - 1, 0.0) for x, y in manner.cells]
    rare = sum(count < least for count in seen) / len(seen)
    if rare < OFF or len(seen) < 3:
        return []
    few = int(least) - 1
    whom = f"at most {few} of {others} others go" if few > 0 else f"none of {others} others goes"
    return [(min(0.4 + rare / 2, 0.9), f"goes where {whom} ({rare:.0%} of its way)")]


def _which_way(manner: Manner, visits: np.ndarray, flow: np.ndarray) -> list[tuple[float, str]]:
    """Hold its way against that of the others, where there is one: enough of them, and most alike."""
    cosines = []
    for (x, y), (dx, dy) in manner.cells.items():
        count, way = float(visits[y, x]) - 1, flow[y, x] - (dx, dy)
        strength = float(np.hypot(*way))
        if count >= 6 and strength / count > 0.8 and (dx or dy):
            cosines.append(float(way @ (dx, dy)) / strength)
    if len(cosines) < 4 or float(np.median(cosines)) > AGAINST:
        return []
    return [(0.7, "goes against the way that the others go there")]


def _stray(others: np.ndarray, own: float, verb: str, than: str, *, high: bool) -> list[tuple[float, str]]:
    middle = float(np.median(others))
    spread = 1.4826 * float(np.median(np.abs(others - middle))) + 0.05 * abs(middle) + 1e-6
    stray = (own - middle) / spread
    if not high or stray < STRAY or own < 2 * middle:
        return []
    return [(min(0.5 + 0.04 * stray, 0.9), f"{verb} {own / max(middle, 1e-6):.1f} times {than}")]


def _kind(manner: Manner, manners: Sequence[Manner]) -> list[tuple[float, str]]:
    alike = sum(m.subject.kind == manner.subject.kind for m in manners)
    if len(manners) < 20 or alike > max(1, FEW * len(manners)):
        return []
    return [(0.6, f"is a {manner.subject.kind}: {alike} of {len(manners)} that passed")]
