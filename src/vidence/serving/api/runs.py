"""/api/runs: what was asked, step by step."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from fastapi.responses import Response

from vidence.errors import UsageError
from vidence.exports.trajectories import to_trajectories
from vidence.memory.runs import Run
from vidence.printable import to_json_text
from vidence.serving.api.describing import attachment, run_out
from vidence.serving.api.reaching import Here, Serving
from vidence.serving.api.shapes import Limit, Number, RunOut, Runs
from vidence.serving.library import Library
from vidence.serving.refusing import Refused

router = APIRouter(tags=["runs"])
TEXT: dict[str, Any] = {"schema": {"type": "string"}}


@router.get("/runs")
def list_runs(
    library: Here,
    media: Annotated[str | None, Query(pattern="^[0-9a-f]{64}$")] = None,
    limit: Limit = 50,
) -> Runs:
    """List what was asked, the newest first."""
    hash = None if media is None else library.medium(media).hash
    names = library.names()
    return Runs(runs=[run_out(run, names) for run in library.memory.runs.list(medium=hash, limit=limit)])


@router.get("/runs/{id}")
def get_run(id: Number, library: Here) -> RunOut:
    """Show a run with its steps."""
    return run_out(named(library, id), library.names())


@router.delete("/runs/{id}", status_code=204)
def delete_run(id: Number, library: Here) -> Response:
    """Remove a run."""
    library.memory.runs.forget(named(library, id).id)
    return Response(status_code=204)


@router.get(
    "/runs/{id}/export",
    response_class=Response,
    responses={200: {"content": {"text/html": TEXT, "application/json": TEXT, "application/jsonl": TEXT}}},
)
async def export_run(
    id: Number, site: Serving, library: Here, format: Literal["html", "json", "jsonl"]
) -> Response:
    """Send a run as a file: a page with its pictures, JSON, or a conversation to train on (jsonl)."""
    run = await asyncio.to_thread(named, library, id)
    names = await asyncio.to_thread(library.names)
    shown = run_out(run, names)
    if format == "html":
        task = {"task": "run_page", "memory": str(library.memory.path), "run": id, "name": shown.name}
        text = str(await site.pools["view"].do(library.name, task, site.settings.limits.view_s))
        kind = "text/html; charset=utf-8"
    elif format == "json":
        text, kind = to_json_text(shown.model_dump()), "application/json"
    else:
        text, kind = to_trajectories([replace(run, path=shown.name)]), "application/jsonl"
    return Response(text, media_type=kind, headers=attachment(f"run-{id}", format))


def named(library: Library, id: int) -> Run:
    """Return a run of a number.

    Raises:
        Refused: 404.
    """
    try:
        return library.memory.runs.get(id)
    except UsageError:
        raise Refused(404, f"there is no run {id} in this library") from None
