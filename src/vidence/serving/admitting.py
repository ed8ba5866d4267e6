"""Take in what was sent or fetched: a worker sees what it is, and its indexing is queued."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path

from vidence.errors import MediaError
from vidence.serving.jobs import Job
from vidence.serving.library import Library
from vidence.serving.refusing import Refused, busy
from vidence.serving.site import Site


async def admit(site: Site, library: Library, path: Path, name: str) -> Job:
    """Take a file into a library and queue its indexing; the file is gone afterwards, whatever it was.

    Raises:
        Refused: 415, it is no video; 422, it is longer or larger than is allowed, or cannot be read within limits.
    """
    limits = site.settings.limits
    task = {
        "task": "admit",
        "path": str(path),
        "files": str(library.files),
        "memory": str(library.memory.path),
        "duration_s": limits.duration_s,
        "pixels": limits.pixels,
    }
    try:
        seen = await site.pools["view"].do(library.name, task, limits.view_s)
    except MediaError as error:
        raise Refused(422, str(error)) from error
    finally:
        await asyncio.to_thread(path.unlink, missing_ok=True)
    if "refused" in seen:
        raise Refused(*seen["refused"])
    return await asyncio.to_thread(_enter, library, seen["medium"], name)


def _enter(library: Library, hash: str, name: str) -> Job:
    if hash not in library.names():
        library.rename(hash, name)
    return library.queue.add("index", name=name, request={}, medium=hash)


def check_room(site: Site, library: Library, size: int | None) -> None:
    """Check, before a byte is read, that a library may take another video of `size` bytes (None: not known).

    Raises:
        Refused: 413, too large; 429, too much is queued; 507, the disk is full.
    """
    limits = site.settings.limits
    if size is not None and size > limits.upload_bytes:
        raise Refused(413, f"the video has {size:,} bytes; {limits.upload_bytes:,} are allowed")
    if library.queue.waiting() >= limits.queued_jobs:
        raise busy(f"{limits.queued_jobs} jobs wait in this library already", 30)
    if sum(one.queue.waiting() for one in site.libraries.opened()) >= limits.queued_jobs_overall:
        raise busy("too many jobs wait on this server already", 60)
    if shutil.disk_usage(library.folder).free < (size or 0) + limits.spare_bytes:
        raise Refused(507, "there is not enough space left for this video on the server's disk")
