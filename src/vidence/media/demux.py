"""Read packets from a container, whatever state it is in."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.packet import Packet
    from av.stream import Stream

_READ_ERRORS = 20  # so many failed reads in a row, without a packet between them, end the file


def keep_streams(container: InputContainer, indices: Collection[int]) -> None:
    """Tell the demuxer to pass over all other streams: MP4 and Matroska then do not even read them."""
    from av.stream import Discard

    for stream in container.streams:
        if stream.index not in indices:
            stream.discard = Discard.all


def packets(
    container: InputContainer, streams: Collection[Stream], failed: Callable[[str], None] | None = None
) -> Iterator[Packet]:
    """Yield the packets of some streams, reading on past errors; `failed` hears of each. Never yields empty packets:
    decoders take those for the end, though Ogg uses them to say "as before". Flush the decoder yourself at the end.
    """
    from av.error import FFmpegError

    errors = 0
    while errors < _READ_ERRORS:
        try:
            for packet in container.demux(*streams):
                if packet.size:
                    errors = 0
                    yield packet
            return
        except (FFmpegError, OSError) as error:
            errors += 1
            if failed:
                failed(f"cannot read on ({reason(error)})")
        except IndexError:
            return  # PyAV at the end of a damaged transport stream that announced new streams on the way


def reason(error: Exception) -> str:
    """Say in a few words why FFmpeg or the system refused."""
    return getattr(error, "strerror", None) or str(error) or type(error).__name__
