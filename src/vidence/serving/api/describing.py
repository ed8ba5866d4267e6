"""Write media, jobs and runs as the API shows them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from vidence.serving.api import shapes
from vidence.serving.jobs import Job
from vidence.serving.library import Library, id_of
from vidence.serving.names import clean_name
from vidence.serving.places import Places
from vidence.serving.site import available

if TYPE_CHECKING:
    from vidence.memory import Medium
    from vidence.memory.runs import Run


def job_out(places: Places, library: Library, job: Job) -> shapes.JobOut:
    """Describe a job."""
    fetched = None if job.done_bytes is None else shapes.Bytes(done=job.done_bytes, total=job.total_bytes)
    return shapes.JobOut(
        id=job.id,
        kind=job.kind,
        state=job.state,
        media_id=None if job.medium is None else id_of(job.medium),
        name=job.name,
        created=job.created,
        started=job.started,
        finished=job.finished,
        place=places.of(library, job),
        attempts=job.attempts,
        progress={
            sense: shapes.Extent(done_s=done, total_s=total) for sense, (done, total) in job.progress.items()
        },
        bytes=fetched,
        error=job.error,
    )


def media_out(places: Places, library: Library, media: list[Medium]) -> list[shapes.MediumOut]:
    """Describe media, each with its newest job that has not ended."""
    names = library.names()
    jobs = {job.medium: job for job in library.queue.unfinished() if job.medium}
    shares = library.memory.shares(media)
    return [
        _medium_out(places, library, one, names, shares.get(one.hash, {}), jobs.get(one.hash))
        for one in media
    ]


def _medium_out(
    places: Places,
    library: Library,
    medium: Medium,
    names: dict[str, str],
    seen: dict[str, float],
    job: Job | None,
) -> shapes.MediumOut:
    info = medium.info
    video = info.video
    return shapes.MediumOut(
        id=id_of(medium.hash),
        name=names.get(medium.hash) or clean_name(medium.path),
        added=medium.added,
        size_bytes=info.bytes,
        start_s=seconds(info.span.start),
        duration_s=seconds(info.duration),
        width=video.width if video else None,
        height=video.height if video else None,
        fps=round(float(video.fps), 4) if video and video.fps else None,
        video_codec=video.codec if video else None,
        audio_codec=info.audio[0].codec if info.audio else None,
        problems=[*info.warnings, *medium.problems],
        available=available(medium),
        seen={sense: round(share, 4) for sense, share in seen.items()},
        job=None if job is None else job_out(places, library, job),
    )


def run_out(run: Run, names: dict[str, str]) -> shapes.RunOut:
    """Describe a run; its path is the server's own business."""
    return shapes.RunOut(
        id=run.id,
        media_id=id_of(run.medium),
        name=names.get(run.medium) or clean_name(run.path),
        question=run.question,
        choices=list(run.choices),
        policy=run.policy,
        budget=dict(run.budget),
        asked=run.asked,
        answer=None if run.answer is None else dict(run.answer),
        steps=[step.to_json() for step in run.steps],
    )


def attachment(name: str, ending: str) -> dict[str, str]:
    """Return the header by which a browser saves an answer as a file (RFC 6266)."""
    stem = name.rsplit(".", 1)[0] or name
    return {"Content-Disposition": f"attachment; filename*=UTF-8''{quote(f'{stem}.{ending}', safe='')}"}


def seconds(time: Any) -> float:
    return round(float(time), 6)
