"""Have a question answered: what the medium still lacks is indexed through the queue, then a worker asks."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from vidence.errors import VidenceError
from vidence.serving.following import followed
from vidence.serving.jobs import Job
from vidence.serving.keeper import Keeper
from vidence.serving.library import Library, id_of
from vidence.serving.refusing import Refused, busy, status_of
from vidence.serving.site import Site

if TYPE_CHECKING:
    from vidence.memory import Medium
    from vidence.serving.api.shapes import Question

Event = tuple[str, Any]


@dataclass(frozen=True, slots=True)
class Asked:
    """A question that may be answered: of which media, and the worker's task but for the medium."""

    media: tuple[Medium, ...]
    task: dict[str, Any]


async def begin(site: Site, library: Library, question: Question) -> Asked:
    """Check a question before the answer begins.

    Raises:
        Refused: 400, it cannot be asked so; 404, there is no such medium; 429, too many are being answered.
    """
    limits = site.settings.limits
    if len(question.media) > limits.media_of_one_question:
        raise Refused(400, f"{limits.media_of_one_question} media at most in one question")
    if len(question.choices) == 1:
        raise Refused(400, "give at least two choices, or none")
    media = [await asyncio.to_thread(library.medium, id) for id in dict.fromkeys(question.media)]
    for medium in media:
        site.task_on(library, medium, "ask")
    task = {
        "question": question.question,
        "choices": question.choices,
        "budget": question.budget.model_dump(),
        "question_language": question.language or "auto",
        "policy": site.policy(question.policy),
    }
    if site.asking.get(library.name, 0) >= limits.asks:
        raise busy(f"{limits.asks} questions are being answered in this library already")
    if sum(site.asking.values()) >= limits.asks_overall:
        raise busy("too many questions are being answered on this server already")
    return Asked(tuple(media), task)


async def answered(site: Site, keeper: Keeper, library: Library, asked: Asked) -> AsyncGenerator[Event]:
    """Yield (name, data) of each event; an error is one, too, and ends the rest."""
    with _counted(site, library):
        try:
            for medium in asked.media:
                for part in (
                    indexed(keeper, library, medium),
                    _asked(site, library, medium, asked.task),
                ):
                    async with aclosing(part):
                        async for event in part:
                            yield event
        except Refused as refusal:
            yield "error", {"message": str(refusal), "status": refusal.status_code}
        except TimeoutError:
            yield "error", {"message": "it took longer than is allowed", "status": 503}
        except VidenceError as error:
            yield "error", {"message": str(error), "status": status_of(error)}
        yield "end", {}


async def unfaulted(events: AsyncGenerator[Event]) -> AsyncGenerator[Event]:
    """Yield the events of an answer for who is to be refused where one is an error.

    Raises:
        Refused: as the error says.
    """
    async with aclosing(events):
        async for name, data in events:
            if name == "error":
                raise Refused(data["status"], data["message"])
            yield name, data


@contextmanager
def _counted(site: Site, library: Library) -> Iterator[None]:
    site.asking[library.name] = site.asking.get(library.name, 0) + 1
    site.metrics.asks.inc()
    try:
        yield
    finally:
        site.asking[library.name] -= 1
        site.metrics.asks.dec()


async def indexed(keeper: Keeper, library: Library, medium: Medium) -> AsyncGenerator[Event]:
    """Queue the indexing of a medium that was not indexed here, or wait for it, telling how far it has come.

    All decoding of a medium goes through the queue, so that there is one of it at a time.
    """
    job = await asyncio.to_thread(_needed, library, medium)
    if job is None:
        return
    keeper.bell.ring()
    told: dict[str, Any] = {}
    now, id = None, id_of(medium.hash)
    async with aclosing(followed(library, job.id)) as states:
        async for now in states:
            for sense, (done_s, total_s) in now.progress.items() if now else ():
                if told.get(sense) != done_s:
                    told[sense] = done_s
                    yield "progress", {"media_id": id, "sense": sense, "done_s": done_s, "total_s": total_s}
    if now is not None and now.state != "done":
        raise Refused(409, f"its indexing {_came_to(now)}")


def _needed(library: Library, medium: Medium) -> Job | None:
    waiting = [job for job in library.queue.unfinished() if job.medium == medium.hash and job.kind == "index"]
    if waiting:
        return waiting[-1]
    if library.queue.indexed(medium.hash):
        return None
    return library.queue.add("index", name=library.name_of(medium), request={}, medium=medium.hash)


def _came_to(job: Job) -> str:
    return "was cancelled" if job.state == "cancelled" else f"failed: {job.error}"


async def _asked(site: Site, library: Library, medium: Medium, task: dict[str, Any]) -> AsyncGenerator[Event]:
    id, limit_s = id_of(medium.hash), site.settings.limits.ask_s
    whole = site.task_on(library, medium, "ask", **task) | {"cpu_s": 8 * limit_s}
    run = None
    async with site.pools["ask"].lend(library.name) as worker, asyncio.timeout(limit_s):
        async for message in worker.messages(whole):
            if "done" in message:
                yield "answer", {"media_id": id, **message["done"]}
                return
            if run is None:
                run = message["run"]
                yield "run", {"media_id": id, "run": run}
            yield "step", {"media_id": id, "run": run, **message["step"]}
