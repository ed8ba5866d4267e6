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

    Only the inside of strokes counts (their edges are blends), as long as there is an inside.
    """
    from vidence.senses.colour_names import name_colours

    mask = ink_mask(cut)
    inside = cv2.erode(mask.astype(np.uint8), np.ones((2, 2), np.uint8)).astype(bool)
    ink = inside if inside.sum() >= 20 else mask
    ground = ~cv2.dilate(mask.astype(np.uint8), np.ones((3, 3), np.uint8)).astype(bool)
    return tuple(name_colours(cut[part])[0][0] if part.sum() >= 20 else None for part in (ink, ground))  # type: ignore[return-value]
