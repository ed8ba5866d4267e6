"""What is shown of a video: the file, frames, thumbnails, the timeline, exports."""

from __future__ import annotations

import asyncio
import base64
from pathlib import Path
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from fastapi.responses import FileResponse, JSONResponse, Response

from vidence.exports import FORMATS, write
from vidence.exports.records import record
from vidence.senses.observation import Observation
from vidence.serving.api.describing import attachment, seconds
from vidence.serving.api.reaching import Here, Previewing, Serving
from vidence.serving.api.shapes import (
    Covered,
    Making,
    Mark,
    MediaId,
    Missed,
    Observations,
    SceneOut,
    TimelineOut,
)
from vidence.serving.library import id_of
from vidence.serving.playing import media_type
from vidence.serving.refusing import Refused
from vidence.serving.sheet import Sheet
from vidence.timeline import Span, instant

router = APIRouter(tags=["media"])
MOST_MARKS = 5000  # of a lane
KEEP = {"Cache-Control": "private, max-age=86400"}  # an id is a hash: what it names never changes
TEXTS = {"json": "application/json", "vtt": "text/vtt", "csv": "text/csv", "html": "text/html"}
Seconds = Annotated[float, Query(allow_inf_nan=False, ge=-1e9, le=1e9)]
BINARY: dict[str, Any] = {"schema": {"type": "string", "format": "binary"}}


@router.get(
    "/media/{id}/file",
    response_class=FileResponse,
    responses={
        200: {"content": {"*/*": BINARY}},
        206: {"description": "A range of it.", "content": {"*/*": BINARY}},
    },
)
def get_file(id: MediaId, site: Serving, library: Here) -> FileResponse:
    """Send the file as it is; ranges are served."""
    medium = library.medium(id)
    site.task_on(library, medium, "file")  # is it there?
    return FileResponse(medium.path, media_type=media_type(medium.info), headers=KEEP)


@router.get(
    "/media/{id}/preview",
    response_model=Making,
    responses={
        200: {"content": {"*/*": BINARY}},
        202: {"model": Making, "description": "The copy is being made."},
        206: {"description": "A range of it.", "content": {"*/*": BINARY}},
    },
)
async def get_preview(id: MediaId, library: Here, previews: Previewing) -> Response:
    """Send what browsers can play: the file itself where they can, else a copy, made when it is first asked for.

    Its clock begins at zero, where the medium's begins at `start_s`.
    """
    medium = await asyncio.to_thread(library.medium, id)
    found = previews.get(library, medium)
    if not isinstance(found, Path):
        return JSONResponse({"progress": found}, 202, {"Retry-After": "1", "Cache-Control": "no-store"})
    kind = media_type(medium.info) if found == Path(medium.path) else "video/mp4"
    return FileResponse(found, media_type=kind, headers=KEEP)


@router.get(
    "/media/{id}/frame",
    response_class=Response,
    responses={200: {"content": {"image/jpeg": BINARY}}},
)
async def get_frame(
    id: MediaId,
    site: Serving,
    library: Here,
    at: Seconds,
    height: Annotated[int, Query(ge=16, le=2160)] = 360,
) -> Response:
    """Send the picture on screen at a time of the medium's clock, as JPEG."""
    medium = await asyncio.to_thread(library.medium, id)
    task = site.task_on(library, medium, "frame", at=at, height=height)
    seen = await site.pools["view"].do(library.name, task, site.settings.limits.view_s)
    headers = KEEP | {"Vidence-Time": f"{seen['time']:.6f}"}
    return Response(base64.b64decode(seen["jpeg"]), media_type="image/jpeg", headers=headers)


@router.get(
    "/media/{id}/thumbnails.jpg",
    response_class=FileResponse,
    responses={
        200: {"content": {"image/jpeg": BINARY}},
        206: {"content": {"image/jpeg": BINARY}, "description": "A range."},
    },
)
async def get_thumbnails(id: MediaId, site: Serving, library: Here) -> FileResponse:
    """Send the sheet of thumbnails, made when it is first asked for."""
    medium = await asyncio.to_thread(library.medium, id)
    place = library.made / f"{id_of(medium.hash)}.thumbnails.jpg"
    if not place.exists():
        task = site.task_on(library, medium, "sprite", place=str(place))
        await site.pools["view"].do(library.name, task, site.settings.limits.view_s)
    return FileResponse(place, media_type="image/jpeg", headers=KEEP)


