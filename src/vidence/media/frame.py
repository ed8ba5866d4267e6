"""One decoded picture with its exact time: as pixels, or before they are made."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction

import numpy as np

from vidence.timeline import Instant, Span

Image = np.ndarray
"""uint8 pixels, shape (height, width, 3), RGB, upright."""


@dataclass(frozen=True, slots=True)
class Frame:
    """A decoded frame: shown from `time` until `time + duration`. `image` may be smaller than the stream's size."""

    time: Instant
    duration: Fraction
    image: Image = field(repr=False, compare=False)
    key: bool = False

    @property
    def span(self) -> Span:
        """The interval for which the frame is on screen."""
        return Span(self.time, self.time + self.duration)


@dataclass(frozen=True, slots=True)
class Picture:
    """A decoded frame whose pixels are made when asked for: a large size for few, a small one for all."""

    time: Instant
    duration: Fraction
    key: bool
    paint: Callable[[int | None], Image] = field(repr=False, compare=False)

    def at(self, max_side: int | None) -> Frame:
        """Return the frame with no side above `max_side` pixels (None: as large as it is)."""
        return Frame(self.time, self.duration, self.paint(max_side), self.key)
