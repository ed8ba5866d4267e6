"""One written line of one picture, and the order in which a person would read several."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np

from vidence.senses.observation import Box


@dataclass(frozen=True, slots=True)
class Line:
    """A written line: its words, how sure the reader is (mean over characters), and where it stands.

    `quad` holds the corners in pixels of the picture that was read, clockwise along the writing.
    """

    text: str
    confidence: float
    box: Box
    quad: np.ndarray = field(repr=False, compare=False)  # float32, shape (4, 2)


def box_of(quad: np.ndarray, size: tuple[int, int]) -> Box:
    """Return the upright box around a quad as fractions of a picture of `size` (height, width)."""
    height, width = size
    (left, top), (right, bottom) = quad.min(axis=0).tolist(), quad.max(axis=0).tolist()
    left, top = max(left, 0.0), max(top, 0.0)
    right, bottom = min(right, float(width)), min(bottom, float(height))
    return Box(left / width, top / height, max(right - left, 0.0) / width, max(bottom - top, 0.0) / height)


def believable(text: str, confidence: float) -> bool:
    """Say whether a reading is likely writing and not a texture or an icon taken for a glyph.

    On the frames measured, false glyphs are one or two characters at 0.2 to 0.8; true short signs lie above 0.9.
    """
    letters = sum(c.isalnum() for c in text)
    if letters == 0:
        return False
    return confidence >= (0.9 if letters <= 2 else 0.8 if letters == 3 else 0.7)


def reading_order(boxes: Sequence[Box]) -> list[int]:
    """Order boxes as they are read: rows from the top, each from the left."""
    rows: list[list[int]] = []
    for n in sorted(range(len(boxes)), key=lambda n: boxes[n].centre[1]):
        row = rows[-1] if rows else None
        if row is not None and _same_row(boxes[row[-1]], boxes[n]):
            row.append(n)
        else:
            rows.append([n])
    return [n for row in rows for n in sorted(row, key=lambda n: boxes[n].x)]


def _same_row(a: Box, b: Box) -> bool:
    shared = min(a.y + a.h, b.y + b.h) - max(a.y, b.y)
    return shared > 0.5 * min(a.h, b.h)


def blocks(boxes: Sequence[Box], aspect: float) -> list[list[int]]:
    """Gather lines that belong together, such as a title over two lines; each group is in reading order.

    Lines belong together when one stands close under the other (less than 0.8 of a line between), they are of like
    height (within a factor 1.8) and share a left edge, a right edge or a middle. `aspect` is width over height of
    the picture. Lines that belong to no other form no group.
    """
    groups: list[list[int]] = []
    for n in reading_order(boxes):
        home = next((g for g in groups if any(_stacked(boxes[m], boxes[n], aspect) for m in g)), None)
        if home is None:
            groups.append([n])
        else:
            home.append(n)
    return [group for group in groups if len(group) > 1]


def _stacked(upper: Box, lower: Box, aspect: float) -> bool:
    small, large = sorted((upper.h, lower.h))
    gap = lower.y - (upper.y + upper.h)
    if small <= 0 or large / small > 1.8 or not -0.5 * large <= gap <= 0.8 * large:
        return False
    if lower.centre[1] - upper.centre[1] < 0.5 * small:
        return False  # side by side
    slack = 0.75 * large / aspect
    edges = (upper.x - lower.x, upper.x + upper.w - lower.x - lower.w, upper.centre[0] - lower.centre[0])
    return any(abs(edge) <= slack for edge in edges)


def hull(boxes: Iterable[Box]) -> Box:
    """Return the smallest box around several."""
    all_boxes = list(boxes)
    left, top = min(b.x for b in all_boxes), min(b.y for b in all_boxes)
    right, bottom = max(b.x + b.w for b in all_boxes), max(b.y + b.h for b in all_boxes)
    return Box(left, top, right - left, bottom - top)
