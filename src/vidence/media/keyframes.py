"""Find the key frame at or before a time, and decode it alone: one packet instead of half a group of pictures."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from vidence.media.demux import keep_streams, packets, reason
from vidence.media.problems import Problems
from vidence.media.source import Source, open_container
from vidence.media.timing import Timing
from vidence.timeline import Instant

if TYPE_CHECKING:
    from av.packet import Packet
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream

_BACK_S = (0, 1, 4, 16, 64)  # how far before the wanted time to ask, where a demuxer lands behind it
_PACKETS = (
    2000  # how many packets to read after a seek in search of a key packet: over a minute at 30 per second
)
_INDEXED = ("mov,mp4", "avi")  # these hold every key frame in an index, so that a seek lands on the nearest


@dataclass(frozen=True, slots=True)
class Key:
    """A key frame: its exact time, the seek offset in ticks that leads to it, and its packet."""

    time: Instant
    offset: int
    packet: Packet = field(repr=False, compare=False)


class KeySeeker:
    """Look up and decode key frames on a container of its own. Not thread-safe."""

    def __init__(self, source: Source, stream: int, timing: Timing, problems: Problems) -> None:
        self._timing, self._problems = timing, problems
        self._container = open_container(source)
        keep_streams(self._container, [stream])
        self._stream: VideoStream = self._container.streams[stream]  # type: ignore[assignment]
        self._stream.codec_context.thread_type = "NONE"  # type: ignore[assignment] # threads hold the picture back
        self._indexed = self._container.format.name.startswith(_INDEXED)

    def close(self) -> None:
        """Close the container."""
        self._container.close()

    def before(self, time: Instant) -> Key | None:
        """Return the last key frame at or before `time`, or None where the container leads to none.

        Seeks are promises that demuxers keep in their own ways, so each landing is checked against the packet: MP4
        seeks by decoding time, which runs ahead of presentation; MPEG-TS and Ogg guess; Matroska's cues may be sparse.
        """
        from av.error import FFmpegError

        for back_s in _BACK_S:
            try:
                if found := self._land(self._timing.ticks(time - back_s) - self._timing.delay, time):
                    return found
            except (FFmpegError, OSError):
                return None
        return None

    def _land(self, offset: int, time: Instant) -> Key | None:
        self._container.seek(offset, stream=self._stream)
        found = next(self._keys(offset), None)
        if found and found.time > time and found.packet.dts is not None:
            offset = min(found.packet.dts, offset) - 1
            self._container.seek(offset, stream=self._stream)
            found = next(self._keys(offset), None)
        if found is None or found.time > time:
            return None
        return found if self._indexed else self._last_key(found, time)

    def _last_key(self, found: Key, time: Instant) -> Key:
        """Read on, without decoding, to the last key frame at or before `time`."""
        for key in self._keys(found.offset, until=time):
            if key.time <= time:
                found = key
        return found

    def _keys(self, offset: int, until: Instant | None = None) -> Iterator[Key]:
        for count, packet in enumerate(packets(self._container, [self._stream])):
            time = self._timing.of_packet(packet)
            if time is not None and until is not None and time > until and packet.is_keyframe:
                return
            if time is not None and packet.is_keyframe:
                yield Key(time, offset, packet)
            if count >= _PACKETS:
                return

    def decode(self, key: Key) -> VideoFrame | None:
        """Decode a key packet alone and flush the decoder; None when that yields no picture."""
        from av.error import FFmpegError

        context = self._stream.codec_context
        try:
            context.flush_buffers()
            frames = [*context.decode(key.packet), *context.decode(None)]
        except (FFmpegError, OSError) as error:
            self._problems.note(key.time, f"key frame cannot be decoded ({reason(error)})")
            return None
        finally:
            context.flush_buffers()
        return frames[0] if frames else None
