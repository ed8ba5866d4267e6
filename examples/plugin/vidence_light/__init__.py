"""A sense that perceives how bright a video is, and an action that finds its brightest moments."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from vidence.mcr.actions import Actions, Feedback
from vidence.senses import Cost, Observation, Producer, Sampling
from vidence.timeline import Span

if TYPE_CHECKING:
    from vidence.media import Frame, Media


class Light:
    """Gives one observation a segment: its mean brightness from 0 to 1, and where it was brightest."""

    name = "light"
    producer = Producer("light", "1", "", "rate=1,side=32")
    sampling = Sampling(rate_hz=1.0, max_side=32)
    cost = Cost(cpu_s_per_minute=0.1, memory_mb=1)

    def watch(self, media: Media, segment: Span) -> Meter:
        """Start on a segment."""
        return Meter(self.producer, segment)

    def join(self, left: Observation, right: Observation) -> Observation | None:
        """Keep the brightest moments of two segments apart."""
        return None


class Meter:
    """Watches one segment."""

    def __init__(self, producer: Producer, segment: Span) -> None:
        self.producer, self.segment = producer, segment
        self.seen: list[tuple[float, Span]] = []

    def see(self, frame: Frame) -> None:
        """Measure a frame."""
        self.seen.append((float(np.mean(frame.image)) / 255, frame.span))

    def finish(self) -> list[Observation]:
        """Return what was perceived."""
        if not self.seen:
            return []
        brightest, where = max(self.seen, key=lambda one: one[0])
        mean = sum(level for level, _ in self.seen) / len(self.seen)
        data = {"mean": round(mean, 3), "brightest": round(brightest, 3)}
        return [Observation(where, "visual", self.producer, f"brightness {brightest:.2f}", data=data)]


def brightest(actions: Actions, limit: int = 3) -> Feedback:
    """Find the brightest moments that were perceived."""
    found = actions.situation.observations("light")
    ordered = sorted(found, key=lambda one: -one.data["brightest"])[:limit]
    told = "; ".join(f"{one.span}: {one.text}" for one in ordered)
    return Feedback(told or "no light was perceived", tuple(ordered), tuple(one.span for one in ordered))
