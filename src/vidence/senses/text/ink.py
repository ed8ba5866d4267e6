"""The ink of a line: which pixels are letters, and what colours letters and ground have."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from vidence.media.frame import Image


def ink_mask(cut: Image) -> np.ndarray:
    """Tell letters from ground in a line cut out upright (RGB); bool, shape (H, W), true on letters.

    Two clusters by brightness (Otsu 1979); the ground is the one that holds more of the border.
    """
    grey = cv2.cvtColor(np.ascontiguousarray(cut), cv2.COLOR_RGB2GRAY)
    _, bright = cv2.threshold(grey, 0, 1, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
    border = np.concatenate([bright[0], bright[-1], bright[:, 0], bright[:, -1]])
    return bright.astype(bool) != bool(border.mean() > 0.5)


def ink_colours(cut: Image) -> tuple[str | None, str | None]:
    """Name the colour of the letters and of their ground; None where there are too few pixels to tell.

    Thin strokes are mostly blends with the ground: of the ink only the half farthest from the ground counts.
    """
    mask = ink_mask(cut)
    ground = cut[~cv2.dilate(mask.astype(np.uint8), np.ones((3, 3), np.uint8)).astype(bool)]
    ink = cut[mask]
    if len(ink) >= 20 and len(ground) >= 20:
        distance = np.abs(ink.astype(np.int16) - np.median(ground, axis=0)).sum(axis=1)
        ink = ink[distance >= np.median(distance)]
    return _name(ink), _name(ground)


def _name(pixels: np.ndarray) -> str | None:
    from vidence.senses.colour_names import name_colours

    return name_colours(pixels)[0][0] if len(pixels) >= 10 else None
