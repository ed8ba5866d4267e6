"""Ask a picture about colour: what colour is this thing, where is something red, which small thing is vivid.

A histogram of the whole picture drowns a yellow ball of 0.2 % of its pixels; here colours are found as
connected blobs and weighed against what surrounds them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from vidence.errors import UsageError
from vidence.senses.colour_names import ACHROMATIC, NAMES, code_colours, rank, to_oklch
from vidence.senses.observation import Box

if TYPE_CHECKING:
    from vidence.media import Image

SIDE = 320  # pictures are reduced to this: a ball of 1/50 of the width is still 6 px
LEAST_PX = 9  # smaller blobs at this size are noise


@dataclass(frozen=True, slots=True)
class Blob:
    """A connected region of one colour: its share of the picture, how it stands out (strength, 0 to 1)."""

    name: str
    box: Box
    share: float
    strength: float


def find_colour(image: Image, name: str, *, limit: int = 8) -> list[Blob]:
    """Find regions of one colour name, the most striking first.

    Raises:
        UsageError: the name is not one of the twelve of `colour_names.NAMES`.
    """
    if name not in NAMES:
        raise UsageError(
            f"{name!r} is not a colour name that can be looked for; use one of {', '.join(NAMES)}"
        )
    picture = _Picture.of(image)
    return sorted(picture.blobs(name), key=_order, reverse=True)[:limit]


def salient_colours(image: Image, *, limit: int = 8) -> list[Blob]:
    """Find the small vivid regions of a picture, whatever their colour, the most striking first."""
    picture = _Picture.of(image)
    found = [
        blob for name in NAMES if name not in ACHROMATIC for blob in picture.blobs(name) if blob.share < 0.25
    ]
    return sorted(found, key=_order, reverse=True)[:limit]


def _order(blob: Blob) -> float:
    return blob.strength * min(blob.share / 0.002, 1.0) ** 0.5


@dataclass(frozen=True, slots=True)
class _Picture:
    """A reduced picture: colour codes and OKLab, each pixel."""

    codes_HW: np.ndarray
    lab_HW3: np.ndarray

    @classmethod
    def of(cls, image: Image) -> _Picture:
        import cv2

        scale = min(1.0, SIDE / max(image.shape[:2]))
        size = (max(1, round(image.shape[1] * scale)), max(1, round(image.shape[0] * scale)))
        small = np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA) if scale < 1 else image)
        return cls(code_colours(small), to_oklab(small))

    def blobs(self, name: str) -> list[Blob]:
        """Connect the pixels of one name over gaps of a pixel; weigh each region against a ring around it."""
        import cv2

        mask = (self.codes_HW == NAMES.index(name)).astype(np.uint8)
        if not mask.any():
            return []
        joined = cv2.morphologyEx(mask, cv2.MORPH_CLOSE, np.ones((3, 3), np.uint8))
        count, labels, stats, _ = cv2.connectedComponentsWithStats(joined, connectivity=8)
        large = [k for k in range(1, count) if stats[k, cv2.CC_STAT_AREA] >= LEAST_PX]
        large = sorted(large, key=lambda k: -stats[k, cv2.CC_STAT_AREA])[:40]
        return [self._blob(name, labels, k, stats[k, :4].tolist()) for k in large]

    def _blob(self, name: str, labels: np.ndarray, label: int, rectangle: list[int]) -> Blob:
        height, width = labels.shape
        x, y, w, h = rectangle
        margin = max(3, round(0.3 * max(w, h)))
        top, left = max(0, y - margin), max(0, x - margin)
        window = (slice(top, y + h + margin), slice(left, x + w + margin))
        inside = labels[window] == label
        lab = self.lab_HW3[window]
        body = np.median(lab[inside], axis=0)
        ring = lab[~inside]
        contrast = float(np.median(np.linalg.norm(ring - body, axis=-1))) if len(ring) else 0.0
        chroma = float(np.hypot(body[1], body[2]))
        vivid = 1.0 if name in ACHROMATIC else min(chroma / 0.15, 1.0)
        box = Box(x / width, y / height, w / width, h / height)
        return Blob(name, box, float(inside.sum()) / labels.size, min(contrast / 0.25, 1.0) * vivid)


def to_oklab(rgb: np.ndarray) -> np.ndarray:
    """Convert uint8 RGB, shape (..., 3), to OKLab."""
    lch = to_oklch(rgb)
    hue = np.radians(lch[..., 2])
    return np.stack([lch[..., 0], lch[..., 1] * np.cos(hue), lch[..., 1] * np.sin(hue)], axis=-1)


def colours_of(image: Image, where: Box | np.ndarray) -> list[tuple[str, float]]:
    """Name the colours of the thing in a box, or under a boolean mask (height, width), not of its background.

    In a box, pixels near its middle count most, and those of a colour that is common around the box little.

    Returns:
        (name, share), greatest first, shares summing to one; empty where the box or mask holds no pixel.
    """
    if isinstance(where, np.ndarray):
        weights, pixels = np.ones(int(where.sum())), image[where.astype(bool)]
    else:
        weights, pixels = _weigh(image, where)
    if not len(pixels):
        return []
    return rank(np.bincount(code_colours(pixels), weights, len(NAMES)))


def _weigh(image: Image, box: Box) -> tuple[np.ndarray, np.ndarray]:
    """Weigh the pixels of a box by how likely they are of the thing: (N,) weights and (N, 3) pixels.

    On ten boxes GrabCut named the same colours at 4 to 36 ms a box, and found nothing at all in three of them.
    """
    height, width = image.shape[:2]
    left, right = (min(max(round(x * width), 0), width) for x in (box.x, box.x + box.w))
    top, bottom = (min(max(round(y * height), 0), height) for y in (box.y, box.y + box.h))
    if left >= right or top >= bottom:
        return np.zeros(0), np.zeros((0, 3), np.uint8)
    mx, my = max(2, (right - left) // 4), max(2, (bottom - top) // 4)
    x0, y0 = max(0, left - mx), max(0, top - my)
    around = image[y0 : bottom + my, x0 : right + mx]
    step = max(1, max(around.shape[:2]) // 160)
    around = around[::step, ::step]
    rows = (np.arange(around.shape[0]) * step + y0 + 0.5 - (top + bottom) / 2) / max(1, (bottom - top) / 2)
    columns = (np.arange(around.shape[1]) * step + x0 + 0.5 - (left + right) / 2) / max(1, (right - left) / 2)
    inside = (np.abs(rows)[:, None] <= 1) & (np.abs(columns)[None] <= 1)
    centre = np.exp(-1.5 * (rows[:, None] ** 2 + columns[None] ** 2))
    bins = (around.astype(np.int32) // 32) @ np.array([64, 8, 1])
    thing = np.bincount(bins[inside], centre[inside], 512) / max(centre[inside].sum(), 1e-9)
    backdrop = np.bincount(bins[~inside], minlength=512) / max((~inside).sum(), 1)
    ratio = thing / np.maximum(thing + backdrop, 1e-9)
    return (centre * ratio[bins])[inside], around[inside]
