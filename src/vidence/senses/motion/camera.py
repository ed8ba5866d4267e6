"""How the camera itself moves: pans, tilts, zooms and shake, from the motion that most of the picture shares.

Between two samples corners are followed by sparse optical flow and a similarity (shift, turn, scale) is fitted to
them robustly. Steps are smoothed, named, and gathered into stretches of one move. `dx` and `dy` count how far the
camera turned to the right and down, in picture widths and heights; `scale` above 1 means nearer.

Legend: grey pictures are (height, width) uint8; points P are (n, 2) x, y in pixels.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import groupby, pairwise
from typing import TYPE_CHECKING

import numpy as np

from vidence.timeline import Instant, Span

if TYPE_CHECKING:
    from vidence.media import Image

SIDE = 240  # px: sparse flow between two such pictures costs about 5 ms
CORNERS = 120
CORNERS_LAST = 5  # steps: while nothing moves the corners stay where they are, and finding them costs 1 ms
PASSING_S = 20  # longer than this nothing passes; a camera may well come back
STILL_PX = 0.3  # corners of a fixed camera stay within this at 240 px, noise and compression included
STILL_LEVELS = 3.0  # of 255: mean change of a cell that stayed, noise included
STILL_SHARE = 0.3  # of the corners, over at least `STILL_CELLS` of 16 cells: then things move, not the camera
STILL_CELLS = 6
TRUST = 0.35  # share of corners that must agree on a move for it to count as the camera's
PAN_PER_S, TILT_PER_S, ZOOM_PER_S = 0.03, 0.04, 0.03  # widths, heights, natural log of scale
SHAKE_PER_S = 0.05  # mean speed of a shaking picture that gets nowhere
FAR = (0.18, 0.3, 0.3)  # scale (natural log), widths, heights over a shot: less is getting nowhere
SMOOTH_STEPS = 5  # one second at 5 Hz
SHORTEST_S = 0.8
WORDS = {
    "static": "static camera",
    "pan left": "camera pans left",
    "pan right": "camera pans right",
    "tilt up": "camera tilts up",
    "tilt down": "camera tilts down",
    "zoom in": "camera moves in",
    "zoom out": "camera moves out",
    "shake": "camera shakes",
}


@dataclass(frozen=True, slots=True)
class Step:
    """What the camera did between two samples.

    `matrix` is the 2x3 similarity that takes points of the earlier picture to the later one, in pixels. `trust` is the
    share of corners that agree, 0 where nothing could be followed. `cut`: the two pictures have nothing in common.
    """

    span: Span
    dx: float
    dy: float
    zoom: float  # natural log of the scale
    trust: float
    still: bool
    cut: bool
    matrix: np.ndarray


@dataclass(frozen=True, slots=True)
class Stretch:
    """A time in which the camera makes one move."""

    span: Span
    move: str
    dx: float
    dy: float
    scale: float
    confidence: float


def steps_between(times: Sequence[Instant], pictures: Sequence[Image]) -> list[Step]:
    """Estimate the camera's motion between each sample and the next.

    A run of moving steps between two pictures that lie exactly on each other was no camera movement: something large
    passed before a camera that stood still.
    """
    greys = [_grey(picture) for picture in pictures]
    steps: list[Step] = []
    corners_P = np.empty((0, 2), np.float32)
    for k in range(len(times) - 1):
        if k % CORNERS_LAST == 0 or not steps[-1].still:
            corners_P = find_corners(greys[k])
        step = _step(greys[k], greys[k + 1], Span(times[k], times[k + 1]), corners_P)
        if step.trust < TRUST and _unlike(pictures[k], pictures[k + 1]):
            step = replace(step, cut=True, still=False)
        steps.append(step)
    for a, b in pairwise(_anchors(greys)):
        if b - a > 1 and times[b] - times[a] <= PASSING_S and _same_view(greys[a], greys[b]):
            steps[a:b] = [step if step.still else _stand(step.span, 0.8) for step in steps[a:b]]
    return steps


def _same_view(before: np.ndarray, after: np.ndarray) -> bool:
    return _calm(before, after) >= 0.75 or _step(before, after, Span(Fraction(0), Fraction(0))).still


def _anchors(greys: Sequence[np.ndarray]) -> list[int]:
    """Return the pictures that hardly differ from a neighbour: nothing moves, neither camera nor thing."""
    calm = [_calm(a, b) >= 0.95 for a, b in pairwise(greys)]
    return [k for k in range(len(greys)) if any(calm[max(k - 1, 0) : k + 1])]


def _stand(span: Span, trust: float) -> Step:
    return Step(span, 0.0, 0.0, 0.0, trust, True, False, np.eye(2, 3))


def _grey(picture: Image) -> np.ndarray:
    import cv2

    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    scale = SIDE / max(grey.shape)
    return cv2.resize(grey, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA) if scale < 1 else grey


def _step(before: np.ndarray, after: np.ndarray, span: Span, corners_P: np.ndarray | None = None) -> Step:
    """Estimate one step from two grey pictures, the second brought to the first one's brightness."""
    import cv2

    gain = float(np.median((before[::4, ::4] + 2.0) / (after[::4, ::4] + 2.0)))
    after = cv2.convertScaleAbs(after, alpha=gain) if abs(gain - 1) > 0.01 else after
    start_P = find_corners(before) if corners_P is None else corners_P
    start_P, end_P = _follow(before, after, start_P)
    height, width = before.shape
    if len(start_P) >= 8 and _mostly_still(start_P, end_P, width, height):
        return _stand(span, 1.0)
    back_P, again_P = _follow(after, before, end_P, keep_lost=True)
    good = np.abs(again_P - start_P).max(axis=1) < 0.7 if len(back_P) else np.zeros(0, bool)
    start_P, end_P = start_P[good], end_P[good]
    matrix, trust = _fit(start_P, end_P)
    if matrix is None or trust < TRUST:
        return replace(_stand(span, 0.5 * trust), still=_calm(before, after) >= 0.75)
    middle = np.array([width / 2, height / 2, 1.0])
    x, y = matrix @ middle - middle[:2]
    zoom = 0.5 * float(np.log(max(matrix[0, 0] ** 2 + matrix[1, 0] ** 2, 1e-6)))
    return Step(span, -float(x) / width, -float(y) / height, zoom, trust, False, False, matrix)


