"""Decide at each look whether anything must be read, where, and how finely: reading costs far more than looking.

A reduced grey picture is kept of what was last read, block by block. A block that differs from it is unread; an unread
block that no longer changes is calm and read at once, a moving one only every `BUSY_GAP_S`. A bucket of pixels, filled
by the media's clock (not the machine's, so that results repeat), decides whether a large area is looked at finely.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

from vidence.senses.observation import Box

if TYPE_CHECKING:
    from vidence.timeline import Instant

WIDTH_PX = 320  # of the reduced picture
BLOCK_PX = 8
CHANGE = 14  # grey levels; compression noise stays below 8, thin grey writing on white reaches 20
BUSY_GAP_S = 1.5
FINE_MPX = 0.16  # megapixels a second that may be looked at finely: 48 CPU seconds in ten minutes
BUCKET_MPX = 1.9
COARSE_SCALE = 0.5
WHOLE = 0.4  # share of the picture above which it is read whole


@dataclass(frozen=True, slots=True)
class Errand:
    """Where to read, and with what share of the frame's resolution."""

    region: Box
    scale: float


class Gate:
    """Remembers what was read and what was seen at the last look. One gate serves one run of frames in time order."""

    def __init__(self) -> None:
        self._read: np.ndarray | None = None
        self._last: np.ndarray | None = None
        self._time: Instant | None = None
        self._busy_read: Instant | None = None
        self._bucket_mpx = BUCKET_MPX

    def errand(self, grey: np.ndarray, time: Instant) -> Errand | None:
        """Say what to read in this frame (full-size grey picture, shape (H, W)), or None when nothing is new."""
        now = cv2.resize(
            grey,
            (WIDTH_PX, max(1, round(WIDTH_PX * grey.shape[0] / grey.shape[1]))),
            interpolation=cv2.INTER_AREA,
        )
        if self._time is not None:
            self._bucket_mpx = min(BUCKET_MPX, self._bucket_mpx + FINE_MPX * float(time - self._time))
        self._time = time
        wanted = self._wanted(now, time)
        self._last = now
        if wanted is None:
            return None
        self._mark_read(now, wanted)
        return Errand(wanted, self._scale(wanted, grey.shape[0] * grey.shape[1] / 1e6))

    def _wanted(self, now: np.ndarray, time: Instant) -> Box | None:
        if self._read is None or self._last is None or self._read.shape != now.shape:
            self._read, self._busy_read = now.copy(), time
            return Box(0, 0, 1, 1)
        unread = _changed(self._read, now)
        if not unread.any():
            return None
        calm = unread & ~_changed(self._last, now)
        if calm.any():
            return _region(_joined(unread, calm))
        if self._busy_read is not None and time - self._busy_read < BUSY_GAP_S:
            return None
        self._busy_read = time
        return _region(unread)

    def _mark_read(self, now: np.ndarray, region: Box) -> None:
        assert self._read is not None
        height, width = now.shape
        top, bottom = int(region.y * height), round((region.y + region.h) * height)
        left, right = int(region.x * width), round((region.x + region.w) * width)
        self._read[top:bottom, left:right] = now[top:bottom, left:right]

    def _scale(self, region: Box, frame_mpx: float) -> float:
        mpx = region.area * frame_mpx
        if mpx > self._bucket_mpx:
            return COARSE_SCALE
        self._bucket_mpx -= mpx
        return 1.0


def _changed(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Return which blocks differ: bool, one value a block of 8 x 8 pixels."""
    difference = cv2.blur(cv2.absdiff(a, b), (2, 2))
    rows, columns = -(-a.shape[0] // BLOCK_PX), -(-a.shape[1] // BLOCK_PX)
    padded = np.zeros((rows * BLOCK_PX, columns * BLOCK_PX), np.uint8)
    padded[: a.shape[0], : a.shape[1]] = difference
    return padded.reshape(rows, BLOCK_PX, columns, BLOCK_PX).max(axis=(1, 3)) > CHANGE


def _joined(unread: np.ndarray, seeds: np.ndarray) -> np.ndarray:
    """Return the connected groups of unread blocks that hold a seed."""
    _, labels = cv2.connectedComponents(cv2.dilate(unread.astype(np.uint8), np.ones((3, 5), np.uint8)))
    return np.isin(labels, np.unique(labels[seeds])) & (labels > 0)


def _region(mask: np.ndarray) -> Box:
    """Return the box around marked blocks, one block wider on each side; the whole picture when it is most of it."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    height, width = mask.shape
    left, right = max(columns[0] - 2, 0) / width, min(columns[-1] + 3, width) / width
    top, bottom = max(rows[0] - 1, 0) / height, min(rows[-1] + 2, height) / height
    box = Box(left, top, right - left, bottom - top)
    return Box(0, 0, 1, 1) if box.area > WHOLE else box
