"""Look at a picture once: what stays as it was is not looked at again, it only lasts longer."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from typing import TYPE_CHECKING, Generic, TypeVar

import numpy as np

from vidence.timeline import Instant, Span

if TYPE_CHECKING:
    from vidence.media import Frame, Image

T = TypeVar("T")

THUMBNAIL = 16  # px a side


@dataclass(slots=True)
class Stills(Generic[T]):
    """Runs `look` on each picture that differs from the one looked at last.

    It differs when one of 16 x 16 cells does by `changed` grey levels (of 255).
    """

    look: Callable[[Image], T]
    changed: float
    _found: list[tuple[Instant, T]] = field(default_factory=list)
    _thumbnail: np.ndarray | None = None
    _last: Instant | None = None

    def see(self, frame: Frame) -> None:
        """Look at one frame if it has changed."""
        self._last = frame.time
        thumbnail = _thumbnail(frame.image)
        if self._thumbnail is not None and np.abs(thumbnail - self._thumbnail).max() < self.changed:
            return
        self._thumbnail = thumbnail
        self._found.append((frame.time, self.look(frame.image)))

    def spans(self, segment: Span, period_s: Fraction) -> Iterator[tuple[Span, T]]:
        """Yield what was found, each until the next; the last until one period after the last frame seen."""
        if self._last is None:
            return
        ends = [time for time, _ in self._found[1:]] + [self._last + period_s]
        for (time, what), end in zip(self._found, ends, strict=True):
            yield Span(time, max(time, end)).clipped(segment), what


def _thumbnail(image: Image) -> np.ndarray:
    import cv2

    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    return np.asarray(cv2.resize(grey, (THUMBNAIL, THUMBNAIL), interpolation=cv2.INTER_AREA), np.float32)
