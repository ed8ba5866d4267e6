"""What a medium is: its streams, clock and length, as the container tells them."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from vidence.timeline import Span


@dataclass(frozen=True, slots=True)
class VideoStream:
    """One video stream. `width` and `height` are of the upright picture: rotation and pixel shape are applied."""

    index: int
    codec: str
    width: int
    height: int
    rotation: int  # degrees clockwise that the player turns the picture: 0, 90, 180, 270
    fps: Fraction | None  # average rate; None where the container does not know
    constant_rate: bool | None  # None: not known without reading the packets
    time_base: Fraction
    pixel_format: str
    bit_depth: int
    interlaced: bool
    alpha: bool


@dataclass(frozen=True, slots=True)
class AudioStream:
    """One audio stream."""

    index: int
    codec: str
    rate_hz: int
    channels: int
    language: str  # ISO 639 code as the container gives it, "" where it does not


@dataclass(frozen=True, slots=True)
class SubtitleStream:
    """One embedded subtitle stream."""

    index: int
    codec: str
    language: str
    text_based: bool  # False for pictures (DVD, Blu-ray), which need OCR


@dataclass(frozen=True, slots=True)
class MediaInfo:
    """A probed medium. `span` is the container clock from the first to the end of the last frame or sample."""

    path: str
    format: str
    bytes: int
    span: Span
    video: VideoStream | None
    audio: tuple[AudioStream, ...]
    subtitles: tuple[SubtitleStream, ...]
    metadata: dict[str, str]
    warnings: tuple[str, ...] = ()  # e.g. "container says 12.0 s, the last frame ends at 9.3 s"

    @property
    def duration(self) -> Fraction:
        """Length in seconds."""
        return self.span.duration
