"""What one sense perceived, where and when."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from vidence.timeline import Instant, Span

Modality = Literal["visual", "text", "speech", "audio"]
"""visual: what is seen; text: what is written in it; speech: what is said (or subtitled); audio: other sound."""


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle as fractions of the upright picture: left, top, width, height, each 0 to 1."""

    x: float
    y: float
    w: float
    h: float

    @property
    def area(self) -> float:
        """Share of the picture covered."""
        return self.w * self.h

    @property
    def centre(self) -> tuple[float, float]:
        """(x, y) of the middle."""
        return self.x + self.w / 2, self.y + self.h / 2

    def iou(self, other: Box) -> float:
        """Intersection over union, 0 to 1."""
        w = min(self.x + self.w, other.x + other.w) - max(self.x, other.x)
        h = min(self.y + self.h, other.y + other.h) - max(self.y, other.y)
        shared = max(w, 0.0) * max(h, 0.0)
        union = self.area + other.area - shared
        return shared / union if union > 0 else 0.0


@dataclass(frozen=True, slots=True)
class Producer:
    """Who perceived: sense, version of its code, weights (first 12 hex digits of SHA-256, "" for none), parameters.

    Together with the medium's hash this is the key under which work is kept: change any part and it is done anew.
    """

    sense: str
    version: str
    weights: str = ""
    parameters: str = ""  # canonical text, e.g. "rate=1,side=640"


@dataclass(frozen=True, slots=True, eq=False)
class Observation:
    """One thing one sense perceived.

    `span` covers the time in which it was perceived, snapped to frame or sample times. `text` is what a person would
    read in a list: the transcript, the sign, the label. `track` follows a thing through the picture. `vector` is a unit
    vector in the space named by the sense. `data` holds the sense's own details, JSON values only (documented in the
    sense's module). `id` is given by the memory that stores it.
    """

    span: Span
    modality: Modality
    producer: Producer
    text: str = ""
    confidence: float = 1.0
    track: tuple[tuple[Instant, Box], ...] = ()
    vector: np.ndarray | None = field(default=None, repr=False)
    data: Mapping[str, Any] = field(default_factory=dict)
    id: int | None = None

    @property
    def sense(self) -> str:
        """Name of the sense that perceived it."""
        return self.producer.sense

    def box_at(self, time: Instant) -> Box | None:
        """Return the tracked box nearest in time, or None when nothing was tracked."""
        return min(self.track, key=lambda sample: abs(sample[0] - time))[1] if self.track else None
