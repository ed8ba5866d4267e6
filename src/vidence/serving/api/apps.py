"""/api/media/{id}/apps and /reports: applications as jobs, and what they found."""

from __future__ import annotations

import asyncio
import re
from dataclasses import asdict
from typing import Any

from fastapi import APIRouter
from fastapi.responses import FileResponse, Response

from vidence.apps import TITLES
from vidence.senses import default_senses
from vidence.serving import reports
from vidence.serving.admitting import check_room
from vidence.serving.api.app_shapes import (
    AppName,
    Cataloguing,
    Moderating,
    Options,
    ReportOut,
    Reports,
    Studying,
    Watching,
)
from vidence.serving.api.describing import attachment
from vidence.serving.api.jobs import described
from vidence.serving.api.reaching import Here, Keeping, Serving
from vidence.serving.api.shapes import JobOut, MediaId
from vidence.serving.jobs import Job, Kind
from vidence.serving.keeper import Keeper
from vidence.serving.library import Library
from vidence.serving.refusing import Refused
from vidence.serving.reports import Report
from vidence.serving.site import Site

router = APIRouter(tags=["applications"])
HASH = re.compile(r"sha256-[A-Za-z0-9+/]{43}=")
PAGE = (
    "sandbox allow-scripts allow-downloads; default-src 'none'; img-src data:; media-src blob: data:; "
    "style-src-elem '{style}'; style-src-attr 'unsafe-inline'; script-src '{script}'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'self'"
)
"""A page shows a stranger's video: it has an origin of its own, so that no script in it reaches the library."""


@router.post("/media/{id}/apps/moderate", status_code=202)
async def moderate(
    id: MediaId, site: Serving, library: Here, keeper: Keeping, how: Moderating | None = None
) -> JobOut:
    """Find what a policy objects to."""
    return await _begun(site, library, keeper, id, "moderate", (how or Moderating()).options)


@router.post("/media/{id}/apps/study", status_code=202)
async def study(
    id: MediaId, site: Serving, library: Here, keeper: Keeping, how: Studying | None = None
) -> JobOut:
    """Study what is taught."""
    return await _begun(site, library, keeper, id, "study", (how or Studying()).options)


@router.post("/media/{id}/apps/watch", status_code=202)
async def watch(
    id: MediaId, site: Serving, library: Here, keeper: Keeping, how: Watching | None = None
) -> JobOut:
    """Watch a recording of a place."""
    return await _begun(site, library, keeper, id, "watch", (how or Watching()).options)


@router.post("/media/{id}/apps/catalogue", status_code=202)
async def catalogue(
    id: MediaId, site: Serving, library: Here, keeper: Keeping, how: Cataloguing | None = None
) -> JobOut:
    """Catalogue the shots."""
    return await _begun(site, library, keeper, id, "catalogue", (how or Cataloguing()).options)


@router.post("/media/{id}/apps/{app}", include_in_schema=False)
def unknown(id: MediaId, app: str) -> Response:
    """Say which applications there are."""
    del id
    return Response(_known(app))


@router.get("/media/{id}/reports")
def list_reports(id: MediaId, library: Here) -> Reports:
    """List the reports of a video."""
    library.medium(id)
    return Reports(reports=[_told(report) for report in reports.kept(library.made, id)])


@router.get(
    "/media/{id}/reports/{app}",
    response_class=FileResponse,
    responses={
        status: {"content": {"application/json": {}, "text/html": {"schema": {"type": "string"}}}, **more}
        for status, more in ((200, {}), (206, {"description": "A range of it."}))
    },
)
def get_report(id: MediaId, app: AppName, library: Here, format: reports.Format = "json") -> FileResponse:
    """Send a report: JSON as `vidence/schemas` describes it, or the page."""
    report = _named(library, id, app)
    place = reports.place(library.made, id, app, format)
    if format == "json":
        name = library.name_of(library.medium(id))
        return FileResponse(
            place, media_type="application/json", headers=attachment(name, f"{app}.json") | FRESH
        )
    if not (HASH.fullmatch(report.style) and HASH.fullmatch(report.script)):
        raise Refused(500, "this report is damaged; have it made again")
    policy = PAGE.format(style=report.style, script=report.script)
    headers = {"Content-Security-Policy": policy, "X-Frame-Options": "SAMEORIGIN"} | FRESH
    return FileResponse(place, media_type="text/html; charset=utf-8", headers=headers)


@router.delete("/media/{id}/reports/{app}", status_code=204)
def delete_report(id: MediaId, app: AppName, library: Here) -> Response:
    """Remove a report; what was perceived for it is kept."""
    reports.forget(library.made, id, _named(library, id, app).app)
    return Response(status_code=204)


FRESH = {"Cache-Control": "private, no-cache"}


async def _begun(
    site: Site, library: Library, keeper: Keeper, id: str, app: Kind, options: Options
) -> JobOut:
    given = options.model_dump(mode="json", exclude_unset=True, exclude_none=True)
    job = await _queued(site, library, id, app, given)
    keeper.bell.ring()
    return await asyncio.to_thread(described, keeper, library, job)


async def _queued(site: Site, library: Library, id: str, app: Kind, given: dict[str, Any]) -> Job:
    """Check an application's options and queue it.

    Raises:
        Refused: 404, there is no such medium; 410, its file is gone; 429, too much is queued.
        UsageError: the options are wrong.
    """
    medium = await asyncio.to_thread(library.medium, id)
    site.task_on(library, medium, "apply")  # is it there?
    site.policy(given.get("checker"))
    default_senses(("speech",), language=given.get("language", "auto"))
    await asyncio.to_thread(check_room, site, library, None)
    task = {"task": "check_options", "app": app, "options": given}
    await site.pools["view"].do(library.name, task, site.settings.limits.view_s)
    name = await asyncio.to_thread(library.name_of, medium)
    return await asyncio.to_thread(library.queue.add, app, name=name, request=given, medium=medium.hash)


def _named(library: Library, id: str, app: str) -> Report:
    """Return the report of an application.

    Raises:
        Refused: 404.
    """
    library.medium(id)
    found = next(iter(reports.kept(library.made, id, (_known(app),))), None)
    if found is None:
        raise Refused(404, f"{app} has made no report of this medium")
    return found


def _known(app: str) -> str:
    if app not in TITLES:
        raise Refused(404, f"there is no application {app[:64]!r}; there are {', '.join(TITLES)}")
    return app


def _told(report: Report) -> ReportOut:
    return ReportOut(
        **{name: value for name, value in asdict(report).items() if name in ReportOut.model_fields}
    )
