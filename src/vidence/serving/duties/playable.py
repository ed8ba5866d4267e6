"""Make a copy that every browser plays: MP4 with H.264 and AAC, upright, its clock beginning at zero."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from vidence.media import Media
from vidence.media.drawn import add_drawn
from vidence.media.frame import Image
from vidence.serving.duties.opening import opened
from vidence.timeline import Instant

if TYPE_CHECKING:
    from vidence.serving.worker import Task, Tell

LARGEST, CRF = 1280, 25  # pixels of a side; quality of x264
TICKS_HZ = 1000  # of the pictures' clock: variable rates keep theirs to the millisecond
SOUND_HZ, BLOCK = 48_000, 1024
TELL_EVERY_S = 1


def preview(task: Task, tell: Tell) -> dict[str, Any]:
    """Write the copy to `place`, whole or not at all, telling the share that is done."""
    place = Path(task["place"])
    partial = place.with_name(f"{place.name}.{os.getpid()}.part")
    try:
        with opened(task) as media:
            _encode(media, partial, tell)
        partial.replace(place)
    finally:
        partial.unlink(missing_ok=True)
    return {}


def _encode(media: Media, path: Path, tell: Tell) -> None:
    import av

    start, length = media.info.span.start, media.info.duration
    with av.open(str(path), "w", format="mp4", options={"movflags": "+faststart"}) as out:
        sound = _Sound(out, media) if media.info.audio else None
        if media.info.video is not None:
            _pictures(out, media, sound, tell)
        if sound is not None:
            sound.until(start + length)
            out.mux(sound.stream.encode(None))


def _pictures(out: Any, media: Media, sound: _Sound | None, tell: Tell) -> None:
    video = media.info.video
    assert video is not None
    start, length = media.info.span.start, media.info.duration
    scale = min(1.0, LARGEST / max(video.width, video.height))
    size = (_even(video.width * scale), _even(video.height * scale))
    drawn = add_drawn(out, size, video.fps or Fraction(25), crf=CRF)
    drawn.stream.codec_context.time_base = Fraction(1, TICKS_HZ)
    drawn = replace(drawn, rate=Fraction(TICKS_HZ))
    last, told = -1, Fraction(0)
    for frame in media.frames(max_side=max(size)):
        tick = max(last + 1, round((frame.time - start) * TICKS_HZ))
        out.mux(drawn.packets(tick, _fit(frame.image, size)))
        last = tick
        if sound is not None:
            sound.until(frame.time)
        if frame.time - told >= TELL_EVERY_S and length:
            told = frame.time
            tell({"progress": min(1.0, float((frame.time - start) / length))})
    out.mux(drawn.rest())


class _Sound:
    """The sound track, written as far as the pictures have come."""

    def __init__(self, out: Any, media: Media) -> None:
        self.stream: Any = out.add_stream("aac", rate=SOUND_HZ, layout="mono")
        self._out, self._start = out, media.info.span.start
        self._blocks = _blocks(media)
        self._sent = 0
        self._ended = False

    def until(self, time: Instant) -> None:
        """Write what is heard before a time."""
        import av

        while not self._ended and self._sent < (time - self._start) * SOUND_HZ:
            block = next(self._blocks, None)
            if block is None:
                self._ended = True
                return
            frame = av.AudioFrame.from_ndarray(block[None], format="fltp", layout="mono")
            frame.sample_rate, frame.pts, frame.time_base = SOUND_HZ, self._sent, Fraction(1, SOUND_HZ)
            self._out.mux(self.stream.encode(frame))
            self._sent += len(block)


def _blocks(media: Media) -> Iterator[np.ndarray]:
    for _, window in media.audio_windows(window_s=30, rate_hz=SOUND_HZ):
        for begin in range(0, len(window), BLOCK):
            yield window[begin : begin + BLOCK]


def _fit(image: Image, size: tuple[int, int]) -> Image:
    """Cut or stretch by the pixel that an even size asks for."""
    if image.shape[1::-1] == size:
        return image
    import cv2

    return np.asarray(cv2.resize(image, size), np.uint8)


def _even(side: float) -> int:
    return max(2, round(side) // 2 * 2)
