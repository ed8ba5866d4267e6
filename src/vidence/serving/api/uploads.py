"""/api/uploads: send a video in pieces, and go on after a break (tus 1.0.0)."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

from fastapi import APIRouter, Header, Path, Request, Response
from starlette.requests import ClientDisconnect

from vidence.serving.admitting import admit, check_room
from vidence.serving.api.reaching import Here, Keeping, Serving
from vidence.serving.keeper import Keeper
from vidence.serving.library import Library
from vidence.serving.receiving import receive
from vidence.serving.refusing import Refused
from vidence.serving.site import Site
from vidence.serving.uploads import VERSION, Upload, read_name

router = APIRouter(tags=["uploads"])
PIECE = "application/offset+octet-stream"
UploadId = Annotated[str, Path(pattern="^[0-9a-f]{32}$")]
Tus = Annotated[str | None, Header(alias="Tus-Resumable", description=f"{VERSION}, always.")]
BODY: dict[str, Any] = {
    "requestBody": {"required": True, "content": {PIECE: {"schema": {"type": "string", "format": "binary"}}}}
}


@router.options("/uploads", status_code=204)
async def describe_uploads(site: Serving) -> Response:
    """Tell what of tus is understood."""
    headers = {
        "Tus-Version": VERSION,
        "Tus-Extension": "creation,termination",
        "Tus-Max-Size": str(site.settings.limits.upload_bytes),
    }
    return _empty(204, headers)


@router.post("/uploads", status_code=201)
async def begin_upload(
    site: Serving,
    library: Here,
    tus: Tus = None,
    length: Annotated[int | None, Header(alias="Upload-Length", ge=0)] = None,
    metadata: Annotated[str | None, Header(alias="Upload-Metadata", max_length=4096)] = None,
) -> Response:
    """Begin an upload of a known length; `Upload-Metadata` may bear a filename."""
    _check_version(tus)
    if not length:
        raise Refused(400, "Upload-Length is needed: the bytes of the whole video, at least one")
    name = read_name(metadata)
    await asyncio.to_thread(check_room, site, library, length)
    upload = await asyncio.to_thread(library.uploads.begin, name, length, site.settings.limits.open_uploads)
    return _empty(201, {"Location": f"/api/uploads/{upload.id}", "Upload-Offset": "0"})


@router.head("/uploads/{id}")
async def show_upload(
    id: UploadId, site: Serving, library: Here, keeper: Keeping, tus: Tus = None
) -> Response:
    """Tell how much has come. Of one that has come whole (the server was stopped at its end) the job is begun."""
    _check_version(tus)
    async with library.uploads.lock(id):
        upload = await asyncio.to_thread(library.uploads.get, id)
        offset = upload.offset
        headers = {
            "Upload-Offset": str(offset),
            "Upload-Length": str(upload.length),
            "Cache-Control": "no-store",
        }
        if offset == upload.length:
            headers |= await _ended(site, library, keeper, upload)
    return _empty(200, headers)


@router.patch("/uploads/{id}", status_code=204, openapi_extra=BODY)
async def go_on(
    id: UploadId,
    request: Request,
    site: Serving,
    library: Here,
    keeper: Keeping,
    tus: Tus = None,
    offset: Annotated[int | None, Header(alias="Upload-Offset", ge=0)] = None,
) -> Response:
    """Send the next piece, from `Upload-Offset` on. The answer to the last bears `Vidence-Job`."""
    _check_version(tus)
    if request.headers.get("content-type") != PIECE:
        raise Refused(415, f"the content type of a piece is {PIECE}")
    if offset is None:
        raise Refused(400, "Upload-Offset is needed: the bytes that have come before")
    lock = library.uploads.lock(id)
    if lock.locked():
        raise Refused(423, "another request is writing to this upload", retry_s=1)
    async with lock:
        upload = await asyncio.to_thread(library.uploads.get, id)
        if offset != upload.offset:
            raise Refused(409, f"{upload.offset} bytes have come, not {offset}")
        try:
            got = await receive(request, upload.file, upload.length - offset, offset=offset)
        except ClientDisconnect:
            raise Refused(400, "the piece did not come to its end; what came is kept") from None
        site.metrics.received.inc(got)
        headers = {"Upload-Offset": str(upload.offset)}
        if upload.offset == upload.length:
            headers |= await _ended(site, library, keeper, upload)
    return _empty(204, headers)


@router.delete("/uploads/{id}", status_code=204)
async def remove_upload(id: UploadId, library: Here, tus: Tus = None) -> Response:
    """Forget an upload."""
    _check_version(tus)
    async with library.uploads.lock(id):
        upload = await asyncio.to_thread(library.uploads.get, id)
        await asyncio.to_thread(upload.remove)
    return _empty(204, {})


async def _ended(site: Site, library: Library, keeper: Keeper, upload: Upload) -> dict[str, str]:
    """Take in an upload that has come whole; it is gone afterwards, whatever it was."""
    try:
        job = await admit(site, library, upload.file, upload.name)
    finally:
        await asyncio.to_thread(upload.remove)
    keeper.bell.ring()
    return {"Vidence-Job": str(job.id)}


def _check_version(tus: str | None) -> None:
    if tus != VERSION:
        raise Refused(412, f"Tus-Resumable: {VERSION} is needed", headers={"Tus-Version": VERSION})


def _empty(status: int, headers: dict[str, str]) -> Response:
    return Response(status_code=status, headers={"Tus-Resumable": VERSION, **headers})
