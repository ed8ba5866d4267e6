"""The keeper of the queues: takes jobs, round robin over libraries, has workers do them, and notes what came of it."""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vidence.errors import StoreError, VidenceError
from vidence.serving.admitting import admit
from vidence.serving.bell import Bell, heard
from vidence.serving.jobs import RENEW_EVERY_S, Job, Line, State, line_of
from vidence.serving.library import Library
from vidence.serving.places import Places
from vidence.serving.refusing import Refused
from vidence.serving.site import Site
from vidence.serving.workers import WorkerDied

if TYPE_CHECKING:
    from vidence.memory import Medium

LINES: tuple[Line, ...] = ("index", "fetch")
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

    def places(self) -> Places:
        """Return who stands where in the line."""
        return Places.now(self.site.libraries.opened())

    async def _keep(self) -> None:
        while True:
            event = self.bell.listen()
            with contextlib.suppress(
                VidenceError
            ):  # a full disk, tokens that cannot be read: the next round may do
                for line in LINES:
                    while self._free(line) and (found := await asyncio.to_thread(self._next, line)):
                        library, job = found
                        self._begin(library, job)
            await heard(event, LOOK_EVERY_S)

    def _begin(self, library: Library, job: Job) -> None:
        task = asyncio.create_task(self._work(library, job), name=line_of(job.kind))
        self._running[library.name, job.id] = task

        def ended(_: asyncio.Task[None]) -> None:  # also of one that was cancelled before its first step
            self._running.pop((library.name, job.id), None)
            self._rang(library)

        task.add_done_callback(ended)

    async def _renew(self) -> None:
        """Renew the leases of what is done, and let workers go that have long had nothing to do."""
        while True:
            await asyncio.sleep(RENEW_EVERY_S)
            for pool in self.site.pools.values():
                pool.rest()
            for library in {library for library, _ in self._running}:
                with contextlib.suppress(StoreError):
                    found = next(one for one in self.site.libraries.opened() if one.name == library)
                    await asyncio.to_thread(found.queue.renew, self.site.owner)

    def _free(self, line: Line) -> bool:
        return (
            sum(1 for task in self._running.values() if task.get_name() == line) < self.site.pools[line].size
        )

    def _next(self, line: Line) -> tuple[Library, Job] | None:
        """Take a job of the library that has waited longest for its turn."""
        libraries = sorted(self.site.used(), key=lambda one: self._turns.get(f"{line} {one.name}", 0))
        for library in libraries:
            library.queue.recover(self.site.owner)
            if (job := library.queue.take(line, self.site.owner)) is not None:
                self._turn += 1
                self._turns[f"{line} {library.name}"] = self._turn
                return library, job
        return None

    async def _work(self, library: Library, job: Job) -> None:
        """Do a job to its end, whatever that is."""
        queue = library.queue
        state: State = "done"
        error = medium = None
        try:
            self._rang(library)
            if job.kind == "fetch":
                medium = await self._fetch(library, job)
            elif job.kind == "index":
                await self._index(library, job)
            else:
                await self._apply(library, job)
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
        except Exception as fault:  # noqa: BLE001 - the boundary of a task: its job must not hang
            state, error = "failed", f"fault in Vidence: {type(fault).__name__}: {fault}"
        await asyncio.to_thread(queue.finish, job.id, state, error=error, medium=medium)
        self.site.metrics.ended.labels(job.kind, state).inc()

    async def _index(self, library: Library, job: Job) -> None:
        medium = await self._medium(library, job)
        task = self.site.task_on(library, medium, "index", **job.request)
        await self._told(library, job, "index", task, self._limit_s(medium))

    async def _apply(self, library: Library, job: Job) -> None:
        """Have an application look at a medium; what it lacks is perceived by it, and the report kept."""
        medium = await self._medium(library, job)
        limit_s, given = self._limit_s(medium), dict(job.request)
        policy = self.site.policy(given.pop("checker", None))
        given["time_limit_s"] = min(given.get("time_limit_s", limit_s), limit_s)
        task = self.site.task_on(
            library, medium, "apply", app=job.kind, options=given, policy=policy, language=given.get("language"),
            name=await asyncio.to_thread(library.name_of, medium), made=str(library.made),
        )  # fmt: skip
        pool = "index" if policy["name"] == "rules" else "ask"  # whose workers reach the model
        await self._told(library, job, pool, task, 2 * limit_s)  # beyond its budget: the page is to be made

    async def _medium(self, library: Library, job: Job) -> Medium:
        return await asyncio.to_thread(library.medium, (job.medium or "").split(":")[-1])

    def _limit_s(self, medium: Medium) -> float:
        return self.site.settings.limits.index_s * (1 + float(medium.info.duration) / 60)

    async def _told(
        self, library: Library, job: Job, pool: str, task: dict[str, Any], limit_s: float
    ) -> None:
        """Have a task done, noting how far it has come."""
        task |= {"cpu_s": 16 * limit_s}
        async with self.site.pools[pool].lend(library.name) as worker, asyncio.timeout(limit_s):
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
