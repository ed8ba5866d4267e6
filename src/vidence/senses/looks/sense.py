"""Looks: what each moment looks like, as names and as a vector that phrases can be held against.

`Observation.vector` is a unit vector in the space named in `data["space"]` and in the producer's parameters.
`data`: "classes", the five best [name, mass], and "kinds", [name, chance] calibrated (embedded eye only).
"""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

from vidence.senses.looks.embedded_eye import EmbeddedEye
from vidence.senses.looks.eye import Eye
from vidence.senses.observation import Observation, Producer
from vidence.senses.sense import Cost, Sampling
from vidence.senses.stills import Stills
from vidence.timeline import Span

if TYPE_CHECKING:
    from vidence.media import Frame, Media

RATE_HZ = 1.0
LANGUAGE_SPACE = "language"  # the memory's name for the space of the multilingual text vectors
CHANGED = 6.0  # grey levels of 255, see `Stills`: from here on a picture is looked at anew


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


class LooksWatcher:
    """Looks at pictures that differ from the one looked at last; the others prolong it."""

    def __init__(self, eye: Eye, producer: Producer, segment: Span, rate_hz: float) -> None:
        self.producer, self.segment = producer, segment
        self.period_s = 1 / Fraction(rate_hz).limit_denominator(1000)
        self.stills = Stills(eye.look, CHANGED)

    def see(self, frame: Frame) -> None:
        """Look at one frame if it has changed."""
        self.stills.see(frame)

    def finish(self) -> list[Observation]:
        """Return one observation a look, each until the next."""
        return [
            Observation(
                span, "visual", self.producer, look.text, look.confidence, vector=look.vector, data=look.data
            )
            for span, look in self.stills.spans(self.segment, self.period_s)
        ]
