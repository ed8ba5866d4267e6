"""/v1/files: videos sent as OpenAI's clients send files. A file is a medium of the library, and its id the medium's."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path
from typing import Any, Literal

from fastapi import APIRouter, Request
from fastapi.responses import FileResponse
from pydantic import BaseModel
from starlette.datastructures import UploadFile

from vidence.memory import Medium
from vidence.serving.admitting import admit, check_room
from vidence.serving.api.media import delete_medium
from vidence.serving.api.reaching import Here, Keeping, Serving
from vidence.serving.api.shapes import MediaId
from vidence.serving.api.viewing import BINARY, get_file
from vidence.serving.library import Library, id_of
from vidence.serving.names import clean_name
from vidence.serving.refusing import Refused
from vidence.serving.site import available

router = APIRouter(prefix="/v1/files", tags=["chat"])
SENT = {
    "type": "object",
    "properties": {"file": {"type": "string", "format": "binary"}, "purpose": {"type": "string"}},
    "required": ["file"],
}


class FileOut(BaseModel):
    """A file, as OpenAI's API shows one. `status`: processed, once it was perceived."""

    id: str
    object: Literal["file"] = "file"
    bytes: int
    created_at: int
    filename: str
    purpose: str = "user_data"
    status: Literal["uploaded", "processed", "error"]


class Files(BaseModel):
    """All files."""

    object: Literal["list"] = "list"
    data: list[FileOut]
    has_more: bool = False


class Deleted(BaseModel):
    """A file that is there no longer."""

    id: str
    object: Literal["file"] = "file"
    deleted: bool = True


@router.post(
    "",
    openapi_extra={"requestBody": {"required": True, "content": {"multipart/form-data": {"schema": SENT}}}},
)
async def create(request: Request, site: Serving, library: Here, keeper: Keeping) -> FileOut:
    """Send a video, and have it indexed. What it is, its content alone decides."""
    size = request.headers.get("content-length", "")
    await asyncio.to_thread(check_room, site, library, int(size) if size.isdecimal() else None)
    place = library.new_file()
    try:
        async with request.form(max_files=1, max_fields=10) as form:
            sent = form.get("file")
            if not isinstance(sent, UploadFile):
                raise Refused(400, "the form has no file; send the video as its field `file`")
            await asyncio.to_thread(_copied, sent, place)
            name = clean_name(sent.filename or "video")
        job = await admit(site, library, place, name)
    finally:
        await asyncio.to_thread(place.unlink, missing_ok=True)
    keeper.bell.ring()
    return await asyncio.to_thread(_one, library, id_of(job.medium or ""))


@router.get("")
def list_files(library: Here) -> Files:
    """List the videos of the library."""
    names = library.names()
    return Files(data=[_told(library, one, names.get(one.hash)) for one in library.memory.media()])


@router.get("/{id}")
def retrieve(id: MediaId, library: Here) -> FileOut:
    """Show one."""
    return _one(library, id)


@router.delete("/{id}")
async def delete(id: MediaId, library: Here, keeper: Keeping) -> Deleted:
    """Remove one, and all that is known of it."""
    await delete_medium(id, library, keeper)
    return Deleted(id=id)


@router.get(
    "/{id}/content",
    response_class=FileResponse,
    responses={
        200: {"content": {"*/*": BINARY}},
        206: {"description": "A range of it.", "content": {"*/*": BINARY}},
    },
)
def content(id: MediaId, site: Serving, library: Here) -> FileResponse:
    """Send it back."""
    return get_file(id, site, library)


def _copied(sent: UploadFile, place: Path) -> None:
    with place.open("wb") as file:
        shutil.copyfileobj(sent.file, file, 1 << 20)
    if not place.stat().st_size:
        raise Refused(400, "the file is empty")


def _one(library: Library, id: str) -> FileOut:
    medium = library.medium(id)
    return _told(library, medium, library.name_of(medium))


def _told(library: Library, medium: Medium, name: str | None) -> FileOut:
    there: Any = "processed" if library.queue.indexed(medium.hash) else "uploaded"
    return FileOut(
        id=id_of(medium.hash),
        bytes=medium.info.bytes,
        created_at=int(medium.added),
        filename=name or clean_name(medium.path),
        status=there if available(medium) else "error",
    )
