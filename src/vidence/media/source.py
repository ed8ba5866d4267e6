"""What may be opened: a regular file, or an http(s) address; and how, so that nothing else is reached through it."""

from __future__ import annotations

import os
import re
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from vidence.errors import MediaError
from vidence.media.demux import reason

if TYPE_CHECKING:
    from av.container import InputContainer

_SCHEME = re.compile(r"^([a-zA-Z][a-zA-Z0-9+.-]+):(//)?")
_FILE_PROTOCOLS = "file"  # a local playlist may not reach the network
_URL_PROTOCOLS = "http,https,tcp,tls,crypto,httpproxy"  # a remote playlist may not read local files
_OPEN_TIMEOUT_S, _READ_TIMEOUT_S = 60, 30
_REFUSED_FORMATS = {"tty": "a text file", "lavfi": "a filter script", "ffmetadata": "a metadata text"}


@dataclass(frozen=True, slots=True)
class Source:
    """A checked place to read from: `name` for people, `address` for the demuxer."""

    name: str
    address: str
    remote: bool
    containers: str | None = (
        None  # FFmpeg's names of the demuxers allowed, by comma; None: all but `_REFUSED_FORMATS`
    )

    @property
    def path(self) -> Path | None:
        """The local file, or None for a URL."""
        return None if self.remote else Path(self.name)


def resolve(source: str | Path, containers: str | None = None) -> Source:
    """Check that a source is a readable regular file or an http(s) URL; `containers` narrows how it may be read.

    Raises:
        MediaError: it is missing, empty, a directory, unreadable, or has another protocol.
    """
    text = str(source)
    scheme = _SCHEME.match(text)
    if isinstance(source, str) and scheme and not Path(text).exists():
        if scheme[1].lower() in ("http", "https") and scheme[2]:
            return Source(text, text, True, containers)
        if scheme[1].lower() != "file":
            raise MediaError(f"{text}: protocol {scheme[1]!r} is not allowed; give a file or an http(s) URL")
        text = text[5:].removeprefix("//")
    path = Path(text).expanduser()
    _check_file(path)
    return Source(str(path), f"file:{path.absolute()}", False, containers)


def _check_file(path: Path) -> None:
    try:
        state = path.stat()
    except FileNotFoundError:
        raise MediaError(f"{path}: no such file; check the path") from None
    except (OSError, ValueError) as error:
        raise MediaError(f"{path}: cannot be read ({error}); check the path and its permissions") from None
    if stat.S_ISDIR(state.st_mode):
        raise MediaError(f"{path}: is a folder; name the video file in it")
    if not stat.S_ISREG(state.st_mode):
        raise MediaError(f"{path}: is not a regular file; save the stream to a file first")
    if state.st_size == 0:
        raise MediaError(f"{path}: is empty (0 bytes); copy or download it again")
    if not os.access(path, os.R_OK):
        raise MediaError(f"{path}: may not be read; give yourself read permission")


def open_container(source: Source) -> InputContainer:
    """Open a demuxer on a source.

    Raises:
        MediaError: it is not media that FFmpeg knows, or it cannot be read.
    """
    import av
    from av.error import FFmpegError

    options = {"protocol_whitelist": _URL_PROTOCOLS if source.remote else _FILE_PROTOCOLS}
    if source.containers is not None:
        options["format_whitelist"] = source.containers
    try:
        container = av.open(
            source.address,
            "r",
            container_options=options,
            metadata_errors="replace",
            timeout=(_OPEN_TIMEOUT_S, _READ_TIMEOUT_S),
        )
    except (FFmpegError, OSError, ValueError) as error:
        raise MediaError(f"{source.name}: cannot be opened as video or audio ({reason(error)})") from error
    if refused := _REFUSED_FORMATS.get(container.format.name):
        container.close()
        raise MediaError(f"{source.name}: is {refused}, not a video; name the video file")
    return container
