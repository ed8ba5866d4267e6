"""Which seconds were perceived by which sense: the map that decides whether "it never happens" may be said."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from vidence.senses.observation import Producer
from vidence.timeline import Span, subtract, total, union


@dataclass(frozen=True, slots=True)
class Failure:
    """A span that a sense could not perceive, and why."""

    sense: str
    span: Span
    reason: str

    def to_json(self) -> dict[str, Any]:
        """Write as {"sense", "start_s", "end_s", "reason"}."""
        return {"sense": self.sense, **self.span.to_json(), "reason": self.reason}


@dataclass(frozen=True, slots=True)
class Perceived:
    """What one producer has seen: merged spans, at `rate_hz` frames a second (None: all), no side over `max_side`."""

    producer: Producer
    spans: tuple[Span, ...]
    rate_hz: float | None = None
    max_side: int | None = None

    def to_json(self) -> dict[str, Any]:
        """Write as JSON: sense, version, weights, rate, size, spans."""
        return {
            "sense": self.producer.sense,
            "version": self.producer.version,
            "weights": self.producer.weights,
            "rate_hz": self.rate_hz,
            "max_side": self.max_side,
            "spans": [span.to_json() for span in self.spans],
        }


@dataclass(frozen=True, slots=True)
class Coverage:
    """What was perceived of one medium, by whom, and what failed; `whole` is the medium's own span."""

    medium: str
    whole: Span
    perceived: tuple[Perceived, ...] = ()
    failures: tuple[Failure, ...] = ()

    @property
    def senses(self) -> tuple[str, ...]:
        """Names of the senses that have seen anything, sorted."""
        return tuple(sorted({part.producer.sense for part in self.perceived}))

    def spans(self, sense: str) -> list[Span]:
        """Return the spans that a sense has perceived, at whatever rate, merged."""
        return union(span for part in self.perceived if part.producer.sense == sense for span in part.spans)

    def seen(self, span: Span, sense: str) -> float:
        """Return the fraction of `span` (0 to 1) that a sense has perceived; an instant is seen or not."""
        spans = self.spans(sense)
        if span.start == span.end:
            return float(any(part.overlaps(span) for part in spans))
        shared = (part.intersection(span) for part in spans)
        return float(total(part for part in shared if part is not None) / span.duration)

    def unseen(self, span: Span, sense: str) -> list[Span]:
        """Return what of `span` a sense has not perceived."""
        return subtract(span, self.spans(sense))

    def rate_hz(self, time: Span, sense: str) -> float | None:
        """Return the finest rate at which a sense saw `time`: 0.0 not at all, None every frame."""
        rates = [
            part.rate_hz
            for part in self.perceived
            if part.producer.sense == sense and any(span.overlaps(time) for span in part.spans)
        ]
        if not rates:
            return 0.0
        return None if None in rates else max(rate for rate in rates if rate is not None)

    def to_json(self) -> dict[str, Any]:
        """Write as JSON: the medium, its length, per sense the fraction seen and the spans, and the failures."""
        return {
            "medium": self.medium,
            **self.whole.to_json(),
            "seen": {sense: round(self.seen(self.whole, sense), 4) for sense in self.senses},
            "perceived": [part.to_json() for part in self.perceived],
            "failures": [failure.to_json() for failure in self.failures],
        }