def _calm(before: np.ndarray, after: np.ndarray) -> float:
    """Return the share of 8 x 6 cells that stayed as they were, but for noise and a change of exposure."""
    import cv2

    change = after.astype(np.float32) - before
    off = np.abs(change - np.median(change))
    return float((cv2.resize(off, (8, 6), interpolation=cv2.INTER_AREA) < STILL_LEVELS).mean())


def find_corners(grey: np.ndarray) -> np.ndarray:
    """Return up to `CORNERS` points worth following."""
    import cv2

    corners = cv2.goodFeaturesToTrack(grey, CORNERS, 0.01, 7)
    return np.empty((0, 2), np.float32) if corners is None else corners[:, 0]


def _follow(
    before: np.ndarray, after: np.ndarray, points_P: np.ndarray, keep_lost: bool = False
) -> tuple[np.ndarray, np.ndarray]:
    """Follow points by pyramidal Lucas-Kanade flow; return where they began and ended (lost ones end at infinity)."""
    import cv2

    if not len(points_P):
        return points_P, points_P
    moved, found, _ = cv2.calcOpticalFlowPyrLK(
        before, after, points_P[:, None], np.empty(0), winSize=(13, 13), maxLevel=3
    )
    kept = found[:, 0] > 0
    if keep_lost:
        moved[~kept] = np.inf
        kept[:] = True
    return points_P[kept], moved[kept, 0]


def _mostly_still(start_P: np.ndarray, end_P: np.ndarray, width: int, height: int) -> bool:
    """Say whether enough corners, spread over the picture, stayed where they were."""
    stayed = np.linalg.norm(end_P - start_P, axis=1) < STILL_PX
    if stayed.mean() < STILL_SHARE:
        return False
    cells = (start_P[stayed] / (width / 4, height / 4)).astype(int)
    return len({tuple(cell) for cell in cells}) >= STILL_CELLS


def _fit(start_P: np.ndarray, end_P: np.ndarray) -> tuple[np.ndarray | None, float]:
    """Fit a similarity; return it and the share of corners within 1.5 px of it."""
    import cv2

    if len(start_P) < 8:
        return None, 0.0
    matrix, inliers = cv2.estimateAffinePartial2D(
        start_P, end_P, method=cv2.RANSAC, ransacReprojThreshold=1.5, maxIters=400
    )
    return (None, 0.0) if matrix is None else (matrix, float(inliers.mean()))