@router.get(
    "/media/{id}/thumbnails.vtt",
    response_class=Response,
    responses={200: {"content": {"text/vtt": {"schema": {"type": "string"}}}}},
)
def get_thumbnail_track(id: MediaId, library: Here) -> Response:
    """Send which part of the sheet shows which seconds of the player's clock, as WebVTT."""
    sheet = Sheet.of(library.medium(id).info)
    if sheet is None:
        raise Refused(404, "it has no pictures, only sound")
    return Response(sheet.vtt("thumbnails.jpg"), media_type="text/vtt; charset=utf-8", headers=KEEP)


@router.get("/media/{id}/timeline")
def get_timeline(id: MediaId, library: Here) -> TimelineOut:
    """Show all that is known of a video along its time."""
    medium = library.medium(id)
    memory, hash = library.memory, medium.hash
    lanes: dict[str, list[Mark]] = {}
    left_out: dict[str, int] = {}
    for seen in memory.observations(hash):
        lane = lanes.setdefault(seen.sense, [])
        if len(lane) < MOST_MARKS:
            lane.append(_mark(seen))
        else:
            left_out[seen.sense] = left_out.get(seen.sense, 0) + 1
    coverage = memory.coverage(hash)
    covered: dict[str, list[Covered]] = {}
    for part in coverage.perceived:
        spans = covered.setdefault(part.producer.sense, [])
        spans += [Covered(**_span(span), rate_hz=part.rate_hz) for span in part.spans]
    return TimelineOut(
        start_s=seconds(medium.info.span.start),
        end_s=seconds(medium.info.span.end),
        scenes=[
            SceneOut(**_span(scene.span), title=scene.title, summary=scene.summary)
            for scene in memory.scenes(hash)
        ],
        lanes=lanes,
        left_out=left_out,
        coverage=covered,
        failures=[Missed(sense=one.sense, reason=one.reason, **_span(one.span)) for one in coverage.failures],
    )


@router.get("/media/{id}/observations")
def get_observations(
    id: MediaId,
    library: Here,
    senses: str | None = None,
    start: Seconds | None = None,
    end: Seconds | None = None,
    limit: Annotated[int, Query(ge=1, le=10_000)] = 1000,
    offset: Annotated[int, Query(ge=0, le=10**9)] = 0,
) -> Observations:
    """List what was perceived, with all details; `senses` by comma."""
    medium = library.medium(id)
    whole = medium.info.span
    first = whole.start if start is None else instant(start)
    last = whole.end if end is None else instant(end)
    if last < first:
        raise Refused(400, f"end {float(last):g} is before start {float(first):g}")
    span = None if start is None and end is None else Span(first, last)
    found = library.memory.observations(medium.hash, senses=split(senses), span=span)
    shown = [record(item) for item in found[offset : offset + limit]]
    return Observations(observations=shown, total=len(found))


@router.get(
    "/media/{id}/export",
    response_class=Response,
    responses={
        200: {"content": {kind: {"schema": {"type": "string"}} for kind in ("text/plain", *TEXTS.values())}}
    },
)
async def export_medium(
    id: MediaId,
    site: Serving,
    library: Here,
    format: Literal[(*FORMATS, "html")],  # type: ignore[valid-type]
    senses: str | None = None,
) -> Response:
    """Send what is known of a video as a file: subtitles, tables, or the report with its pictures (html)."""
    medium = await asyncio.to_thread(library.medium, id)
    name = await asyncio.to_thread(library.name_of, medium)
    if format == "html":
        task = site.task_on(library, medium, "report", name=name)
        text = await site.pools["view"].do(library.name, task, site.settings.limits.view_s)
    else:
        wanted = split(senses)
        if wanted is None and format in ("srt", "vtt"):
            wanted = ["speech"]  # subtitles are what is said, unless something else is asked for
        found = await asyncio.to_thread(library.memory.observations, medium.hash, senses=wanted)
        text = await asyncio.to_thread(write, found, format)
    kind = TEXTS.get(format, "text/plain")
    return Response(str(text), media_type=f"{kind}; charset=utf-8", headers=attachment(name, format))


def split(names: str | None) -> list[str] | None:
    """Read a list by comma; None where there is none."""
    return None if names is None else [name.strip() for name in names.split(",") if name.strip()]


def _mark(seen: Observation) -> Mark:
    return Mark(
        id=seen.id or 0,
        **_span(seen.span),
        text=seen.text,
        confidence=round(seen.confidence, 4),
        modality=seen.modality,
    )


def _span(span: Span) -> dict[str, float]:
    return {"start": seconds(span.start), "end": seconds(span.end)}
