"""Write a copy of a video in which places are blurred, and stretches of sound bleeped or silenced.

Pictures keep their exact times (on a clock of 90 kHz, on which all usual rates lie exactly) and are written as H.264;
sound keeps its channels and is written as AAC. What lies outside of `span` is left out.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from vidence.apps import finding as finding_
from vidence.errors import UsageError
from vidence.senses.observation import Box
from vidence.timeline import Instant, Span

if TYPE_CHECKING:
    from vidence.media import Media
    from vidence.media.frame import Image

CLOCK = 90_000
SOUND_HZ = 48_000
TONE_HZ, TONE_LEVEL, RAMP_S = 1000.0, 0.12, 0.01
PAD_S = Fraction(1, 10)  # before and after a word: its times are good to a tenth of a second
PAD = 0.12  # of a box's sides: what is blurred shall not look out at the edges
HOLD_S = 0.6  # a thing is where it was last seen this long: senses look twice a second


@dataclass(frozen=True, slots=True)
class Cover:
    """A place to blur during a span: a path of boxes, or the whole picture without one."""

    span: Span
    path: finding_.Path = ()

    def box(self, time: Instant) -> Box | None:
        """Return the box at a time, widened; None when nothing is to be blurred then."""
        if not self.span.start - Fraction(HOLD_S) <= time < self.span.end + Fraction(HOLD_S):
            return None
        if not self.path:
            return Box(0, 0, 1, 1) if self.span.start <= time < self.span.end else None
        box = finding_.box_at(self.path, time, HOLD_S)
        if box is None:
            return None
        x, y = max(box.x - PAD * box.w, 0.0), max(box.y - PAD * box.h, 0.0)
        return Box(x, y, min(box.w * (1 + 2 * PAD), 1 - x), min(box.h * (1 + 2 * PAD), 1 - y))


def redact(
    media: Media,
    place: Path,
    *,
    covers: Sequence[Cover] = (),
    hush: Sequence[Span] = (),
    how: Literal["bleep", "mute"] = "bleep",
    span: Span | None = None,
) -> None:
    """Write the copy to `place` (MP4), whole or not at all.

    Raises:
        UsageError: it would overwrite the video itself, or cannot be written.
        MediaError: the video cannot be read.
    """
    import av

    whole = media.info.span if span is None else span.clipped(media.info.span)
    if place.resolve() == Path(media.path).resolve():
        raise UsageError(f"{place} is the video itself; name another file for the copy")
    if place.suffix.lower() != ".mp4":
        raise UsageError(f"{place}: the copy is written as MP4; let its name end in .mp4")
    partial = place.with_name(f".{place.stem}.partial.mp4")
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        with av.open(str(partial), "w") as out:
            _write(out, media, whole, covers, [one.padded(PAD_S) for one in hush], how)
        partial.replace(place)
    except OSError as error:
        raise UsageError(f"cannot write {place}: {error.strerror or error}") from error
    finally:
        partial.unlink(missing_ok=True)


def _write(
    out: Any, media: Media, whole: Span, covers: Sequence[Cover], hush: Sequence[Span], how: str
) -> None:
    """Write pictures and sound side by side in time, so that a player need not seek between them."""
    pictures = _pictures(out, media, whole, covers) if media.info.video else iter(())
    sounds = _sounds(out, media, whole, hush, how) if media.info.audio else iter(())
    out.start_encoding()
    seen, heard = next(pictures, None), next(sounds, None)
    while seen is not None or heard is not None:
        if heard is None or (seen is not None and seen <= heard):
            seen = next(pictures, None)
        else:
            heard = next(sounds, None)


def _pictures(out: Any, media: Media, whole: Span, covers: Sequence[Cover]) -> Iterator[Instant]:
    """Write one picture at each step; its time is given before."""
    import av

    info = media.info.video
    assert info is not None
    stream = out.add_stream(
        "libx264", rate=info.fps or 25, options={"crf": "20", "preset": "fast", "bf": "0"}
    )
    stream.width, stream.height, stream.pix_fmt = info.width // 2 * 2, info.height // 2 * 2, "yuv420p"
    stream.codec_context.time_base = Fraction(1, CLOCK)
    return _encoded(out, stream, media, whole, covers, av)


def _encoded(
    out: Any, stream: Any, media: Media, whole: Span, covers: Sequence[Cover], av: Any
) -> Iterator[Instant]:
    last = -1
    for frame in media.frames(whole):
        yield frame.time
        boxes = [box for cover in covers if (box := cover.box(frame.time)) is not None]
        image = blurred(frame.image, boxes)[: stream.height, : stream.width]
        picture = av.VideoFrame.from_ndarray(np.ascontiguousarray(image), "rgb24")
        picture.pts = last = max(round((frame.time - whole.start) * CLOCK), last + 1)
        picture.time_base = Fraction(1, CLOCK)
        out.mux(stream.encode(picture))
    out.mux(stream.encode(None))


def blurred(image: Image, boxes: Sequence[Box]) -> Image:
    """Make places unrecognisable, in a copy: a coarse mosaic, then blurred, so that it cannot be sharpened back."""
    import cv2

    if not boxes:
        return image
    image = image.copy()
    height, width = image.shape[:2]
    for box in boxes:
        left, top = max(int(box.x * width), 0), max(int(box.y * height), 0)
        right, bottom = (
            min(round((box.x + box.w) * width), width),
            min(round((box.y + box.h) * height), height),
        )
        if right - left < 2 or bottom - top < 2:
            continue
        part = image[top:bottom, left:right]
        cells = (max((right - left) * 8 // max(right - left, bottom - top), 1),
                 max((bottom - top) * 8 // max(right - left, bottom - top), 1))  # fmt: skip
        coarse = cv2.resize(part, cells, interpolation=cv2.INTER_AREA)
        image[top:bottom, left:right] = cv2.resize(coarse, part.shape[1::-1], interpolation=cv2.INTER_CUBIC)
    return image


def _sounds(out: Any, media: Media, whole: Span, hush: Sequence[Span], how: str) -> Iterator[Instant]:
    """Write one second of sound at each step; its time is given before."""
    layout = "stereo" if max(stream.channels for stream in media.info.audio) > 1 else "mono"
    stream = out.add_stream("aac", rate=SOUND_HZ, layout=layout)
    stream.bit_rate = 128_000 if layout == "stereo" else 64_000
    return _hushed(out, stream, media, whole, hush, how, layout)


def _hushed(
    out: Any,
    stream: Any,
    media: Media,
    whole: Span,
    hush: Sequence[Span],
    how: str,
    layout: Literal["mono", "stereo"],
) -> Iterator[Instant]:
    import av

    for time, samples in media.audio_windows(whole, window_s=1, rate_hz=SOUND_HZ, layout=layout):
        yield time
        block_CN = hushed(samples.reshape(len(samples), -1).T, time, SOUND_HZ, hush, how)
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(block_CN), "fltp", layout=layout)
        frame.sample_rate, frame.time_base = SOUND_HZ, Fraction(1, SOUND_HZ)
        frame.pts = round((time - whole.start) * SOUND_HZ)
        out.mux(stream.encode(frame))
    out.mux(stream.encode(None))


def hushed(block_CN: np.ndarray, start: Instant, rate_hz: int, hush: Sequence[Span], how: str) -> np.ndarray:
    """Put a tone, or nothing, in the place of what is said; with short ramps, so that it does not click."""
    block_CN = block_CN.copy()
    times_s = float(start) + np.arange(block_CN.shape[1]) / rate_hz
    for span in hush:
        if span.end < start or span.start > start + Fraction(block_CN.shape[1], rate_hz):
            continue
        inside = np.minimum(times_s - float(span.start), float(span.end) - times_s)
        share = np.clip(
            inside / RAMP_S + 1, 0, 1
        )  # the ramps lie outside of the span: within, nothing is left
        put = TONE_LEVEL * np.sin(2 * np.pi * TONE_HZ * times_s) if how == "bleep" else 0.0
        block_CN = (block_CN * (1 - share) + put * share).astype(np.float32)
    return block_CN
