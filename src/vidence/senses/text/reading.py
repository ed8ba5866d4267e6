"""Read one picture: find its lines, spell them, and look again where the first reading is doubtful."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from vidence.senses.observation import Box
from vidence.senses.text.line import Line, believable, box_of, reading_order
from vidence.senses.text.models import crop, detect, spell

if TYPE_CHECKING:
    from vidence.media.frame import Image

DOUBTFUL = 0.95  # true lines lie above 0.97; below this a second look pays
FULL_SIDE = 1920  # looking at more pixels finds no more, and 1920 x 1080 costs 1.2 s
SMALL_SIDE = 960  # smaller pictures are enlarged to this, at most four times


def read_image(image: Image, region: Box | None = None) -> list[Line]:
    """Read all that is written in an RGB picture, or in a region of it, as carefully as the reader can.

    Small pictures and regions are enlarged. Boxes are fractions of the whole picture, quads its pixels; lines come
    in reading order. Costs 0.5 to 2 CPU seconds.
    """
    height, width = image.shape[:2]
    left, top, right, bottom = pixels_of(region or Box(0, 0, 1, 1), (height, width))
    part = image[top:bottom, left:right]
    if part.size == 0:
        return []
    side = max(part.shape[:2])
    scale = min(FULL_SIDE / side, 1.0) if side >= SMALL_SIDE else min(SMALL_SIDE / side, 4.0)
    quads = [quad + np.array([left, top], np.float32) for quad in detect(part, scale)]
    return read_quads(image, quads)


def pixels_of(region: Box, size: tuple[int, int]) -> tuple[int, int, int, int]:
    """Return (left, top, right, bottom) in pixels of a region of a picture of `size` (height, width)."""
    height, width = size
    left, top = max(0, int(region.x * width)), max(0, int(region.y * height))
    right = min(width, round((region.x + region.w) * width))
    bottom = min(height, round((region.y + region.h) * height))
    return left, top, right, bottom


def read_quads(image: Image, quads: Sequence[np.ndarray]) -> list[Line]:
    """Spell the lines that stand in `quads` (pixels of `image`); keeps what is believable, in reading order."""
    size = image.shape[:2]
    cuts = [crop(image, quad) for quad in quads]
    lines: list[Line] = []
    for quad, cut, (text, confidence) in zip(quads, cuts, spell(cuts), strict=True):
        halves = _two_lines(quad, cut, confidence)
        for part, words, sure in halves or [(quad, text, confidence)]:
            if believable(words, sure):
                lines.append(Line(words, sure, box_of(part, size), part))
    return [lines[n] for n in reading_order([line.box for line in lines])]


def _two_lines(quad: np.ndarray, cut: Image, confidence: float) -> list[tuple[np.ndarray, str, float]] | None:
    """Read a doubtful box as two lines, one above the other; None where that reads no better.

    Tight titles are found as one box. Their halves read at 0.97 and more where the whole read at 0.85.
    """
    height, width = cut.shape[:2]
    if confidence >= DOUBTFUL or height < 24 or width > 6 * height or height >= 1.5 * width:
        return None
    best: list[tuple[np.ndarray, str, float]] | None = None
    for share in (0.5, 0.55, 0.45):
        row = round(height * share)
        readings = spell([cut[:row], cut[row:]])
        if min(sure for _, sure in readings) <= max(confidence, 0.85, min(p[2] for p in best) if best else 0):
            continue
        if min(sum(c.isalnum() for c in text) for text, _ in readings) < 3:
            continue
        left, right = quad[0] + (quad[3] - quad[0]) * share, quad[1] + (quad[2] - quad[1]) * share
        parts = np.stack([quad[0], quad[1], right, left]), np.stack([left, right, quad[2], quad[3]])
        best = [(part, text, sure) for part, (text, sure) in zip(parts, readings, strict=True)]
    return best
