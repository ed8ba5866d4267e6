"""The cache on disk: where weight files lie, and how they are put there whole or not at all."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from platformdirs import user_cache_path

try:
    import fcntl
except ImportError:  # Windows: two processes may fetch twice; the rename keeps what they write whole
    fcntl = None


def cache_folder() -> Path:
    """Return $VIDENCE_CACHE, or the user's cache folder."""
    named = os.environ.get("VIDENCE_CACHE")
    return Path(named).expanduser() if named else user_cache_path("vidence", appauthor=False)


def place(name: str, identity: str, filename: str) -> Path:
    """Return where a file belongs: the hash is in the path, so that a new pin never meets an old file."""
    return cache_folder() / "models" / name / identity[:16] / filename


def sha256_of(path: Path) -> str:
    """Hash a file (about 0.5 to 2 GB/s)."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def recorded_hash(path: Path) -> str:
    """Return the hash written beside a file when it was first fetched or built, "" for none."""
    try:
        return _record(path).read_text().strip()
    except FileNotFoundError:
        return ""


def adopt(file: Path, target: Path, sha256: str) -> None:
    """Move a fetched file to its place in one step, and record its hash beside it."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with file.open("rb+") as written:
        os.fsync(written.fileno())
    with tempfile.NamedTemporaryFile("w", dir=target.parent, delete=False) as record:
        record.write(sha256 + "\n")
    # the record first: a file without its record would be fetched anew, a record without its file is harmless
    os.replace(record.name, _record(target))
    os.replace(file, target)


def discard(path: Path) -> None:
    """Remove a cached file and its record."""
    path.unlink(missing_ok=True)
    _record(path).unlink(missing_ok=True)


@contextmanager
def workshop(name: str) -> Iterator[Path]:
    """Give an empty folder in the cache (one disk, so that renames are atomic) and remove it afterwards."""
    root = cache_folder() / "partial"
    root.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f"{name}-", dir=root, ignore_cleanup_errors=True) as folder:
        yield Path(folder)


@contextmanager
def turn(name: str) -> Iterator[None]:
    """Wait until no other process or thread fetches `name`. The lock dies with its holder."""
    root = cache_folder() / "partial"
    root.mkdir(parents=True, exist_ok=True)
    with (root / f"{name}.lock").open("w") as lock:
        if fcntl:
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _record(path: Path) -> Path:
    return path.with_name(path.name + ".sha256")
