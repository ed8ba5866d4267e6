"""A pen that draws on pixels in stage units: y is 0 at the top and 1 at the bottom, x is 0 to the aspect."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import cv2
import numpy as np

Point = tuple[float, float]
Colour = tuple[int, int, int]
At = Callable[[float, float], Point]
"""From the units in which something is drawn to the stage."""

_SHIFT = 4  # a sixteenth of a pixel
_ONE = 1 << _SHIFT
_AA = cv2.LINE_AA
_LARGEST = 1 << 24  # coordinates beyond this are far outside; OpenCV's fixed point would overflow


def shade(colour: Colour, factor: float) -> Colour:
    """Darken (below 1) or lighten (above) a colour."""
    if factor <= 1:
        return (int(colour[0] * factor), int(colour[1] * factor), int(colour[2] * factor))
    rest = factor - 1
    red, green, blue = (int(part + (255 - part) * rest) for part in colour)
    return (red, green, blue)


class Pen:
    """Draws filled shapes with smooth edges at sub-pixel places; what lies outside the picture is cut.

    `view` is (left, top, right, bottom) in 0..1 of the stage, which is `aspect` wide and 1 high.
    """

    __slots__ = ("_ox", "_oy", "_sx", "_sy", "aspect", "image_HWC")

    def __init__(
        self, image_HWC: np.ndarray, aspect: float, view: tuple[float, float, float, float] = (0, 0, 1, 1)
    ) -> None:
        height, width = image_HWC.shape[:2]
        left, top, right, bottom = view
        self.image_HWC, self.aspect = image_HWC, aspect
        self._sx = width * _ONE / ((right - left) * aspect)
        self._sy = height * _ONE / (bottom - top)
        self._ox = -left * aspect * self._sx - _ONE / 2
        self._oy = -top * self._sy - _ONE / 2

    def _points(self, points: Iterable[Point]) -> np.ndarray:
        sx, sy, ox, oy = self._sx, self._sy, self._ox, self._oy
        return np.array([(round(x * sx + ox), round(y * sy + oy)) for x, y in points], np.int32)

    def place(self, x: float, y: float) -> Point:
        """Return a point of the stage in pixels, whose edges are whole numbers."""
        return (x * self._sx + self._ox) / _ONE + 0.5, (y * self._sy + self._oy) / _ONE + 0.5

    def fill(self, colour: Colour) -> None:
        """Paint everything."""
        self.image_HWC[:] = colour

    def shape(self, points: Sequence[Point], colour: Colour, edge: Colour | None = None) -> None:
        """Fill a polygon, and line its edge."""
        at = self._points(points)
        cv2.fillPoly(self.image_HWC, [at], colour, _AA, _SHIFT)
        if edge is not None:
            cv2.polylines(self.image_HWC, [at], True, edge, self._thin(), _AA, _SHIFT)

    def oval(
        self, x: float, y: float, rx: float, ry: float, colour: Colour, edge: Colour | None = None, turn: float = 0.0
    ) -> None:  # fmt: skip
        """Fill an ellipse around (x, y)."""
        at = (round(x * self._sx + self._ox), round(y * self._sy + self._oy))
        axes = (max(round(rx * self._sx), 1), max(round(ry * self._sy), 1))
        if max(map(abs, (*at, *axes))) > _LARGEST:
            return
        cv2.ellipse(self.image_HWC, at, axes, turn, 0, 360, colour, -1, _AA, _SHIFT)
        if edge is not None:
            cv2.ellipse(self.image_HWC, at, axes, turn, 0, 360, edge, self._thin(), _AA, _SHIFT)

    def arc(
        self, x: float, y: float, rx: float, ry: float, start: float, end: float, colour: Colour, width: float
    ) -> None:
        """Draw a part of an ellipse's outline, angles in degrees clockwise from the right."""
        at = (round(x * self._sx + self._ox), round(y * self._sy + self._oy))
        axes = (max(round(rx * self._sx), 1), max(round(ry * self._sy), 1))
        cv2.ellipse(self.image_HWC, at, axes, 0, start, end, colour, self._pixels(width), _AA, _SHIFT)

    def box(self, left: float, top: float, right: float, bottom: float, colour: Colour) -> None:
        """Fill an upright rectangle, to whole pixels: the cheapest shape."""
        x0, x1 = (
            round((left * self._sx + self._ox) / _ONE + 0.5),
            round((right * self._sx + self._ox) / _ONE + 0.5),
        )
        y0, y1 = (
            round((top * self._sy + self._oy) / _ONE + 0.5),
            round((bottom * self._sy + self._oy) / _ONE + 0.5),
        )
        if x1 > 0 and y1 > 0:
            self.image_HWC[max(y0, 0) : y1, max(x0, 0) : x1] = colour

    def line(self, points: Sequence[Point], colour: Colour, width: float) -> None:
        """Draw a line through points, `width` stage units thick, with round ends."""
        at = self._points(points)
        cv2.polylines(self.image_HWC, [at], False, colour, self._pixels(width), _AA, _SHIFT)

    def text(self, x: float, y: float, text: str, colour: Colour, height: float, face: cv2.FontFace) -> None:  # type: ignore[name-defined]
        """Write a line around (x, y), its letters `height` stage units from line to line."""
        size = max(round(height * self._sy / _ONE), 3)
        left, top, width, tall = cv2.getTextSize((0, 0), text, (0, 0), face, size, 600)  # type: ignore[call-overload]
        middle, level = (x * self._sx + self._ox) / _ONE, (y * self._sy + self._oy) / _ONE
        at = (round(middle - width / 2 - left), round(level - tall / 2 - top))
        cv2.putText(self.image_HWC, text, at, colour, face, size, 600)  # type: ignore[call-overload]

    def _pixels(self, width: float) -> int:
        return min(max(round(width * self._sy / _ONE), 1), 32767)

    def _thin(self) -> int:
        return max(round(self._sy / _ONE * 0.005), 1)
