"""A decoder that stands at a place in the video: it knows the picture on screen and the one that follows it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

from vidence.media.demux import keep_streams, packets, reason
from vidence.media.keyframes import KeySeeker
from vidence.media.picture import Painter, View
from vidence.media.problems import Problems
from vidence.media.source import Source, open_container
from vidence.media.timing import Timing
from vidence.timeline import Instant, clock

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.packet import Packet
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream

_SEEK_COST = (
    8  # a seek costs about as much as decoding this many pictures: the decoder's queue is filled anew
)
_SILENT_PACKETS = (
    3000  # so many packets in a row without a picture, and the rest is given up (100 s at 30 per second)
)
_STEADY = 30  # after so many pictures at a steady rate,
_GAP_STEPS, _GAP_S = (
    5,
    Fraction(1, 4),
)  # a longer hole is worth a note: pictures were lost, or the screen stood still
_LARGE = 4096 * 2304  # above it, frame threads would each hold tens of megabytes


@dataclass(frozen=True, slots=True)
class Shown:
    """A decoded picture, not yet turned into pixels."""

    time: Instant
    picture: VideoFrame
    key: bool


class Cursor:
    """Decode one video stream forward from anywhere. `shown` is on screen at the place last gone to; `upcoming` is
    the picture after it, None at the end. Not thread-safe: each iterator takes its own."""

    def __init__(self, source: Source, stream: int, timing: Timing, view: View, problems: Problems) -> None:
        self.shown: Shown | None = None
        self.upcoming: Shown | None = None
        self.painter = Painter(view)
        self.decoded = 0  # pictures decoded so far, for benchmarks and receipts
        self.seeks = 0
        self._steady = 0
        self._restarted = False
        self._source, self._index, self._timing, self._problems = source, stream, timing, problems
        self._keys: KeySeeker | None = None
        self._large = view.width * view.height > _LARGE
        self._container: InputContainer | None = None
        self._rewind()

    def close(self) -> None:
        """Close the containers and let go of the pictures."""
        self.shown = self.upcoming = None
        self._pictures = iter(())
        for held in (self._container, self._keys):
            if held is not None:
                held.close()
        self._container = self._keys = None

    def step(self) -> bool:
        """Move to the next picture; False at the end, where `shown` stays."""
        if self.upcoming is None:
            return False
        self.shown, self.upcoming = self.upcoming, next(self._pictures, None)
        return True

    def goto(self, time: Instant) -> None:
        """Stand where `time` lies: `shown` becomes the last picture at or before it (the first, if none is)."""
        if not self._ahead(time) or self._worth_seeking(time):
            self._jump(time)
        while self.upcoming is not None and self.upcoming.time <= time:
            self.step()

    def _ahead(self, time: Instant) -> bool:
        return self.shown is not None and self.shown.time <= time

    def _worth_seeking(self, time: Instant) -> bool:
        """Apply the cost rule: seek when a key frame on the way is further off than a seek costs."""
        here = self.upcoming.time if self.upcoming else None
        if here is None or not self._timing.seekable or time - here <= _SEEK_COST * self._timing.step:
            return False
        key = self._key_seeker().before(time)
        return key is not None and key.time - here > _SEEK_COST * self._timing.step

    def _jump(self, time: Instant) -> None:
        """Seek to the key frame before `time`; where none is led to, or it decodes only later pictures, go further
        back, and at last to the beginning."""
        target = time
        for _ in range(4 if self._timing.seekable else 0):
            key = self._key_seeker().before(target)
            if key is None:
                break
            if self._start_at(key.offset) and self._ahead(time):
                return
            target = key.time - max(self._timing.step, (time - key.time) / 2)
        self._rewind()
        self._prime()

    def _start_at(self, offset: int) -> bool:
        from av.error import FFmpegError

        assert self._container is not None
        self.seeks += 1
        try:
            self._container.seek(offset, stream=self._stream)
        except (FFmpegError, OSError):
            return False
        self._pictures = self._decode(from_key=True)
        self._prime()
        return self.shown is not None

    def _prime(self) -> None:
        self.shown = next(self._pictures, None)
        self.upcoming = next(self._pictures, None) if self.shown else None

    def _rewind(self) -> None:
        if self._container is not None:
            self._container.close()
        self._container = open_container(self._source)
        keep_streams(self._container, [self._index])
        self._stream: VideoStream = self._container.streams[self._index]  # type: ignore[assignment]
        self._stream.codec_context.thread_type = "SLICE" if self._large else "AUTO"  # type: ignore[assignment]
        self._pictures = self._decode(from_key=False)

    def _key_seeker(self) -> KeySeeker:
        if self._keys is None:
            self._keys = KeySeeker(self._source, self._index, self._timing, self._problems)
        return self._keys

    def _decode(self, *, from_key: bool) -> Iterator[Shown]:
        """Yield pictures in time order. After a seek, those that precede the key frame are left out: they lean on
        frames that were not decoded."""
        last: Instant | None = None
        floor: Instant | None = None
        waiting, silent = from_key, 0
        leading = (
            from_key and self._timing.delay > 0
        )  # there the key packet does not say when its picture is shown
        for packet in self._packets():
            silent += 1
            if waiting and packet is not None and packet.is_keyframe:
                waiting, floor = False, self._timing.of_packet(packet)
            for frame in [] if waiting else self._frames(packet, last):
                time = self._timing.of_frame(frame, last)
                self.decoded += 1
                if frame.key_frame:
                    leading = False
                if leading or (last is None and floor is not None and time < floor):
                    continue
                self._check(last, time, frame)
                last, silent = time, 0
                yield Shown(time, frame, bool(frame.key_frame))
            if silent > _SILENT_PACKETS:
                self._problems.note(last, f"video: no picture in {silent} packets; the rest is given up")
                return

    def _packets(self) -> Iterator[Packet | None]:
        """Yield every packet, then None to drain the decoder."""
        assert self._container is not None

        def failed(what: str) -> None:
            at = self.upcoming or self.shown
            self._problems.note(at.time if at else None, f"video: {what}")

        yield from packets(self._container, [self._stream], failed)
        yield None

    def _frames(self, packet: Packet | None, last: Instant | None) -> list[VideoFrame]:
        from av.error import FFmpegError

        try:
            return self._stream.decode(packet)
        except (FFmpegError, OSError) as error:
            time = last if packet is None else self._timing.of_packet(packet) or last
            self._problems.note(time, f"video: {reason(error)}")
            return []

    def _check(self, last: Instant | None, time: Instant, frame: VideoFrame) -> None:
        """Note what decoders and demuxers pass over in silence: a concealed picture, a hole in a steady stream."""
        if self._timing.restarts(frame, last) and not self._restarted:
            self._restarted = True
            self._problems.note(
                time, "video: the recording's clock starts anew; from here pictures follow at its rate"
            )
        if frame.is_corrupt:
            self._problems.note(time, "video: the picture is damaged")
        gap = Fraction(0) if last is None else time - last
        if gap <= self._timing.step * 2:
            self._steady += 1
            return
        if gap > max(_GAP_STEPS * self._timing.step, _GAP_S) and self._steady >= _STEADY:
            self._problems.note(last, f"video: no new picture until {clock(time)}")
        self._steady = 0


def steps(time: Instant, rate_hz: Fraction) -> int:
    """Return the number of the last point k / rate_hz at or before `time`."""
    return time * rate_hz // 1
