"""From when to when a medium really lasts: as its packets say, not as its header promises."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import TYPE_CHECKING

from vidence.media.demux import keep_streams, packets
from vidence.media.info import VideoStream
from vidence.media.source import Source, open_container
from vidence.media.timing import Timing
from vidence.timeline import Instant, Span

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.packet import Packet

_MICRO = Fraction(1, 1_000_000)


def measure(
    container: InputContainer,
    source: Source,
    video: VideoStream | None,
    timing: Timing | None,
    first: Instant | None,
    warnings: list[str],
) -> Span:
    """Return the clock from the first picture (`first`) or sound to the end of the last.

    A header that promises over a second more than can be read (a truncated file) is told in `warnings`.
    """
    starts: list[Instant] = [] if first is None else [first]
    starts += [
        s.start_time * s.time_base
        for s in container.streams.audio
        if s.start_time is not None and s.time_base
    ]
    start = min(starts, default=Fraction(0))
    claimed = _claimed(container, start)
    end = None
    if claimed is not None and (timing is None or timing.seekable):
        end = _last(source, video, timing, claimed)
    if end is None and not source.remote:
        end = _last(source, video, timing, None)
    if end is None or end <= start:
        return Span(start, max(claimed or start, start + (timing.step if timing else 0)))
    if claimed is not None and claimed - end > 1:
        warnings.append(
            f"container says {float(claimed):.1f} s, but what can be read ends at {float(end):.1f} s"
        )
    return Span(start, end)


def _claimed(container: InputContainer, start: Instant) -> Instant | None:
    if not container.duration or container.duration < 0:
        return None
    # Matroska counts its length from zero, the others from the first time stamp.
    return container.duration * _MICRO + (0 if "matroska" in container.format.name else start)


def _last(
    source: Source, video: VideoStream | None, timing: Timing | None, near: Instant | None
) -> Instant | None:
    """Read the packets after the last key frame before `near`, or where that leads nowhere (None) all of them, and
    return where the last ends. Nothing is decoded."""
    from av.error import FFmpegError

    with open_container(source) as container:
        streams = [s for s in container.streams if s.type == "audio" or (video and s.index == video.index)]
        keep_streams(container, [stream.index for stream in streams])
        try:
            if near is not None:
                container.seek(int((near + 1) / _MICRO))
        except (FFmpegError, OSError):
            return None
        return max(_ends(packets(container, streams), video, timing), default=None)


def _ends(read: Iterator[Packet], video: VideoStream | None, timing: Timing | None) -> Iterator[Instant]:
    pictures = 0
    for packet in read:
        if packet.is_discard:
            continue
        length = (packet.duration or 0) * packet.time_base
        if video and timing and packet.stream.index == video.index:
            time = pictures * timing.step if timing.trust == "count" else timing.of_packet(packet)
            length = length or timing.step
            pictures += 1
        else:
            time = None if packet.pts is None else packet.pts * packet.time_base
        if time is not None:
            yield time + length
