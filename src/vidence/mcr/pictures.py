"""Cut, shrink and enlarge frames for a closer look, and bring what was found there back into the whole picture."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from vidence.senses.observation import Box, Observation

if TYPE_CHECKING:
    from vidence.media import Frame


def reduced(frame: Frame, max_side: int) -> Frame:
    """Shrink a frame so that no side is longer than `max_side` pixels; never enlarge it."""
    height, width = frame.image.shape[:2]
    if max(height, width) <= max_side:
        return frame
    import cv2

    scale = max_side / max(height, width)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return replace(frame, image=cv2.resize(frame.image, size, interpolation=cv2.INTER_AREA))


def enlarged(frame: Frame, height: int, width: int) -> Frame:
    """Enlarge a frame to a size; one that is as large or larger stays as it is."""
    if frame.image.shape[0] >= height or frame.image.shape[1] >= width:
        return frame
    import cv2

    return replace(frame, image=cv2.resize(frame.image, (width, height), interpolation=cv2.INTER_CUBIC))


def crop(frame: Frame, region: Box) -> Frame:
    """Keep a region of a frame, at least 16 pixels a side."""
    height, width = frame.image.shape[:2]
    left = min(max(0, int(region.x * width)), max(0, width - 16))
    top = min(max(0, int(region.y * height)), max(0, height - 16))
    right = min(width, max(left + 16, round((region.x + region.w) * width)))
    bottom = min(height, max(top + 16, round((region.y + region.h) * height)))
    return replace(frame, image=frame.image[top:bottom, left:right])


def uncropped(observation: Observation, region: Box) -> Observation:
    """Move the boxes of an observation made in a region back into the whole picture."""
    track = tuple(
        (t, Box(region.x + b.x * region.w, region.y + b.y * region.h, b.w * region.w, b.h * region.h))
        for t, b in observation.track
    )
    return replace(observation, track=track)


def around(observation: Observation, margin: float) -> Box | None:
    """Return the region an observation was followed through, widened by `margin` times its size on each side."""
    boxes = [box for _, box in observation.track]
    if not boxes:
        return None
    left, top = min(b.x for b in boxes), min(b.y for b in boxes)
    right, bottom = max(b.x + b.w for b in boxes), max(b.y + b.h for b in boxes)
    mx, my = (right - left) * margin, (bottom - top) * margin
    left, top = max(0.0, left - mx), max(0.0, top - my)
    return Box(left, top, min(1.0, right + mx) - left, min(1.0, bottom + my) - top)
