"""The seam between media and perception: what a sense is, and how it is fed.

A medium is perceived in segments (`SEGMENT_S` seconds on a fixed grid), each stored in one transaction, so that a kill
loses at most one. Senses keep no state across segments: what touches a boundary is joined afterwards by `join`, which
makes a resumed run equal to an uninterrupted one. Frames are decoded once and handed to every visual sense that is due.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from vidence.senses.observation import Observation, Producer
from vidence.timeline import Span

if TYPE_CHECKING:
    from vidence.media import Frame, Media

SEGMENT_S = 60


@dataclass(frozen=True, slots=True)
class Sampling:
    """Which frames a visual sense wants: at most `rate_hz` per second (None: every frame), no side above `max_side` px.

    `lead_s` seconds of frames before the segment are shown first, for senses that compare neighbours; what they show
    must not be reported, only remembered.
    """

    rate_hz: float | None
    max_side: int
    lead_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Cost:
    """What a sense costs on one core: CPU seconds per minute of media, and resident megabytes."""

    cpu_s_per_minute: float
    memory_mb: float


class Watcher(Protocol):
    """Perceives one segment of pictures; made anew for each segment."""

    def see(self, frame: Frame) -> None:
        """Take the next frame in time order (RGB, already reduced to the sampling's size)."""
        ...

    def finish(self) -> list[Observation]:
        """Return all that was perceived, in time order, spans inside the segment."""
        ...


class Sense(Protocol):
    """What every sense declares. Building one is cheap: weights are loaded when first used."""

    name: str
    producer: Producer
    cost: Cost

    def join(self, left: Observation, right: Observation) -> Observation | None:
        """Return the two as one when they are one thing cut by a segment boundary (left ends where right begins)."""
        ...


@runtime_checkable
class VisualSense(Sense, Protocol):
    """A sense that is shown frames."""

    sampling: Sampling

    def watch(self, media: Media, segment: Span) -> Watcher:
        """Start on a segment (or, when looking again, on any span)."""
        ...


@runtime_checkable
class AudioSense(Sense, Protocol):
    """A sense that listens (or reads subtitles) on its own."""

    def hear(self, media: Media, segment: Span) -> list[Observation]:
        """Return what is heard in the segment. May listen past its edges to complete an utterance."""
        ...
