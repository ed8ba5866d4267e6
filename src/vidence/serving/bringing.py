"""Bring the video that a client names: one of the library, one at an address, or one that comes with the request."""

from __future__ import annotations

import asyncio
import base64
import binascii
from collections.abc import AsyncGenerator
from contextlib import aclosing
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from vidence.errors import UsageError
from vidence.serving.admitting import admit, check_room
from vidence.serving.fetching import check_url
from vidence.serving.following import followed
from vidence.serving.jobs import Job
from vidence.serving.library import Library, id_of
from vidence.serving.names import clean_name
from vidence.serving.refusing import Refused
from vidence.serving.site import Site, available

if TYPE_CHECKING:
    from vidence.memory import Medium
    from vidence.serving.keeper import Keeper

SHORTEST = 6  # hex digits of an id that may stand for all of it
SHOWN = 8  # names that are told where none fits


def find(library: Library, called: str) -> Medium:
    """Return the medium of a library that is called so: by its id, the beginning of it, or its name.

    Raises:
        Refused: 404, there is none; 409, there are several.
    """
    names = library.names()
    media = {one.hash: one for one in library.memory.media()}
    known = {hash: names.get(hash) or clean_name(one.path) for hash, one in media.items()}
    wanted = called.strip()
    fits = (
        lambda hash: id_of(hash) == wanted,
        lambda hash: known[hash] == wanted,
        lambda hash: known[hash].casefold() == wanted.casefold(),
        lambda hash: len(wanted) >= SHORTEST and id_of(hash).startswith(wanted),
        lambda hash: known[hash].rsplit(".", 1)[0].casefold() == wanted.casefold(),
    )
    for fit in fits:
        found = [hash for hash in media if fit(hash)]
        if len(found) > 1:
            told = ", ".join(f"{known[hash]} ({id_of(hash)[:12]})" for hash in found[:SHOWN])
            raise Refused(409, f"several videos are called {wanted!r}; say which by its id: {told}")
        if found:
            return media[found[0]]
    there = ", ".join(sorted(known.values())[:SHOWN]) or "none yet"
    raise Refused(404, f"there is no video {wanted[:100]!r} in this library; there are: {there}")


async def bring(site: Site, keeper: Keeper, library: Library, source: str) -> Medium | Job:
    """Return the medium that `source` names: a data URL, or as `find`; of an http(s) address the job that fetches it.

    What was fetched from an address before, and is still there, is not fetched again.

    Raises:
        Refused: there is none, or it may not be taken.
        UsageError: a data URL cannot be read.
    """
    if source.startswith("data:"):
        return await _taken(site, keeper, library, source)
    if source.startswith(("http:", "https:")):
        before = await asyncio.to_thread(_fetched_before, library, source)
        return before or await fetch(site, keeper, library, source)
    return await asyncio.to_thread(find, library, source)


async def fetch(site: Site, keeper: Keeper, library: Library, url: str, name: str | None = None) -> Job:
    """Queue the fetching of a video from an address, which is checked now and again when it is done.

    Raises:
        Refused: 400, it may not be fetched; 429 or 507, there is no room.
    """
    await asyncio.to_thread(check_url, url, site.settings.fetch_from)
    await asyncio.to_thread(check_room, site, library, None)
    name = clean_name(name or unquote(urlsplit(url).path))
    job = await asyncio.to_thread(library.queue.add, "fetch", name=name, request={"url": url})
    keeper.bell.ring()
    return job


async def arrived(library: Library, job: Job) -> Medium:
    """Wait for what is fetched.

    Raises:
        Refused: 409, it failed or was cancelled.
    """
    last: Job | None = job
    async with aclosing(followed(library, job.id)) as states:
        async for now in states:
            last = now
    if last is None or last.state != "done":
        raise Refused(409, f"it was not fetched: {last.error or last.state if last else 'its job is gone'}")
    return await asyncio.to_thread(library.medium, id_of(last.medium or ""))


async def fetched(
    site: Site, library: Library, url: str, place: Path
) -> AsyncGenerator[tuple[int, int | None]]:
    """Fetch a file into `place`, yielding (bytes, of how many) as they come.

    Raises:
        VidenceError: it may not be fetched, or cannot be.
    """
    limits = site.settings.limits
    task = {
        "task": "fetch",
        "url": url,
        "place": str(place),
        "bytes": limits.upload_bytes,
        "limit_s": limits.fetch_s,
        "allowed": site.settings.fetch_from,
        "cpu_s": limits.fetch_s,
    }
    async with site.pools["fetch"].lend(library.name) as worker, asyncio.timeout(limits.fetch_s + 30):
        async for message in worker.messages(task):
            if "bytes" in message:
                done, total = message["bytes"]
                yield done, total


def data_of(url: str) -> str:
    """Return what stands in a data URL, still in base64.

    Raises:
        UsageError: it is none, or not in base64.
    """
    head, _, body = url.partition(",")
    if not head.startswith("data:") or not head.endswith(";base64"):
        raise UsageError("pictures come as data URLs in base64: data:image/png;base64,...")
    return body


def read_data(url: str) -> bytes:
    """Return the bytes of a data URL.

    Raises:
        UsageError: it is none, or not in base64.
    """
    try:
        return base64.b64decode(data_of(url), validate=True)
    except binascii.Error as fault:
        raise UsageError(f"a data URL is no base64: {fault}") from fault


def _fetched_before(library: Library, url: str) -> Medium | None:
    hash = library.queue.fetched(url)
    return next((one for one in library.memory.media() if one.hash == hash and available(one)), None)


async def _taken(site: Site, keeper: Keeper, library: Library, url: str) -> Medium:
    """Take what stands in a data URL into the library."""
    await asyncio.to_thread(check_room, site, library, len(url))
    place = library.new_file()
    await asyncio.to_thread(lambda: place.write_bytes(read_data(url)))
    kind = url[5:].partition(";")[0].rpartition("/")[2]
    job = await admit(site, library, place, clean_name(f"sent.{kind}"))
    keeper.bell.ring()
    return await asyncio.to_thread(library.medium, id_of(job.medium or ""))
