"""What a static scene gains or loses for good: something put down, taken away, or replaced.

Every pixel has a calm state: its value over a window in which it hardly varies. When it comes to rest at another value
than before, that is a change; changes that come together and lie together are one thing. Whether it came or went is
read from its outline: the picture that has edges along it has the thing.

Legend: T samples, Y X picture rows and columns, C colour (RGB); boxes are fractions of the picture.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from vidence.senses.colour_names import name_colours
from vidence.senses.observation import Box
from vidence.timeline import Instant, Span

SIDE = 160
CALM_LOOKS = 8  # 1.6 s at 5 Hz: a hand that places a thing is gone by then, a walker does not rest so exactly
CALM_LEVELS = 16  # of 255: a pixel that varies less within the window is at rest
CHANGE_LEVELS = 22  # of 255: two states differ by more
LEAST_AREA = 0.002  # of the picture
MOST_AREA = 0.5  # more than this is the light or the camera
TOGETHER_S = 1.2
EDGE_RATIO = 1.2  # one outline must be this much sharper than the other to say which picture holds the thing


@dataclass(frozen=True, slots=True, eq=False)
class Change:
    """One lasting change: `span` from the last look at the old state (sample `old`) to the first at the new (`new`)."""

    old: int
    new: int
    mask_YX: np.ndarray
    span: Span
    box: Box
    change: str
    colours: list[tuple[str, float]]
    area: float
    confidence: float


@dataclass(slots=True, eq=False)
class Settling:
    """Pixels that came to rest at a new value within one stretch of time: where, since when, until when the old."""

    looks: list[int]
    where_YX: np.ndarray
    old_YX: np.ndarray  # sample index of the last look at the old state
    new_YX: np.ndarray  # of the first at the new


def find_changes(times: Sequence[Instant], pictures: Sequence[np.ndarray]) -> list[Change]:
    """Return the lasting changes of a fixed camera's scene, in time order."""
    if len(times) < 2 * CALM_LOOKS:
        return []
    small_TYXC = np.stack([_small(picture) for picture in pictures])
    found = [
        change for settling in _settlings(times, small_TYXC) for change in _things(times, pictures, settling)
    ]
    return sorted(found, key=lambda change: change.span.start)


def _small(picture: np.ndarray) -> np.ndarray:
    import cv2

    scale = min(SIDE / max(picture.shape[:2]), 1.0)
    return cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)


