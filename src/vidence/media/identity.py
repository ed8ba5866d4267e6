"""Who a medium is: a hash of its content that does not read a 50 GB file whole.

Read are the size, the first and last 1 MiB and 64 blocks of 64 KiB at even distances: at most 6 MiB of any file, and
all of a file up to 6 MiB. Two recordings get the same hash only when their sizes and all of those bytes agree: for
compressed media, whose bytes are unlike throughout, the odds are those of SHA-256 itself (2^-128 for two in a
lifetime). A copy altered on purpose between the sampled blocks (a stretch shorter than size / 64), keeping its size, is
not told apart. Changed metadata or a remuxed copy gives another hash, and is perceived anew.
"""

from __future__ import annotations

import hashlib
import urllib.error
import urllib.request
from pathlib import Path

from vidence.errors import MediaError
from vidence.media.source import Source

_EDGE, _BLOCK, _BLOCKS = 1 << 20, 1 << 16, 64
_PREFIX = "sha256-sampled:"
_TIMEOUT_S = 20


def content_size(source: Source) -> int:
    """Return the size in bytes; 0 for a URL whose server does not say."""
    if source.path is None:
        return int(_headers(source)[0])
    return source.path.stat().st_size


def content_hash(source: Source) -> str:
    """Return "sha256-sampled:" and 64 hex digits.

    For a URL the address, length and the server's own mark of the version (ETag or Last-Modified) are hashed instead.

    Raises:
        MediaError: the file has gone or cannot be read.
    """
    if source.path is None:
        return _PREFIX + hashlib.sha256("\n".join((source.address, *_headers(source))).encode()).hexdigest()
    try:
        return _PREFIX + sampled_hash(source.path)
    except OSError as error:
        raise MediaError(
            f"{source.name}: cannot be read any more ({error.strerror}); is it still there?"
        ) from None


def sampled_hash(path: Path) -> str:
    """Return 64 hex digits of a file, as `content_hash` reads it."""
    size = path.stat().st_size
    digest = hashlib.sha256(f"vidence 1 {size}\n".encode())
    with path.open("rb") as file:
        if size <= 2 * _EDGE + _BLOCKS * _BLOCK:
            digest.update(file.read())
            return digest.hexdigest()
        digest.update(file.read(_EDGE))
        inner = size - 2 * _EDGE - _BLOCK
        for block in range(_BLOCKS):
            file.seek(_EDGE + inner * block // (_BLOCKS - 1))
            digest.update(file.read(_BLOCK))
        file.seek(size - _EDGE)
        digest.update(file.read(_EDGE))
    return digest.hexdigest()


def _headers(source: Source) -> tuple[str, str]:
    """Ask a server for (length, version mark)."""
    request = urllib.request.Request(source.address, method="HEAD")
    try:
        with urllib.request.urlopen(request, timeout=_TIMEOUT_S) as answer:
            mark = answer.headers.get("ETag") or answer.headers.get("Last-Modified") or ""
            return answer.headers.get("Content-Length") or "0", mark
    except (urllib.error.URLError, OSError, ValueError) as error:
        raise MediaError(
            f"{source.name}: cannot be reached ({error}); check the address and the network"
        ) from None
