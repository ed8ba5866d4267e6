"""Read one picture: find its lines, spell them, and look again where the first reading is doubtful."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from difflib import SequenceMatcher
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
    upper = _most_agreed(spell([cut[: round(height * share)] for share in (0.5, 0.55, 0.6)]))
    lower = _most_agreed(spell([cut[round(height * share) :] for share in (0.5, 0.45, 0.4)]))
    if min(upper[1], lower[1]) < max(confidence - 0.03, 0.88):
        return None
    if SequenceMatcher(None, upper[0], lower[0]).ratio() > 0.5:
        return None  # one line, cut in two
    if min(sum(c.isalnum() for c in text) for text, _ in (upper, lower)) < 3:
        return None
    left, right = (quad[0] + quad[3]) / 2, (quad[1] + quad[2]) / 2
    parts = np.stack([quad[0], quad[1], right, left]), np.stack([left, right, quad[2], quad[3]])
    return [(part, *reading) for part, reading in zip(parts, (upper, lower), strict=True)]


def _most_agreed(readings: Sequence[tuple[str, float]]) -> tuple[str, float]:
    """Return the surest reading of the words with the most votes: a descender cut off reads wrong, and surely."""
    votes: dict[str, float] = defaultdict(float)
    for text, sure in readings:
        votes["".join(text.split())] += sure
    words = max(votes, key=votes.__getitem__)
    agreed = [(text, sure) for text, sure in readings if "".join(text.split()) == words]
    return max(agreed, key=lambda reading: (reading[0].count(" "), reading[1]))