def _settlings(times: Sequence[Instant], small_TYXC: np.ndarray) -> Iterator[Settling]:
    """Follow every pixel's calm state; yield what settles together."""
    shape = small_TYXC.shape[1:3]
    state_YXC = np.zeros((*shape, 3), np.float32)
    known, last = np.zeros(shape, bool), np.zeros(shape, int)
    group: Settling | None = None
    for k in range(CALM_LOOKS - 1, len(times)):
        small_TYXC[k] = _levelled(small_TYXC[k], state_YXC, known)
        window = small_TYXC[k - CALM_LOOKS + 1 : k + 1]
        calm = _widest(window.max(axis=0) - window.min(axis=0)) < CALM_LEVELS
        value = window[CALM_LOOKS // 2].astype(np.float32)
        other = calm & known & (_widest(np.abs(value - state_YXC)) > CHANGE_LEVELS)
        if group and times[k] - times[group.looks[-1]] > TOGETHER_S:
            yield group
            group = None
        if other.mean() > LEAST_AREA / 8:
            group = group or Settling([], np.zeros(shape, bool), np.zeros(shape, int), np.zeros(shape, int))
            fresh = other & ~group.where_YX
            group.looks.append(k)
            group.where_YX |= other
            group.old_YX[fresh] = last[fresh]
            group.new_YX[other] = k - CALM_LOOKS + 1
        state_YXC[calm] = value[calm]
        known |= calm
        last[calm] = k
    if group:
        yield group


def _levelled(picture_YXC: np.ndarray, state_YXC: np.ndarray, known_YX: np.ndarray) -> np.ndarray:
    """Undo a change of exposure: scale each channel so that most of the picture is as it was."""
    import cv2

    rough = (slice(1, None, 5), slice(1, None, 5))
    seen = known_YX[rough]
    if not seen.any():
        return picture_YXC
    gain = np.median((state_YXC[rough][seen] + 2) / (picture_YXC[rough][seen] + 2.0), axis=0)
    scalar: Any = (*gain.tolist(), 0.0)
    return cv2.multiply(picture_YXC, scalar)


def _widest(picture_YXC: np.ndarray) -> np.ndarray:
    return np.maximum(np.maximum(picture_YXC[..., 0], picture_YXC[..., 1]), picture_YXC[..., 2])


def _things(times: Sequence[Instant], pictures: Sequence[np.ndarray], settling: Settling) -> Iterator[Change]:
    """Yield each connected region of settled pixels as one change."""
    import cv2

    mask = cv2.morphologyEx(settling.where_YX.astype(np.uint8), cv2.MORPH_CLOSE, np.ones((5, 5), np.uint8))
    mask = cv2.morphologyEx(mask, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
    height, width = mask.shape
    for k in range(1, count):
        x, y, w, h, area = (int(value) for value in stats[k])
        share = area / mask.size
        inside = (labels == k) & settling.where_YX
        if not LEAST_AREA <= share <= MOST_AREA or not inside.any():
            continue
        old, new = int(np.median(settling.old_YX[inside])), int(np.median(settling.new_YX[inside]))
        if _stands_out(pictures[old], pictures[new], labels == k) < CHANGE_LEVELS:
            continue
        kind, sure, colours = _came_or_went(pictures[old], pictures[new], labels == k)
        box = Box(x / width, y / height, w / width, h / height)
        confidence = round(min(0.5 + 0.25 * sure + 10 * min(share, 0.02), 0.95), 3)
        span = Span(times[min(old, new)], times[new])
        yield Change(old, new, labels == k, span, box, kind, colours, share, confidence)


def _stands_out(before: np.ndarray, after: np.ndarray, mask_YX: np.ndarray) -> float:
    """Mean change within the mask beyond that of its surroundings, 0 to 255: what the light alone does is the same."""
    import cv2

    size = mask_YX.shape[::-1]
    old, new = (
        cv2.resize(p, size, interpolation=cv2.INTER_AREA).astype(np.float32) + 2 for p in (before, after)
    )
    mask = mask_YX.astype(np.uint8)
    ring = cv2.dilate(mask, np.ones((15, 15), np.uint8)) - cv2.dilate(mask, np.ones((5, 5), np.uint8))
    light = np.median(new[ring > 0] / old[ring > 0], axis=0) if ring.any() else np.ones(3)
    return float(_widest(np.abs(new - old * light))[mask_YX].mean())


def _came_or_went(
    before: np.ndarray, after: np.ndarray, mask_YX: np.ndarray
) -> tuple[str, float, list[tuple[str, float]]]:
    """Tell which of two pictures holds the thing; return the change, how sure (0 to 1), and the thing's colours."""
    import cv2

    height, width = before.shape[:2]
    mask = cv2.resize(mask_YX.astype(np.uint8), (width, height), interpolation=cv2.INTER_NEAREST)
    rim = cv2.dilate(mask, np.ones((5, 5), np.uint8)) - cv2.erode(mask, np.ones((5, 5), np.uint8))
    edges = []
    for picture in (before, after):
        grey = cv2.GaussianBlur(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), (0, 0), 1.0)
        slope = cv2.magnitude(cv2.Sobel(grey, cv2.CV_32F, 1, 0), cv2.Sobel(grey, cv2.CV_32F, 0, 1))
        edges.append(float(slope[rim > 0].mean()) + 1.0)
    ratio = edges[0] / edges[1]
    kind = "disappeared" if ratio > EDGE_RATIO else "appeared" if ratio < 1 / EDGE_RATIO else "changed"
    holder = before if ratio > 1 else after
    colours = [(name, round(share, 3)) for name, share in name_colours(holder[mask > 0])[:4]]
    return kind, min(abs(float(np.log(ratio))), 1.0), colours
