"""Sound at exact times: one channel, any rate, with silence where nothing was recorded.

Sample k of what is returned lies at start + k / rate_hz, to within half a sample. Time stamps of sound jitter (Matroska
and Flash round them to the millisecond), so blocks are taken to follow on unless they miss by more than `_JITTER_S`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from fractions import Fraction
from itertools import chain
from typing import TYPE_CHECKING

import numpy as np

from vidence.media.demux import keep_streams, packets, reason
from vidence.media.info import AudioStream, MediaInfo
from vidence.media.problems import Problems
from vidence.media.source import Source, open_container
from vidence.timeline import Instant, Span

if TYPE_CHECKING:
    from av.audio.frame import AudioFrame
    from av.audio.stream import AudioStream as AudioTrack
    from av.container import InputContainer

RATE_HZ = 16_000
_JITTER_S = Fraction(1, 25)
_PREROLL_S = Fraction(
    1, 2
)  # decoders need a few blocks before they are right (Opus 80 ms, MP3 its bit reservoir)

Block = tuple[int, np.ndarray]
"""(sample number on the output grid, float32 samples)."""


def read(
    source: Source, info: MediaInfo, span: Span, rate_hz: int, problems: Problems
) -> tuple[Instant, np.ndarray]:
    """Read the sound of a span whole: (time of sample 0, float32 samples)."""
    if not info.audio:
        return span.start, np.zeros(0, np.float32)
    samples = np.zeros(_count(span, rate_hz), np.float32)
    for at, block in _blocks(source, info, span, rate_hz, problems):
        begin, end = max(at, 0), min(at + len(block), len(samples))
        if begin < end:
            samples[begin:end] = block[begin - at : end - at]
    return span.start, samples


def windows(
    source: Source,
    info: MediaInfo,
    span: Span,
    rate_hz: int,
    length: int,
    problems: Problems,
    layout: str = "mono",
) -> Iterator[tuple[Instant, np.ndarray]]:
    """Yield (time of sample 0, float32 samples), `length` samples at a time, holding one window in memory.

    The layout "stereo" gives them as (samples, 2).
    """
    if not info.audio:
        return
    total, begin, shape = _count(span, rate_hz), 0, () if layout == "mono" else (2,)
    window = np.zeros((min(length, total), *shape), np.float32)
    for at, block in _blocks(source, info, span, rate_hz, problems, layout):
        while at + len(block) > begin + len(window) and begin < total:
            _place(window, block, at - begin)
            yield span.start + Fraction(begin, rate_hz), window
            begin += len(window)
            window = np.zeros((min(length, total - begin), *shape), np.float32)
        _place(window, block, at - begin)
    while begin < total:
        yield span.start + Fraction(begin, rate_hz), window
        begin += len(window)
        window = np.zeros((min(length, total - begin), *shape), np.float32)


def _count(span: Span, rate_hz: int) -> int:
    return round(span.duration * rate_hz)


def _place(window: np.ndarray, block: np.ndarray, at: int) -> None:
    begin, end = max(at, 0), min(at + len(block), len(window))
    if begin < end:
        window[begin:end] = block[begin - at : end - at]


def _blocks(
    source: Source, info: MediaInfo, span: Span, rate_hz: int, problems: Problems, layout: str = "mono"
) -> Iterator[Block]:
    """Decode, mix to a layout and resample; cut into runs wherever the recording itself breaks off."""
    stream = choose(info)
    with open_container(source) as container:
        _seek(container, stream.index, span.start - _PREROLL_S)
        run: _Run | None = None
        for time, frame in _frames(container, stream.index, problems):
            if time >= span.end:
                break
            if run and not run.follows(time, frame):
                yield from run.finish()
                run = None
            run = run or _Run(time, frame, span.start, rate_hz, layout)
            yield from run.push(frame)
        if run:
            yield from run.finish()


def choose(info: MediaInfo) -> AudioStream:
    """Choose the stream to listen to: the one with most channels is the mix, a commentary has fewer; then the first."""
    return max(info.audio, key=lambda stream: (stream.channels, -stream.index))


class _Run:
    """An unbroken stretch of sound on its way through the resampler."""

    def __init__(self, time: Instant, frame: AudioFrame, start: Instant, rate_hz: int, layout: str) -> None:
        from av.audio.resampler import AudioResampler

        self._resampler = AudioResampler(format="flt", layout=layout, rate=rate_hz)
        self._cut = (-1,) if layout == "mono" else (-1, 2)
        self._shape = (frame.sample_rate, frame.layout.name, frame.format.name)
        self._at = round((time - start) * rate_hz)  # the next output sample
        self._next = time  # when the next block should begin

    def follows(self, time: Instant, frame: AudioFrame) -> bool:
        """Say whether a block continues the run."""
        same = self._shape == (frame.sample_rate, frame.layout.name, frame.format.name)
        return same and abs(time - self._next) <= _JITTER_S

    def push(self, frame: AudioFrame) -> Iterator[Block]:
        """Resample one block."""
        self._next += Fraction(frame.samples, frame.sample_rate)
        frame.pts = None
        yield from self._take(frame)

    def finish(self) -> Iterator[Block]:
        """Drain what the resampler still holds."""
        yield from self._take(None)

    def _take(self, frame: AudioFrame | None) -> Iterator[Block]:
        for ready in self._resampler.resample(frame):
            if ready is None:
                continue
            samples = np.clip(ready.to_ndarray().reshape(self._cut), -1, 1)
            yield self._at, samples
            self._at += len(samples)


def _seek(container: InputContainer, index: int, time: Instant) -> None:
    from av.error import FFmpegError

    stream = container.streams[index]
    keep_streams(container, [index])
    base = stream.time_base or Fraction(1, RATE_HZ)
    if time <= (stream.start_time or 0) * base:
        return
    with suppress(
        FFmpegError, OSError
    ):  # where it cannot seek, all is read from the beginning: slower, as right
        container.seek(int(time // base), stream=stream)  # type: ignore[arg-type]


def _frames(
    container: InputContainer, index: int, problems: Problems
) -> Iterator[tuple[Instant, AudioFrame]]:
    """Decode on through damage; blocks without a time follow the one before."""
    from av.error import FFmpegError

    expected: Instant | None = None
    stream: AudioTrack = container.streams[index]  # type: ignore[assignment]
    read = packets(container, [stream], lambda what: problems.note(expected, f"sound: {what}"))
    for packet in chain(read, [None]):
        try:
            frames = stream.decode(packet)
        except (FFmpegError, OSError) as error:
            problems.note(expected, f"sound: {reason(error)}")
            continue
        for frame in frames:
            if frame.samples and frame.sample_rate:
                time = (
                    frame.pts * frame.time_base
                    if frame.pts is not None and frame.time_base
                    else expected or Fraction(0)
                )
                expected = time + Fraction(frame.samples, frame.sample_rate)
                yield time, frame
