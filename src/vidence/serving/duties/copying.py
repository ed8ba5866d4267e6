"""Put what a browser could play, but for its container, into another one: packets as they are, so at once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vidence.media.source import open_container, resolve
from vidence.serving.duties.opening import CONTAINERS

if TYPE_CHECKING:
    from vidence.media import MediaInfo

_CONTAINERS = ("matroska", "flv")  # whose packets MP4 takes as they are
_PICTURES, _SOUNDS = ("h264", "av1"), ("aac", "mp3", "opus", "flac")


def may_be_copied(info: MediaInfo) -> bool:
    """Say whether the packets of a medium are what browsers play in MP4: upright, 8 bits, 4:2:0."""
    video = info.video
    return (
        video is not None
        and info.format.startswith(_CONTAINERS)
        and video.codec in _PICTURES
        and video.pixel_format in ("yuv420p", "yuvj420p")
        and not (video.rotation or video.interlaced)
        and all(stream.codec in _SOUNDS for stream in info.audio[:1])
    )


def copy_packets(info: MediaInfo, path: Path) -> bool:
    """Write the first streams of picture and sound as MP4, its clock beginning where the medium's does.

    Returns False, and leaves what was written, where the pixels are not square: a browser would show them so.
    """
    import av

    assert info.video is not None
    wanted = [info.video.index, *(stream.index for stream in info.audio[:1])]
    with open_container(resolve(info.path, CONTAINERS)) as source:
        shown: Any = source.streams[info.video.index]
        if (shown.width, shown.height) != (info.video.width, info.video.height):
            return False
        with av.open(str(path), "w", format="mp4", options={"movflags": "+faststart"}) as out:
            streams: dict[int, Any] = {
                index: out.add_stream_from_template(source.streams[index])  # pyright: ignore[reportArgumentType]
                for index in wanted
            }
            for packet in _with_times(source.demux(*(source.streams[index] for index in wanted))):
                shift = round(info.span.start / packet.time_base)
                packet.pts, packet.dts = packet.pts - shift, packet.dts - shift
                packet.stream = streams[packet.stream.index]
                out.mux(packet)
    return True


def _with_times(packets: Iterable[Any]) -> Iterator[Any]:
    """Yield packets with the times of decoding that a container leaves out at first."""
    early: dict[int, list[Any]] = {}
    for packet in packets:
        if packet.pts is None:
            continue  # the end of a stream
        waiting = early.setdefault(packet.stream.index, [])
        if packet.dts is None:
            waiting.append(packet)
            continue
        for back, before in enumerate(reversed(waiting), 1):
            before.dts = packet.dts - back * (packet.duration or 1)
        yield from waiting
        waiting.clear()
        yield packet
