"""One decoded picture with its exact time."""

from __future__ import annotations

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