def _unlike(before: Image, after: Image) -> bool:
    """Say whether two pictures differ both in their colours and in their structure, as across a cut."""
    import cv2

    small = [cv2.resize(picture, (32, 18), interpolation=cv2.INTER_AREA) for picture in (before, after)]
    counts = [np.bincount((p // 64).reshape(-1, 3).astype(int) @ [16, 4, 1], minlength=64) for p in small]
    if np.minimum(*counts).sum() > 0.65 * counts[0].sum():
        return False
    a, b = (picture.mean(axis=2).ravel() - picture.mean() for picture in small)
    return float(a @ b) < 0.7 * float(np.sqrt((a @ a) * (b @ b)))


def shots_of(steps: Sequence[Step]) -> list[list[Step]]:
    """Split at cuts; the steps across cuts are dropped."""
    return [list(group) for cut, group in groupby(steps, key=lambda step: step.cut) if not cut]


def stretches(steps: Sequence[Step]) -> list[Stretch]:
    """Gather the steps of one shot into stretches of one move each."""
    if not steps:
        return []
    names = _absorb_short([_name(steps, k) for k in range(len(steps))], steps)
    found, at = [], 0
    for move, group in groupby(names):
        count = len(list(group))
        found.append(_stretch(move, steps[at : at + count]))
        at += count
    return found


def travel(steps: Sequence[Step]) -> Stretch:
    """Sum up a whole shot: the move that dominates the total, else what the camera mostly did."""
    lasted: dict[str, float] = {}
    for part in stretches(steps):
        lasted[part.move] = lasted.get(part.move, 0.0) + float(part.span.duration)
    calm = lasted.get("static", 0.0) >= sum(lasted.values()) / 2
    return named(_stretch("static", steps), "static" if calm else "shake")


def named(whole: Stretch, otherwise: str) -> Stretch:
    """Name a summed move by its greatest total, or `otherwise` where the camera gets nowhere."""
    ratios = np.abs([np.log(whole.scale), whole.dx, whole.dy]) / FAR
    if ratios.max() < 1:
        return replace(whole, move=otherwise if otherwise in ("static", "shake") else "shake")
    move = _direction(int(np.argmax(ratios)), float(np.log(whole.scale)), whole.dx, whole.dy)
    return replace(whole, move=move)


def _stretch(move: str, steps: Sequence[Step]) -> Stretch:
    dx, dy, zoom = (float(sum(getattr(step, key) for step in steps)) for key in ("dx", "dy", "zoom"))
    span = Span(steps[0].span.start, steps[-1].span.end)
    trust = float(np.mean([step.trust for step in steps]))
    return Stretch(span, move, dx, dy, float(np.exp(zoom)), round(min(trust, 0.99), 3))


def _name(steps: Sequence[Step], k: int) -> str:
    """Name the move at step k from the steps around it."""
    near = steps[max(k - SMOOTH_STEPS // 2, 0) : k + SMOOTH_STEPS // 2 + 1]
    seconds = float(sum(step.span.duration for step in near))
    if all(step.still for step in near) or seconds <= 0:
        return "static"
    rates = np.array([[s.zoom, s.dx, s.dy] for s in near]).sum(axis=0) / seconds
    ratios = np.abs(rates) / (ZOOM_PER_S, PAN_PER_S, TILT_PER_S)
    if ratios.max() >= 1:
        return _direction(int(np.argmax(ratios)), *rates)
    restless = sum(abs(s.dx) + abs(s.dy) for s in near) / seconds
    return "shake" if restless > SHAKE_PER_S else "static"


def _direction(axis: int, zoom: float, dx: float, dy: float) -> str:
    if axis == 0:
        return "zoom in" if zoom > 0 else "zoom out"
    if axis == 1:
        return "pan right" if dx > 0 else "pan left"
    return "tilt down" if dy > 0 else "tilt up"


def _absorb_short(names: list[str], steps: Sequence[Step]) -> list[str]:
    """Give moves shorter than `SHORTEST_S` the name of the longer neighbour, shortest first."""
    while True:
        runs = [(move, len(list(group))) for move, group in groupby(names)]
        edges = np.concatenate([[0], np.cumsum([count for _, count in runs])]).astype(int)
        spans = [float(steps[b - 1].span.end - steps[a].span.start) for a, b in pairwise(edges)]
        short = [k for k, length in enumerate(spans) if length < SHORTEST_S]
        if len(runs) < 2 or not short:
            return names
        k = min(short, key=lambda k: spans[k])
        beside = [j for j in (k - 1, k + 1) if 0 <= j < len(runs)]
        names[edges[k] : edges[k + 1]] = [runs[max(beside, key=lambda j: spans[j])][0]] * runs[k][1]
