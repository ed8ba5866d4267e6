"""Videos as the model takes them: a few pictures with their times, sampled evenly and sized to a budget."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

import numpy as np

from vidence.errors import MediaError, UsageError
from vidence.media import Media, open_media
from vidence.models.internvideo3.limits import VideoLimits
from vidence.models.internvideo3.patches import PatchShape, resized
from vidence.timeline import Instant, Span, TimeLike, instant

_BATCH = 16  # pictures decoded before they are made small: 100 MB of 1920x1080 at most


@dataclass(frozen=True, slots=True)
class Clip:
    """Pictures of one video with the time of each on the video's own clock, which starts at zero.

    `frames_THWC` is uint8 RGB; `times` are exact seconds, in order.
    """

    frames_THWC: np.ndarray = field(repr=False)
    times: tuple[Instant, ...]

    def __post_init__(self) -> None:
        _check_frames(self.frames_THWC)
        if len(self.frames_THWC) != len(self.times):
            raise UsageError(f"a clip has {len(self.frames_THWC)} pictures but {len(self.times)} times")
        if any(later < earlier for earlier, later in zip(self.times, self.times[1:], strict=False)):
            raise UsageError("the times of a clip go back; give its pictures in order")

    @staticmethod
    def of(frames_THWC: np.ndarray, times_s: Sequence[TimeLike]) -> Clip:
        """Make a clip from pictures and their times in seconds."""
        return Clip(frames_THWC, tuple(instant(time) for time in times_s))

    @staticmethod
    def at_rate(frames_THWC: np.ndarray, rate_hz: Fraction | float) -> Clip:
        """Make a clip from pictures taken `rate_hz` a second, the first at zero."""
        return Clip(frames_THWC, tuple(number / instant(rate_hz) for number in range(len(frames_THWC))))


@dataclass(frozen=True, slots=True)
class Excerpt:
    """Pictures of a video file at given times, in order, on the clock that its metadata tell."""

    path: str
    times: tuple[Instant, ...]


def load(source: Clip | Excerpt | Media | str | Path, limits: VideoLimits, shape: PatchShape) -> Clip:
    """Return the pictures of a clip, a medium or a file that the model sees, at the size it sees them.

    A clip keeps its pictures; above `max_frames` it is thinned evenly.

    Raises:
        MediaError: the file cannot be decoded or has no picture.
        UsageError: the pictures are of a kind or an aspect that cannot be seen.
    """
    if isinstance(source, Clip):
        return _thinned(source, limits, shape)
    if isinstance(source, Media):
        return sample(source, limits, shape)
    if isinstance(source, Excerpt):
        with open_media(source.path) as medium:
            return _taken(medium, source.times, limits, shape)
    if isinstance(source, (str, Path)):
        with open_media(source) as medium:
            return sample(medium, limits, shape)
    raise UsageError(
        f"a video is a path, an open medium or a Clip, not {type(source).__name__}; "
        "give pictures their times: Clip.at_rate(frames, rate_hz) or Clip.of(frames, times_s)"
    )


def sample(medium: Media, limits: VideoLimits, shape: PatchShape, span: Span | None = None) -> Clip:
    """Take pictures evenly in time from a medium, or from a span of it, and make them small as they are decoded.

    Times are exact, and count from the medium's start, as a player shows them.

    Raises:
        MediaError: the medium has no picture (in that span).
    """
    times = medium.frame_times(span)
    if span is not None and medium.info.span.start <= span.start < medium.info.span.end:
        # What already stands on the screen when the span begins (a slide) is part of it.
        step = 1 / instant(limits.fps)
        times = [span.start, *times] if not times or times[0] - span.start > step else times
    if not times:
        where = "" if span is None else f" from {float(span.start)} to {float(span.end)} s"
        raise MediaError(f"{medium.path}: has no picture{where}; name another file or another span")
    chosen = _even_times(times, limits.count(len(times), _duration(times)))
    return _taken(medium, chosen, limits, shape)


def _taken(medium: Media, chosen: Sequence[Instant], limits: VideoLimits, shape: PatchShape) -> Clip:
    """Take pictures at given times, made small as they are decoded."""
    stream = medium.info.video
    if stream is None:
        raise MediaError(f"{medium.path}: has no picture; name another file")
    size = limits.size(len(chosen), stream.height, stream.width, shape)
    frames_THWC = np.empty((len(chosen), *size, 3), np.uint8)
    for start in range(0, len(chosen), _BATCH):
        for number, frame in enumerate(medium.frames_at(chosen[start : start + _BATCH]), start):
            frames_THWC[number] = resized(frame.image[None], size)[0]
    return Clip(frames_THWC, tuple(time - medium.info.span.start for time in chosen))


def timestamps(times: Sequence[Instant], patch_frames: int) -> list[str]:
    """Write the time of each temporal patch as the model reads it: halfway from its first to its last picture."""
    firsts = range(0, len(times), patch_frames)
    lasts = [min(first + patch_frames, len(times)) - 1 for first in firsts]
    return [
        f"<{float((times[first] + times[last]) / 2):.1f} seconds>"
        for first, last in zip(firsts, lasts, strict=True)
    ]


def patch_s(times: Sequence[Instant], patch_frames: int) -> float:
    """Return how many seconds each temporal patch of evenly taken pictures lasts; of a single picture one."""
    return float(_duration(times) * patch_frames / len(times)) or 1.0


def _duration(times: Sequence[Instant]) -> Fraction:
    """Return how long pictures stand: the last as long as the others do on average."""
    if len(times) == 1:
        return Fraction(0)
    return (times[-1] - times[0]) * Fraction(len(times), len(times) - 1)


def _even_times(times: Sequence[Instant], count: int) -> list[Instant]:
    """Choose `count` different times, each as near as may be to an even spacing from the first to the last."""
    if count == 1:
        return [times[0]]
    chosen: list[Instant] = []
    at = 0
    for number in range(count):
        wanted = times[0] + (times[-1] - times[0]) * Fraction(number, count - 1)
        last = len(times) - count + number  # as many must be left as are still to be chosen
        while at < last and abs(times[at + 1] - wanted) < abs(times[at] - wanted):
            at += 1
        chosen.append(times[at])
        at += 1
    return chosen


def _thinned(clip: Clip, limits: VideoLimits, shape: PatchShape) -> Clip:
    frames_THWC, times = clip.frames_THWC, clip.times
    if len(times) > limits.max_frames:
        kept = np.linspace(0, len(times) - 1, limits.max_frames).round().astype(int)
        frames_THWC, times = frames_THWC[kept], tuple(times[index] for index in kept)
    _, height, width, _ = frames_THWC.shape
    size = limits.size(len(times), height, width, shape)
    return Clip(resized(frames_THWC, size), times)


def _check_frames(frames_THWC: np.ndarray) -> None:
    if frames_THWC.ndim != 4 or frames_THWC.shape[-1] != 3 or frames_THWC.dtype != np.uint8:
        raise UsageError(
            f"pictures of shape {tuple(frames_THWC.shape)} and type {frames_THWC.dtype} are not a clip; "
            "give uint8 RGB of shape (pictures, height, width, 3)"
        )
    if not len(frames_THWC):
        raise UsageError("a video of zero pictures has nothing to see; leave it out")
