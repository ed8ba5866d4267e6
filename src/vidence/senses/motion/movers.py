"""Things that move through the picture: each one followed from its first to its last visible moment.

Blobs of foreground are followed by the shared tracker; a blob that does not move may continue a track (a walker who
stops) but not begin one. A track becomes a mover when it lasts, gets somewhere, and does so in some order.

Legend: T samples, Y X picture rows and columns; boxes are fractions of the picture.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from vidence.senses.colour_names import name_colours
from vidence.senses.motion.foreground import Masks
from vidence.senses.observation import Box
from vidence.senses.tracking import Sighting, Track, Tracker
from vidence.timeline import Instant

LEAST_AREA = 0.0006  # of the picture: 7 x 7 px of 320 x 240
LEAST_LOOKS, LEAST_S = 3, 0.5
LEAST_PATH = 0.04  # picture sides between the ends, or half the thing's own size if that is more
LEAST_ORDER = 0.25  # net path over walked path: leaves and flames go to and fro
PATIENCE_S = 1.2
LEAST_MOVING = 0.1  # share of a blob's pixels; the inside of an even surface does not seem to move
EDGE = 0.015  # a box this near to the border touches it
LEAST_LIT = (
    0.3  # share of a blob that is no shade of the background; below, the thing itself may be a dark grey
)
PIXELS = 300  # taken from each blob for its colours


@dataclass(frozen=True, slots=True, eq=False)
class Mover:
    """One thing that moved: where it was at each sample, and what can be said of its whole path."""

    path: tuple[tuple[Instant, Box], ...]
    direction: str
    enters: str | None
    leaves: str | None
    colours: list[tuple[str, float]]
    area: float
    distance: float
    smoothness: float
    confidence: float


@dataclass(slots=True)
class Looks:
    """What is kept beside the tracker: the sample times, and of each sighting its pixels and whether it moved."""

    times: dict[float, Instant] = field(default_factory=dict)
    pixels: dict[Sighting, np.ndarray] = field(default_factory=dict)
    moving: set[Sighting] = field(default_factory=set)


def find_movers(
    times: Sequence[Instant], pictures: Sequence[np.ndarray], seen: Iterable[Masks], trust: float
) -> list[Mover]:
    """Follow what moves; `trust` (0 to 1) scales the confidence where the camera itself moves."""
    tracker, looks = Tracker(PATIENCE_S), Looks()
    for time, picture, mask in zip(times, pictures, seen, strict=True):
        looks.times[float(time)] = time
        blobs = list(_blobs(picture, mask, looks))
        # What does not move is offered only where something is already followed: it may continue, not begin.
        near = [track.last.box for track in tracker.alive]
        offered = [b for b in blobs if b in looks.moving or any(b.box.iou(box) > 0 for box in near)]
        tracker.look(float(time), offered)
    ends = (times[0], times[-1]) if times else None
    tracks = [_trimmed(track, looks) for track in tracker.finish()]
    return [_mover(track, looks, ends, trust) for track in tracks if ends and _real(track)]


def _trimmed(track: Track, looks: Looks) -> Track:
    """Drop the looks before the first movement and after the last: what only stays belongs to the scene."""
    moving = [k for k, (_, seen) in enumerate(track.looks) if seen in looks.moving]
    return Track(track.looks[moving[0] : moving[-1] + 1] if moving else [])


def _blobs(picture: np.ndarray, mask: Masks, looks: Looks) -> Iterator[Sighting]:
    """Yield each blob of foreground, its pixels and whether it moves noted in `looks`."""
    import cv2

    height, width = mask.foreground_YX.shape
    count, labels, stats, _ = cv2.connectedComponentsWithStats(
        mask.foreground_YX.astype(np.uint8), connectivity=8
    )
    for k in range(1, count):
        x, y, w, h, area = (int(value) for value in stats[k])
        if area < LEAST_AREA * height * width:
            continue
        inside = labels[y : y + h, x : x + w] == k
        skip = max(area // PIXELS, 1)
        pixels = picture[y : y + h, x : x + w][inside][::skip]
        box = Box(x / width, y / height, w / width, h / height)
        blob = Sighting("thing", 1.0, box, _histogram(pixels))
        lit = pixels[~mask.dimmed_YX[y : y + h, x : x + w][inside][::skip]]
        looks.pixels[blob] = lit if len(lit) >= LEAST_LIT * len(pixels) else pixels
        moving = mask.moving_YX[y : y + h, x : x + w][inside]
        if moving.mean() > LEAST_MOVING:
            looks.moving.add(blob)
        yield blob


def _histogram(pixels_N3: np.ndarray) -> np.ndarray:
    bins = np.bincount((pixels_N3 // 64).astype(int) @ [16, 4, 1], minlength=64)
    return bins / max(bins.sum(), 1)


def _real(track: Track) -> bool:
    """Say whether a track lasts, gets somewhere, and does so in some order."""
    if len(track.looks) < LEAST_LOOKS or track.last_s - track.first_s < LEAST_S:
        return False
    net, walked = _net(track), _walked(track)
    size = math.sqrt(float(np.median([seen.box.area for _, seen in track.looks])))
    return net >= max(LEAST_PATH, 0.5 * min(size, 0.5)) and net >= LEAST_ORDER * walked


def _net(track: Track) -> float:
    """Farthest from where it began, in picture sides."""
    x0, y0 = track.looks[0][1].box.centre
    return max(math.hypot(s.box.centre[0] - x0, s.box.centre[1] - y0) for _, s in track.looks)


def _walked(track: Track) -> float:
    """Length of the path, smoothed over three looks so that a trembling box does not lengthen it."""
    points = np.array([seen.box.centre for _, seen in track.looks])
    if len(points) >= 5:
        points = np.stack([np.convolve(points[:, k], np.ones(3) / 3, "valid") for k in (0, 1)], axis=1)
    return float(np.linalg.norm(np.diff(points, axis=0), axis=1).sum())


def _mover(track: Track, looks: Looks, ends: tuple[Instant, Instant], trust: float) -> Mover:
    path = tuple((looks.times[at], seen.box) for at, seen in track.looks)
    first, last = path[0][1], path[-1][1]
    net, walked = _net(track), _walked(track)
    smooth = min(net / walked, 1.0) if walked > 0 else 0.0
    pixels = np.concatenate([looks.pixels[seen] for _, seen in track.looks])
    enters = None if path[0][0] == ends[0] else _edge(first, [box for _, box in path[:4]])
    leaves = None if path[-1][0] == ends[1] else _edge(last, [box for _, box in path[-1:-5:-1]])
    travelled = (
        1.0 if enters or leaves else min(net / 0.3, 1.0)
    )  # what only stirs in place may be part of a thing
    sure = 0.4 + 0.2 * min(len(path) / 10, 1.0) + 0.2 * smooth + 0.2 * travelled
    return Mover(
        path=path,
        direction=_direction(path),
        enters=enters,
        leaves=leaves,
        colours=[(name, round(share, 3)) for name, share in name_colours(pixels)[:4]],
        area=float(np.median([box.area for _, box in path])),
        distance=round(net, 4),
        smoothness=round(smooth, 3),
        confidence=round(trust * sure, 3),
    )


def _direction(path: Sequence[tuple[Instant, Box]]) -> str:
    """Name the way over the whole path."""
    (x0, y0), (x1, y1) = path[0][1].centre, path[-1][1].centre
    dx, dy = x1 - x0, y1 - y0
    if max(abs(dx), abs(dy)) < LEAST_PATH:
        growth = path[-1][1].area / max(path[0][1].area, 1e-9)
        return "nearer" if growth > 1.7 else "farther" if growth < 0.6 else "still"
    if abs(dx) >= abs(dy):
        return "right" if dx > 0 else "left"
    return "down" if dy > 0 else "up"


def _edge(at_edge: Box, inward: Sequence[Box]) -> str | None:
    """Name the border that a box touches at the end of its path; of several, the one it lies farthest behind."""
    gaps = {
        "left": at_edge.x,
        "right": 1 - at_edge.x - at_edge.w,
        "top": at_edge.y,
        "bottom": 1 - at_edge.y - at_edge.h,
    }
    touched = [edge for edge, gap in gaps.items() if gap <= EDGE]
    if not touched:
        return None
    (x0, y0), (x1, y1) = at_edge.centre, inward[-1].centre
    away = {"left": x1 - x0, "right": x0 - x1, "top": y1 - y0, "bottom": y0 - y1}
    return max(touched, key=lambda edge: away[edge])
