"""Pictures of the scene: where things stand and go, as heat over the empty scene; and its zones and lines."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from vidence.apps.watch.scene import Scene
from vidence.apps.watch.subjects import Subject, stand

if TYPE_CHECKING:
    from vidence.media import Media
    from vidence.media.frame import Image

LOOKS = 15  # frames of which the middle is the empty scene
SIDE = 960
ZONE, LINE, CLOSED = (64, 200, 255), (255, 196, 0), (255, 80, 64)  # RGB
MOST_STEP_S = 2.0  # between two looks that count for the seconds in between


def backdrop(media: Media) -> Image:
    """Return the scene without what passes: the middle of frames spread over the recording."""
    frames = media.frames_at(media.info.span.middles(LOOKS), max_side=SIDE, mode="auto")
    return np.median(np.stack([frame.image for frame in frames]), axis=0).astype(np.uint8)


def heat(subjects: Sequence[Subject], anchor: str, shape: tuple[int, int]) -> np.ndarray:
    """Return seconds spent at each place by what moves, smoothed, 0 to 1; shape (height, width)."""
    import cv2

    height, width = shape
    seconds = np.zeros(shape, np.float32)
    for one in subjects:
        if not one.moves:
            continue
        for (t0, before), (t1, after) in pairwise(one.path):
            passed = min(float(t1 - t0), MOST_STEP_S)
            (x0, y0), (x1, y1) = stand(before, one.kind, anchor), stand(after, one.kind, anchor)
            steps = max(int(np.hypot((x1 - x0) * width, (y1 - y0) * height) / 4), 1)
            for share in np.linspace(0, 1, steps, endpoint=False):
                x = min(int((x0 + (x1 - x0) * share) * width), width - 1)
                y = min(int((y0 + (y1 - y0) * share) * height), height - 1)
                seconds[y, x] += passed / steps
    spread = cv2.GaussianBlur(seconds, (0, 0), max(width, height) / 60)
    top = float(np.quantile(spread[spread > 0], 0.995)) if (spread > 0).any() else 1.0
    return np.clip(spread / max(top, 1e-9), 0, 1) ** 0.6


def heat_picture(scene_image: Image, warmth: np.ndarray) -> Image:
    """Lay heat over the scene, in colours that grow lighter with it, so that they are read without colour too."""
    import cv2

    grey = cv2.cvtColor(cv2.cvtColor(scene_image, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
    colours = cv2.applyColorMap((warmth * 255).astype(np.uint8), cv2.COLORMAP_INFERNO)[:, :, ::-1]
    alpha = (0.85 * np.clip(warmth * 1.6, 0, 1))[:, :, None]
    return np.clip(grey * 0.75 * (1 - alpha) + colours * alpha, 0, 255).astype(np.uint8)


def drawn(image: Image, scene: Scene, *, ruler: bool = True) -> Image:
    """Draw zones, lines and, to draw others by, tenths of the picture."""
    import cv2

    out = image.copy()
    height, width = out.shape[:2]

    def pixel(point: tuple[float, float]) -> tuple[int, int]:
        return round(point[0] * (width - 1)), round(point[1] * (height - 1))

    if ruler:
        for tenth in range(1, 10):
            x, y = pixel((tenth / 10, tenth / 10))
            cv2.line(out, (x, 0), (x, 6), (255, 255, 255), 1)
            cv2.line(out, (0, y), (6, y), (255, 255, 255), 1)
            _label(out, f"{tenth / 10:.1f}", (x - 8, 20), (255, 255, 255), 0.35)
            _label(out, f"{tenth / 10:.1f}", (9, y + 4), (255, 255, 255), 0.35)
    for zone in scene.zones:
        corners = np.array([pixel(point) for point in zone.points], np.int32)
        colour, filled = CLOSED if zone.closed else ZONE, out.copy()
        cv2.fillPoly(filled, [corners], colour)
        cv2.addWeighted(filled, 0.18, out, 0.82, 0, dst=out)
        cv2.polylines(out, [corners], True, colour, 2, cv2.LINE_AA)
        _label(out, zone.name, tuple(corners.mean(axis=0).astype(int)), colour)
    for line in scene.lines:
        cv2.line(out, pixel(line.start), pixel(line.end), LINE, 2, cv2.LINE_AA)
        _label(out, line.name, pixel(line.end), LINE)
    return out


def _label(
    image: Image, text: str, at: tuple[int, int], colour: tuple[int, int, int], size: float = 0.55
) -> None:
    import cv2

    plain = text.encode("ascii", "replace").decode("ascii")  # the font has no other letters
    (wide, high), _ = cv2.getTextSize(plain, cv2.FONT_HERSHEY_SIMPLEX, size, 1)
    x = min(max(int(at[0]), 2), max(image.shape[1] - wide - 4, 2))
    y = min(max(int(at[1]), high + 2), image.shape[0] - 4)
    image[max(y - high - 3, 0) : y + 4, max(x - 3, 0) : x + wide + 3] //= (
        3  # so that it is read on any ground
    )
    cv2.putText(image, plain, (x, y), cv2.FONT_HERSHEY_SIMPLEX, size, colour, 1, cv2.LINE_AA)
