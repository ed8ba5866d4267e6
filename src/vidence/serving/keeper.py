"""The keeper of the queues: takes jobs, round robin over libraries, has workers do them, and notes what came of it."""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path
from typing import Any

from vidence.errors import StoreError, VidenceError
from vidence.serving.admitting import admit
from vidence.serving.bell import Bell, heard
from vidence.serving.jobs import RENEW_EVERY_S, Job, Kind, State
from vidence.serving.library import Library
from vidence.serving.refusing import Refused
from vidence.serving.site import Site
from vidence.serving.workers import WorkerDied

KINDS: tuple[Kind, ...] = ("index", "fetch")
LOOK_EVERY_S = 5.0  # for jobs that another process has queued, or whose owner has gone


class Keeper:
    """Runs in the server's event loop. All writing of a running job's row is its."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.bell = Bell()  # rung when there may be something to do
        self._running: dict[tuple[str, int], asyncio.Task[None]] = {}
        self._turns: dict[str, int] = {}  # library → when it last had one
        self._turn = 0
        self._main: asyncio.Task[None] | None = None
        self._renewing: asyncio.Task[None] | None = None

    @property
    def alive(self) -> bool:
        """Say whether it is at work."""
        return self._main is not None and not self._main.done()

    def start(self) -> None:
        """Begin."""
        self._main = asyncio.create_task(self._keep())
        self._renewing = asyncio.create_task(self._renew())

    async def stop(self) -> None:
        """Leave off; what was being done is queued again, and what is perceived by then is kept."""
        tasks = [task for task in (self._main, self._renewing, *self._running.values()) if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def cancel(self, library: Library, job: Job) -> Job:
        """Cancel a job, running or not; one that has ended stays as it is."""
        ended = await asyncio.to_thread(library.queue.finish, job.id, "cancelled")
        if (task := self._running.get((library.name, job.id))) is not None:
            task.cancel()
        self._rang(library)
        return ended or job

    def place(self, library: Library, job: Job) -> int | None:
        """Return how many jobs come before one and itself, were none added; 0: it is running; None: it has ended."""
        if job.state != "queued":
            return 0 if job.state == "running" else None
        waiting = {
            one.name: [
                each.id for each in one.queue.unfinished() if (each.state, each.kind) == ("queued", job.kind)
            ]
            for one in self.site.libraries.opened()
        }
        own = waiting.get(library.name, [])
        rank = own.index(job.id) + 1 if job.id in own else 1
        return rank + sum(min(rank, len(ids)) for name, ids in waiting.items() if name != library.name)

    async def _keep(self) -> None:
        while True:
            event = self.bell.listen()
            with contextlib.suppress(
                StoreError
            ):  # a disk that is full, a file that is held: the next round may do
                for kind in KINDS:
                    while self._free(kind) and (found := await asyncio.to_thread(self._next, kind)):
                        library, job = found
                        task = asyncio.create_task(self._work(library, job), name=kind)
                        self._running[library.name, job.id] = task
            await heard(event, LOOK_EVERY_S)

    async def _renew(self) -> None:
        while True:
            await asyncio.sleep(RENEW_EVERY_S)
            for library in {library for library, _ in self._running}:
                with contextlib.suppress(StoreError):
                    found = next(one for one in self.site.libraries.opened() if one.name == library)
                    await asyncio.to_thread(found.queue.renew, self.site.owner)

    def _free(self, kind: Kind) -> bool:
        return (
            sum(1 for task in self._running.values() if task.get_name() == kind) < self.site.pools[kind].size
        )

    def _next(self, kind: Kind) -> tuple[Library, Job] | None:
        """Take a job of the library that has waited longest for its turn."""
        libraries = sorted(self.site.used(), key=lambda one: self._turns.get(f"{kind} {one.name}", 0))
        for library in libraries:
            library.queue.recover(self.site.owner)
            if (job := library.queue.take(kind, self.site.owner)) is not None:
                self._turn += 1
                self._turns[f"{kind} {library.name}"] = self._turn
                return library, job
        return None

    async def _work(self, library: Library, job: Job) -> None:
        """Do a job to its end, whatever that is."""
        queue = library.queue
        state, error, medium = "done", None, None
        try:
            self._rang(library)
            if job.kind == "fetch":
                medium = await self._fetch(library, job)
            else:
                await self._index(library, job)
        except WorkerDied as fault:
            await asyncio.to_thread(queue.lost, job.id, str(fault), self.site.settings.limits.crashes)
            return
        except TimeoutError:
            state, error = "failed", "it took longer than is allowed"
        except (VidenceError, Refused) as fault:
            state, error = "failed", str(fault)
        except asyncio.CancelledError:  # by its user, or with the server: then it is to be done later
            await asyncio.shield(asyncio.to_thread(queue.requeue, job.id))
            raise
        finally:
            self._running.pop((library.name, job.id), None)
            self._rang(library)
        await self._end(library, job, state, error, medium)

    async def _end(
        self, library: Library, job: Job, state: State, error: str | None, medium: str | None
    ) -> None:
        await asyncio.to_thread(library.queue.finish, job.id, state, error=error, medium=medium)
        self.site.metrics.ended.labels(job.kind, state).inc()
        self._rang(library)

    async def _index(self, library: Library, job: Job) -> None:
        medium = await asyncio.to_thread(library.medium, (job.medium or "").split(":")[-1])
        task = self.site.task_on(library, medium, "index", **job.request)
        limit_s = self.site.settings.limits.index_s * (1 + float(medium.info.duration) / 60)
        task |= {"cpu_s": 16 * limit_s}
        async with self.site.pools["index"].lend(library.name) as worker, asyncio.timeout(limit_s):
            async for message in worker.messages(task):
                if "progress" in message:
                    await asyncio.to_thread(library.queue.tell, job.id, progress=message["progress"])
                    library.bell.ring()

    async def _fetch(self, library: Library, job: Job) -> str:
        """Fetch a file, see what it is, and queue its indexing; return its content hash."""
        limits, place = self.site.settings.limits, library.new_file()
        task: dict[str, Any] = {
            "task": "fetch",
            "url": job.request["url"],
            "place": str(place),
            "bytes": limits.upload_bytes,
            "limit_s": limits.fetch_s,
            "allowed": self.site.settings.fetch_from,
            "cpu_s": limits.fetch_s,
        }
        try:
            async with (
                self.site.pools["fetch"].lend(library.name) as worker,
                asyncio.timeout(limits.fetch_s + 30),
            ):
                async for message in worker.messages(task):
                    if "bytes" in message:
                        await asyncio.to_thread(library.queue.tell_bytes, job.id, *message["bytes"])
                        library.bell.ring()
            indexing = await admit(self.site, library, place, job.name)
            return indexing.medium or ""
        finally:
            Path(place).unlink(missing_ok=True)

    def _rang(self, library: Library) -> None:
        library.bell.ring()
        self.bell.ring()
