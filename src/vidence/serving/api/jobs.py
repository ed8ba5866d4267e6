"""/api/jobs: what is being fetched and indexed."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator

from fastapi import APIRouter
from fastapi.responses import StreamingResponse

from vidence.serving import following
from vidence.serving.api import events
from vidence.serving.api.describing import job_out
from vidence.serving.api.reaching import Here, Keeping
from vidence.serving.api.shapes import JobOut, Jobs, Limit, Number
from vidence.serving.jobs import Job
from vidence.serving.keeper import Keeper
from vidence.serving.library import Library
from vidence.serving.refusing import Refused

router = APIRouter(tags=["jobs"])


@router.get("/jobs")
def list_jobs(library: Here, keeper: Keeping, limit: Limit = 200) -> Jobs:
    """List jobs, the newest first."""
    places = keeper.places()
    return Jobs(jobs=[job_out(places, library, job) for job in library.queue.list(limit)])


@router.get("/jobs/{id}")
def get_job(id: Number, library: Here, keeper: Keeping) -> JobOut:
    """Show a job."""
    return described(keeper, library, named(library, id))


@router.delete("/jobs/{id}")
async def cancel_job(id: Number, library: Here, keeper: Keeping) -> JobOut:
    """Cancel a job; what was perceived by then is kept. One that has ended stays as it is."""
    job = await asyncio.to_thread(named, library, id)
    ended = await keeper.cancel(library, job)
    return await asyncio.to_thread(described, keeper, library, ended)


@router.get(
    "/jobs/{id}/events",
    response_class=StreamingResponse,
    responses={200: {"content": events.described("job")}},
)
async def job_events(id: Number, library: Here, keeper: Keeping) -> StreamingResponse:
    """Send the job as event `job` at each change, until it has ended."""
    await asyncio.to_thread(named, library, id)
    return events.stream(followed(library, keeper, id))


async def followed(library: Library, keeper: Keeper, id: int) -> AsyncGenerator[events.Event]:
    """Yield a job each time it has changed, to its end."""
    last = None
    async with contextlib.aclosing(following.followed(library, id)) as states:
        async for job in states:
            if job is None:
                raise _unknown(id)
            now = await asyncio.to_thread(described, keeper, library, job)
            if now != last:
                yield "job", now
            last = now


def described(keeper: Keeper, library: Library, job: Job) -> JobOut:
    """Describe one job."""
    return job_out(keeper.places(), library, job)


def named(library: Library, id: int) -> Job:
    """Return a job of a number.

    Raises:
        Refused: 404.
    """
    job = library.queue.get(id)
    if job is None:
        raise _unknown(id)
    return job


def _unknown(id: int) -> Refused:
    return Refused(404, f"there is no job {id} in this library")
