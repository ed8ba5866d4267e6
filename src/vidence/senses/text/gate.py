"""Decide at each look whether anything must be read, where, and how finely: reading costs far more than looking.

A reduced grey picture is kept of what was last read, block by block. A block that differs from it is unread. Unread
blocks that no longer change are calm and are read at once, moving ones every `BUSY_GAP_S`. Reading spends pixels from
a bucket that the media's own clock fills (not the machine's, so that results repeat): with plenty in it an area is
read finely, with little coarsely, and finely later if it stays. What finds new writing is refunded, within limits.
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
FLOW_MPX = 0.14  # megapixels a second: with the bucket, at most 55 CPU seconds of detection in ten minutes
BUCKET_MPX = 1.4  # one fine look at a whole frame and two coarse ones
COARSE_SCALE = 0.5
SMALL = 0.2  # share of the picture that is read finely even with the last of the bucket
LEAST_BAND = 0.2  # of the picture's height: what is left to read finely is read in bands no lower than this
WHOLE = 0.4  # share of the picture above which it is read whole


@dataclass(frozen=True, slots=True)
class Errand:
    """Where to read, and with what share of the frame's resolution."""

    region: Box
    scale: float


class Gate:
    """Remembers what was read and what was seen at the last look. One gate serves one run of frames."""

    def __init__(self) -> None:
        self._read: np.ndarray | None = None  # grey, reduced: what was read, block by block
        self._coarse: np.ndarray | None = None  # bool, blocks: read coarsely only
        self._last: np.ndarray | None = None
        self._time: Instant | None = None
        self._busy_read: Instant | None = None
        self._bucket_mpx = self._refund_mpx = BUCKET_MPX
        self._spent_mpx = 0.0

    def errand(self, grey: np.ndarray, time: Instant) -> Errand | None:
        """Say what to read in this frame (full-size grey picture, shape (H, W)), or None when nothing is due."""
        height = max(1, round(WIDTH_PX * grey.shape[0] / grey.shape[1]))
        now = cv2.resize(grey, (WIDTH_PX, height), interpolation=cv2.INTER_AREA)
        if self._time is not None:
            earned_mpx = FLOW_MPX * float(time - self._time)
            self._bucket_mpx = min(BUCKET_MPX, self._bucket_mpx + earned_mpx)
            self._refund_mpx = min(BUCKET_MPX, self._refund_mpx + earned_mpx)
        self._time = time
        wanted, patient = self._wanted(now, time)
        self._last = now
        if wanted is not None and patient:
            wanted = self._affordable(wanted, grey.size / 1e6)
        if wanted is None or (scale := self._scale(wanted, grey.size / 1e6)) is None:
            return None
        self._mark_read(now, wanted, scale)
        return Errand(wanted, scale)

    def spend(self, mpx: float) -> None:
        """Take what was read besides the errand out of the bucket."""
        self._bucket_mpx -= mpx
        self._spent_mpx += mpx

    def refund(self) -> None:
        """Give back what the last errand cost, because it found new writing: a screen or a slide show earns more.

        Refunds come out of a bucket of their own, so that writing never more than doubles the cost.
        """
        back_mpx = min(self._spent_mpx, self._refund_mpx)
        self._refund_mpx -= back_mpx
        self._bucket_mpx = min(BUCKET_MPX, self._bucket_mpx + back_mpx)
        self._spent_mpx = 0.0

    def _wanted(self, now: np.ndarray, time: Instant) -> tuple[Box | None, bool]:
        """Return the region to read, and whether it was read coarsely before, so that it can wait."""
        if self._read is None or self._last is None or self._coarse is None or self._read.shape != now.shape:
            self._read, self._busy_read = now.copy(), time
            self._coarse = np.zeros_like(_changed(now, now))
            return Box(0, 0, 1, 1), False
        unread, moving = _changed(self._read, now), _changed(self._last, now)
        if (calm := unread & ~moving).any():
            return _region(_joined(unread, calm)), False
        if unread.any() and (self._busy_read is None or time - self._busy_read >= BUSY_GAP_S):
            self._busy_read = time
            return _region(unread), False
        if (unfinished := self._coarse & ~moving & ~unread).any():
            return _region(unfinished), True
        return None, False

    def _mark_read(self, now: np.ndarray, region: Box, scale: float) -> None:
        assert self._read is not None
        assert self._coarse is not None
        for plane, unit in ((self._read, 1), (self._coarse, BLOCK_PX)):
            height, width = now.shape[0] / unit, now.shape[1] / unit
            rows = slice(int(region.y * height), round((region.y + region.h) * height))
            columns = slice(int(region.x * width), round((region.x + region.w) * width))
            plane[rows, columns] = now[rows, columns] if unit == 1 else scale < 1

    def _affordable(self, region: Box, frame_mpx: float) -> Box | None:
        """Return the upper part of a region that can be read finely now; the rest waits for its turn."""
        spare_mpx = (
            self._bucket_mpx - frame_mpx * COARSE_SCALE**2
        )  # a coarse look at a new picture stays paid
        height = min(region.h, 0.999 * spare_mpx / (region.w * frame_mpx))
        return Box(region.x, region.y, region.w, height) if height >= min(region.h, LEAST_BAND) else None

    def _scale(self, region: Box, frame_mpx: float) -> float | None:
        fine_mpx, reserve_mpx = region.area * frame_mpx, frame_mpx * COARSE_SCALE**2
        fine = fine_mpx <= self._bucket_mpx - (reserve_mpx if region.area > SMALL else 0)
        scale = 1.0 if fine else COARSE_SCALE
        if fine_mpx * scale**2 > self._bucket_mpx:
            return None
        self._bucket_mpx -= fine_mpx * scale**2
        self._spent_mpx = fine_mpx * scale**2
        return scale


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
    """Return the box around marked blocks, a little wider; the whole picture when it is most of it."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    height, width = mask.shape
    left, right = max(columns[0] - 2, 0) / width, min(columns[-1] + 3, width) / width
    top, bottom = max(rows[0] - 1, 0) / height, min(rows[-1] + 2, height) / height
    box = Box(float(left), float(top), float(right - left), float(bottom - top))
    return Box(0, 0, 1, 1) if box.area > WHOLE else box
