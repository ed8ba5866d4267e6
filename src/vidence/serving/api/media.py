"""/api/media: the videos of a library, and how new ones come in."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import unquote, urlsplit

from fastapi import APIRouter, Query, Request, Response
from starlette.requests import ClientDisconnect

from vidence.senses import default_senses
from vidence.serving.admitting import admit, check_room
from vidence.serving.api.describing import media_out
from vidence.serving.api.jobs import described
from vidence.serving.api.reaching import Here, Keeping, Serving
from vidence.serving.api.shapes import Address, Indexing, JobOut, MediaId, MediaOut, MediumOut, Name
from vidence.serving.fetching import check_url
from vidence.serving.jobs import Job
from vidence.serving.library import Library
from vidence.serving.names import clean_name
from vidence.serving.receiving import receive
from vidence.serving.refusing import Refused
from vidence.serving.site import Site, available

router = APIRouter(tags=["media"])


@router.get("/media")
def list_media(library: Here, keeper: Keeping) -> MediaOut:
    """List the videos of the library."""
    return MediaOut(media=media_out(keeper.places(), library, library.memory.media()))


@router.post("/media", status_code=202)
async def fetch_medium(address: Address, site: Serving, library: Here, keeper: Keeping) -> JobOut:
    """Fetch a video from an http(s) address that is public, and index it."""
    await asyncio.to_thread(check_url, address.url, site.settings.fetch_from)
    await asyncio.to_thread(check_room, site, library, None)
    name = clean_name(address.name or unquote(urlsplit(address.url).path))
    job = await asyncio.to_thread(library.queue.add, "fetch", name=name, request={"url": address.url})
    keeper.bell.ring()
    return await asyncio.to_thread(described, keeper, library, job)


@router.put(
    "/media",
    status_code=202,
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
        }
    },
)
async def put_medium(
    request: Request,
    site: Serving,
    library: Here,
    keeper: Keeping,
    name: Annotated[str, Query(min_length=1, max_length=500)] = "video",
) -> JobOut:
    """Send a video as the body of the request, and have it indexed. What it is, its content alone decides."""
    size = request.headers.get("content-length")
    length = int(size) if size is not None and size.isdecimal() else None
    await asyncio.to_thread(check_room, site, library, length)
    place = library.new_file()
    try:
        got = await receive(request, place, site.settings.limits.upload_bytes)
        if not got:
            raise Refused(400, "the request has no body; send the video as it")
        site.metrics.received.inc(got)
        job = await admit(site, library, place, clean_name(name))
    except ClientDisconnect:
        raise Refused(400, "the video did not come to its end") from None
    finally:
        await asyncio.to_thread(Path(place).unlink, missing_ok=True)
    keeper.bell.ring()
    return await asyncio.to_thread(described, keeper, library, job)


@router.get("/media/{id}")
def get_medium(id: MediaId, library: Here, keeper: Keeping) -> MediumOut:
    """Show a video."""
    return media_out(keeper.places(), library, [library.medium(id)])[0]


@router.patch("/media/{id}")
def rename_medium(id: MediaId, name: Name, library: Here, keeper: Keeping) -> MediumOut:
    """Call a video by another name."""
    medium = library.medium(id)
    library.rename(medium.hash, name.name)
    return media_out(keeper.places(), library, [medium])[0]


@router.delete("/media/{id}", status_code=204)
async def delete_medium(id: MediaId, library: Here, keeper: Keeping) -> Response:
    """Remove a video and all that is known of it; a file that was not sent or fetched here is left alone."""
    medium = await asyncio.to_thread(library.medium, id)
    for job in await asyncio.to_thread(library.queue.unfinished):
        if job.medium == medium.hash:
            await keeper.cancel(library, job)
    await asyncio.to_thread(library.forget, medium)
    return Response(status_code=204)


@router.post("/media/{id}/index", status_code=202)
async def index_medium(
    id: MediaId, site: Serving, library: Here, keeper: Keeping, how: Indexing | None = None
) -> JobOut:
    """Perceive what is not yet known of a video."""
    request = {} if how is None else how.model_dump(exclude_none=True)
    job = await asyncio.to_thread(queue_index, site, library, id, request)
    keeper.bell.ring()
    return await asyncio.to_thread(described, keeper, library, job)


def queue_index(site: Site, library: Library, id: str, request: dict[str, Any]) -> Job:
    """Queue the indexing of a medium.

    Raises:
        Refused: 404, there is none; 410, its file is gone; 429, too much is queued.
    """
    medium = library.medium(id)
    if not available(medium):
        raise Refused(410, "the file of this medium is no longer where it was; add it again")
    default_senses(
        request.get("senses"), language=request.get("language", "auto")
    )  # told now, not by the job
    check_room(site, library, None)
    return library.queue.add("index", name=library.name_of(medium), request=request, medium=medium.hash)
