"""Looks: what each moment looks like, as names and as a vector that phrases can be held against.

`Observation.vector` is a unit vector in the space named in `data["space"]` and in the producer's parameters.
`data`: "classes", the five best [name, mass], and "kinds", [name, chance] calibrated (embedded eye only).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np

from vidence.senses.looks.embedded_eye import EmbeddedEye
from vidence.senses.looks.eye import Eye, Look
from vidence.senses.observation import Observation, Producer
from vidence.senses.sense import Cost, Sampling
from vidence.timeline import Instant, Span

if TYPE_CHECKING:
    from vidence.media import Frame, Image, Media

RATE_HZ = 1.0
LANGUAGE_SPACE = "language"  # the memory's name for the space of the multilingual text vectors
THUMBNAIL = 16  # px a side
CHANGED = (
    6.0  # grey levels (of 255) that one of 16 x 16 cells must differ by for a picture to be looked at anew
)


class Looks:
    """Perceives what moments look like; `eye` is what looks (default: the classifier inside packages)."""

    name = "looks"

    def __init__(self, eye: Eye | None = None, *, rate_hz: float = RATE_HZ) -> None:
        self.eye: Eye = EmbeddedEye() if eye is None else eye
        self.rate_hz = rate_hz
        self.sampling = Sampling(rate_hz=rate_hz, max_side=self.eye.side)
        # The space is part of the key: vectors of different producers must not be compared.
        parameters = f"rate={rate_hz:g},side={self.eye.side},eye={self.eye.name},space={self.eye.space}"
        self.producer = Producer("looks", self.eye.version, weights=self.eye.weights, parameters=parameters)
        self.cost = Cost(cpu_s_per_minute=60 * rate_hz * self.eye.seconds, memory_mb=90)

    @property
    def space(self) -> str:
        """Name under which the memory keeps the vectors; those of the embedded eye lie among the texts'."""
        return LANGUAGE_SPACE if self.eye.space == EmbeddedEye.space else self.eye.space

    def watch(self, media: Media, segment: Span) -> LooksWatcher:
        """Start on a segment."""
        return LooksWatcher(self.eye, self.producer, segment, self.rate_hz)

    def join(self, left: Observation, right: Observation) -> Observation | None:
        """Never join: a moment is looked at on its own."""
        return None


@dataclass(slots=True)
class LooksWatcher:
    """Looks at pictures that differ from the one looked at last; the others prolong it."""

    eye: Eye
    producer: Producer
    segment: Span
    rate_hz: float
    found: list[tuple[Instant, Look]] = field(default_factory=list)
    thumbnail: np.ndarray | None = None
    last_time: Instant | None = None

    def see(self, frame: Frame) -> None:
        """Look at one frame if it has changed."""
        self.last_time = frame.time
        thumbnail = _thumbnail(frame.image)
        if self.thumbnail is not None and np.abs(thumbnail - self.thumbnail).max() < CHANGED:
            return
        self.thumbnail = thumbnail
        self.found.append((frame.time, self.eye.look(frame.image)))

    def finish(self) -> list[Observation]:
        """Return one observation a look, each until the next."""
        if self.last_time is None:
            return []
        period = 1 / Fraction(self.rate_hz).limit_denominator(1000)
        ends = [time for time, _ in self.found[1:]] + [self.last_time + period]
        return [
            Observation(
                Span(time, max(time, end)).clipped(self.segment),
                "visual",
                self.producer,
                text=look.text,
                confidence=look.confidence,
                vector=look.vector,
                data=look.data,
            )
            for (time, look), end in zip(self.found, ends, strict=True)
        ]


def _thumbnail(image: Image) -> np.ndarray:
    import cv2

    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    return np.asarray(cv2.resize(grey, (THUMBNAIL, THUMBNAIL), interpolation=cv2.INTER_AREA), np.float32)
