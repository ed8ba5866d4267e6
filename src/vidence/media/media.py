"""A medium, open: frames and sound at exact times, read as they are asked for."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from fractions import Fraction
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Literal

from vidence.errors import MediaError
from vidence.media import sound, subtitles
from vidence.media.cursor import Cursor, Shown, steps
from vidence.media.frame import Frame, Picture
from vidence.media.identity import content_hash, content_size
from vidence.media.index import PacketIndex
from vidence.media.info import MediaInfo
from vidence.media.keyframes import KeySeeker
from vidence.media.probe import Probe, probe
from vidence.media.problems import Problems
from vidence.media.source import Source, resolve
from vidence.media.subtitles import Cue
from vidence.timeline import Instant, Span, instant

if TYPE_CHECKING:
    import numpy as np

Mode = Literal["auto", "exact", "keyframe"]
_FOREVER_S = 10**9
_PARK_PIXELS = 4096 * 2304  # decoders of larger pictures are closed rather than kept for the next call


def open_media(source: str | Path, *, containers: str | None = None) -> Media:
    """Open a file or http(s) URL.

    `containers` names by comma the only demuxers of FFmpeg that may read it, for files from strangers: a playlist
    opens other files.

    Raises:
        MediaError: it cannot be read, or nothing in it can be decoded.
    """
    place = resolve(source, containers)
    return Media(place, probe(place, content_size(place)))


class Media:
    """A medium. Cheap to hold, and safe to share between threads: every iterator decodes on a container of its own.

    `problems` grows as damaged places are met: one line each, with the time. Closing releases the decoders.
    """

    def __init__(self, source: Source, probed: Probe) -> None:
        self.path: str = source.name
        self.info: MediaInfo = probed.info
        self.problems = Problems()
        self._source, self._probe = source, probed
        self._lock = threading.Lock()
        self._parked: list[Cursor] = []
        self._hash: str | None = None
        self._index: PacketIndex | None = None
        self._cues: list[Cue] | None = None

    def __enter__(self) -> Media:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the decoder kept for the next call; the medium may still be used and will open another."""
        with self._lock:
            parked, self._parked = self._parked, []
        for cursor in parked:
            cursor.close()

    @property
    def hash(self) -> str:
        """Content hash, "sha256-sampled:" and 64 hex digits; see `identity`. Read once."""
        if self._hash is None:
            self._hash = content_hash(self._source)
        return self._hash

    def frames(
        self, span: Span | None = None, *, rate_hz: float | None = None, max_side: int | None = None
    ) -> Iterator[Frame]:
        """Yield the frames of a span in time order: first the one on screen at its start, then each that begins in it.

        With `rate_hz`, only the first frame at or after each point k / rate_hz of the medium's clock, so that a video
        cut into spans gives the same frames as one run; the frame on screen at the start is then added only when no
        picked frame begins within 1 / rate_hz of it (a slide that has stood since before).

        Raises:
            MediaError: the medium has no video.
        """
        for picture in self.pictures(span, rate_hz=rate_hz):
            yield picture.at(max_side)

    def pictures(self, span: Span | None = None, *, rate_hz: float | None = None) -> Iterator[Picture]:
        """Yield what `frames` yields, before it is turned into pixels: each may be had at several sizes, or not at all.

        A picture is to be asked for its pixels on the thread that iterates.
        """
        # Without a span, whatever decodes is given, also past the end that the packets promised (joined recordings).
        whole = Span(self.info.span.start, self._end + _FOREVER_S) if span is None else span
        with self._cursor(whole.start) as cursor:
            if rate_hz is None:
                chosen = ((shown, _end(cursor, self._end)) for shown in _every(cursor, whole))
            else:
                chosen = _picked(cursor, whole, instant(rate_hz), self._video()[0].time_base, self._end)
            for shown, until in chosen:
                paint = partial(cursor.painter.image, shown.picture)
                yield Picture(shown.time, until - shown.time, shown.key, paint)

    def frames_at(
        self, times: Sequence[Instant], *, max_side: int | None = None, mode: Mode = "auto"
    ) -> list[Frame]:
        """Return the frame on screen at each time, in the order asked; times outside are clamped to the medium.

        "exact" and "auto" give exactly that frame, and seek or decode on by what is cheaper. "keyframe" gives the key
        frame at or before it, some ten times cheaper; where the container does not lead to one (raw and program
        streams, AVI with reordered pictures, a damaged key frame) it is the exact frame.

        Raises:
            MediaError: the medium has no video.
        """
        found: dict[Instant, Frame] = {}
        wanted = sorted({self._clamped(time) for time in times})
        if not wanted:
            return []
        if mode == "keyframe":
            found |= self._key_frames_at(wanted, max_side)
        left = [time for time in wanted if time not in found]
        if left:
            found |= self._exact_frames_at(left, max_side)
        return [found[self._clamped(time)] for time in times]

    def frame_times(self, span: Span | None = None) -> list[Instant]:
        """Return the presentation times of the pictures, in order, from the packets alone (nothing is decoded).

        A damaged packet is listed though its picture may not decode.
        """
        return self._packet_index().times(span)

    def keyframe_times(self) -> list[Instant]:
        """Return the presentation times of the key frames, in order."""
        return self._packet_index().keys()

    def audio(self, span: Span | None = None, *, rate_hz: int = sound.RATE_HZ) -> tuple[Instant, np.ndarray]:
        """Return (time of sample 0, mono float32 samples in [-1, 1]); sample k is at that time + k / rate_hz.

        Where nothing was recorded there is silence. A medium without sound gives no samples. The whole of a long file
        is large (230 MB an hour at 16 kHz): use `audio_windows` there.
        """
        return sound.read(self._source, self.info, self._sound_span(span), rate_hz, self.problems)

    def audio_windows(
        self,
        span: Span | None = None,
        *,
        window_s: float = 30,
        rate_hz: int = sound.RATE_HZ,
        layout: Literal["mono", "stereo"] = "mono",
    ) -> Iterator[tuple[Instant, np.ndarray]]:
        """Yield sound as `audio` gives it, `window_s` seconds at a time (the last may be shorter), in one pass.

        In stereo the samples are (samples, 2).
        """
        length, whole = max(1, round(instant(window_s) * rate_hz)), self._sound_span(span)
        return sound.windows(self._source, self.info, whole, rate_hz, length, self.problems, layout)

    def cues(self) -> list[Cue]:
        """Return embedded text subtitles, or else those in files beside the medium (name.srt, name.en.vtt, ...)."""
        if self._cues is None:
            self._cues = subtitles.read(self._source, self.info, self.problems)
        return self._cues

    def subtitle(self, cues: Sequence[Cue]) -> None:
        """Take these for its subtitles from now on, whatever it comes with; none at all where none are given."""
        self._cues = list(cues)

    def _sound_span(self, span: Span | None) -> Span:
        return self.info.span if span is None else span.clipped(self.info.span)

    def _clamped(self, time: Instant) -> Instant:
        return min(max(instant(time), self.info.span.start), self.info.span.end)

    def _packet_index(self) -> PacketIndex:
        if self._index is None:
            timing, _, stream = self._video()
            self._index = PacketIndex.read(self._source, stream, timing)
        return self._index

    def _exact_frames_at(self, times: list[Instant], max_side: int | None) -> dict[Instant, Frame]:
        found: dict[Instant, Frame] = {}
        frame: Frame | None = None
        with self._cursor(times[0]) as cursor:
            for time in times:
                cursor.goto(time)
                shown = cursor.shown
                if shown is None:
                    raise MediaError(f"{self.path}: no picture can be decoded; the file is damaged")
                if frame is None or frame.time != shown.time:
                    image = cursor.painter.image(shown.picture, max_side)
                    frame = Frame(shown.time, _end(cursor, self._end) - shown.time, image, shown.key)
                found[time] = frame
        return found

    def _key_frames_at(self, times: list[Instant], max_side: int | None) -> dict[Instant, Frame]:
        """Decode key packets alone; times whose key frame cannot be had so are left out."""
        from vidence.media.picture import Painter

        timing, view, stream = self._video()
        if not timing.seekable or timing.delay > 0:
            return {}
        seeker, painter = KeySeeker(self._source, stream, timing, self.problems), Painter(view)
        found: dict[Instant, Frame] = {}
        last: Frame | None = None
        try:
            for time in times:
                key = seeker.before(time)
                if key is None:
                    continue
                if last is None or last.time != key.time:
                    picture = seeker.decode(key)
                    if picture is None:
                        continue
                    last = Frame(key.time, timing.step, painter.image(picture, max_side), True)
                found[time] = last
        finally:
            seeker.close()
        return found

    @property
    def _end(self) -> Instant:
        return self.info.span.end

    def _video(self):
        timing, view, video = self._probe.timing, self._probe.view, self.info.video
        if timing is None or view is None or video is None:
            raise MediaError(
                f"{self.path}: has no video, only sound; ask for what is heard, or name another file"
            )
        return timing, view, video.index

    @contextmanager
    def _cursor(self, near: Instant) -> Iterator[Cursor]:
        """Lend a decoder: the parked one when it stands at or before `near`, so that segment after segment costs no
        seek; else a new one. It is parked again afterwards."""
        timing, view, stream = self._video()
        with self._lock:
            cursor = self._parked.pop() if self._parked else None
        if cursor is None:
            cursor = Cursor(self._source, stream, timing, view, self.problems)
        try:
            yield cursor
        finally:
            with self._lock:
                keep = not self._parked and view.width * view.height <= _PARK_PIXELS
                if keep:
                    self._parked.append(cursor)
            if not keep:
                cursor.close()


def _every(cursor: Cursor, span: Span) -> Iterator[Shown]:
    """Stand on each frame of a span: the one on screen at its start, then each that begins in it."""
    cursor.goto(span.start)
    if cursor.shown is None or (cursor.shown.time >= span.end and cursor.shown.time > span.start):
        return
    yield cursor.shown
    while cursor.upcoming is not None and cursor.upcoming.time < span.end and cursor.step():
        yield cursor.shown


def _picked(
    cursor: Cursor, span: Span, rate_hz: Fraction, tick: Fraction, last: Instant
) -> Iterator[tuple[Shown, Instant]]:
    """Yield (frame, time it leaves the screen) for the first frame at or after each grid point k / rate_hz.

    Whether a frame is picked depends on itself and the frame before it alone, so decoding begins one frame early.
    """
    lead: tuple[Shown, Instant] | None = None
    previous: Instant | None = None
    for shown in _every(cursor, Span(span.start - tick / 2, max(span.start, span.end))):
        first = previous is None or steps(shown.time, rate_hz) > steps(previous, rate_hz)
        previous = shown.time
        if shown.time >= span.start and first:
            if lead and shown.time - span.start > 1 / rate_hz:
                yield lead
            lead = None
            yield shown, _end(cursor, last)
        elif shown.time <= span.start:
            lead = shown, _end(cursor, last)
    if lead:
        yield lead


def _end(cursor: Cursor, last: Instant) -> Instant:
    """Return when the shown picture leaves the screen: when the next begins, or with the medium's end."""
    assert cursor.shown is not None
    return cursor.upcoming.time if cursor.upcoming else max(last, cursor.shown.time)
