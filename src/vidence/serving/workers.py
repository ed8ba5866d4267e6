"""Worker processes as the server holds them: started when needed, lent to one task at a time, replaced when they die.

A worker keeps to one library: what a broken decoder learned of one user's videos never reaches another.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
import sys
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from vidence import errors
from vidence.errors import MediaError, VidenceError
from vidence.serving.refusing import busy

LINE_BYTES = 64 << 20  # of one message: a report with its pictures
IDLE_S = 600.0
_KINDS: dict[str, type[VidenceError]] = {
    name: kind
    for name, kind in vars(errors).items()
    if isinstance(kind, type) and issubclass(kind, VidenceError)
}


class WorkerDied(VidenceError):
    """A worker ended in the middle of a task."""


class Worker:
    """One process."""

    def __init__(self, process: asyncio.subprocess.Process, library: str) -> None:
        self.library = library
        self.rested = 0.0  # since when it has nothing to do, on the monotonic clock
        self._process = process
        self._killed = False

    @classmethod
    async def start(cls, library: str, how: Mapping[str, Any]) -> Worker:
        """Start a process that does tasks for one library."""
        pipe = asyncio.subprocess.PIPE
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "vidence.serving.worker", json.dumps(how),
            stdin=pipe, stdout=pipe, limit=LINE_BYTES, start_new_session=True,
        )  # fmt: skip
        return cls(process, library)

    @property
    def alive(self) -> bool:
        """Say whether it can be given a task."""
        return not self._killed and self._process.returncode is None

    @property
    def pid(self) -> int:
        """The number of its process."""
        return self._process.pid

    async def messages(self, task: Mapping[str, Any]) -> AsyncIterator[dict[str, Any]]:
        """Give it a task; yield what it tells meanwhile, and {"done": what came of it} last.

        Raises:
            VidenceError: what the task came to, of its own kind.
            WorkerDied: it ended in the middle.
        """
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            self._process.stdin.write(json.dumps(task, ensure_ascii=False).encode() + b"\n")
            await self._process.stdin.drain()
            while line := await self._process.stdout.readline():
                message = json.loads(line)
                if "error" in message:
                    raise _KINDS.get(message["kind"], VidenceError)(message["error"])
                yield message
                if "done" in message:
                    return
        except (ConnectionError, ValueError):
            pass  # it has died, or is out of its mind
        self.kill()
        raise WorkerDied(f"its worker died ({_how(await self._process.wait())})")

    async def end(self) -> None:
        """End it, and wait until it has."""
        self.kill()
        await self._process.wait()

    def kill(self) -> None:
        """End it at once."""
        self._killed = True  # known at once; that it has ended, a little later
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()


@dataclass(slots=True)
class Pool:
    """At most `size` workers of one kind; `waiting` requests may stand in line for them."""

    kind: str
    size: int
    how: Mapping[str, Any]  # what they are started with
    waiting: int = 1_000_000
    died: int = 0
    _in_line: int = 0
    _lent: int = 0
    _idle: list[Worker] = field(default_factory=list)
    _busy: set[Worker] = field(default_factory=set)
    _free: asyncio.Semaphore = field(init=False)

    def __post_init__(self) -> None:
        self._free = asyncio.Semaphore(self.size)

    @asynccontextmanager
    async def lend(self, library: str) -> AsyncIterator[Worker]:
        """Wait for a worker of a library and lend it; one that is left in the middle of a task is killed.

        Raises:
            Refused: 429, too many wait already.
        """
        if self._in_line >= self.waiting:
            raise busy("too many requests wait for a decoder")
        self._in_line += 1
        try:
            await self._free.acquire()
        finally:
            self._in_line -= 1
        self._lent += 1
        try:
            worker = await self._take(library)
            self._busy.add(worker)
            try:
                yield worker
            except VidenceError as error:
                if isinstance(error, WorkerDied):
                    self.died += 1
                raise
            except BaseException:
                worker.kill()
                raise
            finally:
                self._busy.discard(worker)
                if worker.alive:
                    worker.rested = time.monotonic()
                    self._idle.append(worker)
        finally:
            self._lent -= 1
            self._free.release()

    async def do(self, library: str, task: Mapping[str, Any], limit_s: float) -> dict[str, Any]:
        """Have a task done within `limit_s` seconds, on the clock and of processor time, and return what came of it.

        Raises:
            VidenceError: what it came to.
            MediaError: it took too long, or its worker died of it.
        """
        try:
            async with self.lend(library) as worker, asyncio.timeout(limit_s):
                async for message in worker.messages({"cpu_s": limit_s, **task}):
                    if "done" in message:
                        return message["done"]
        except TimeoutError:
            raise MediaError(f"it took more than {limit_s:.0f} s to read and was given up") from None
        except WorkerDied as error:
            raise MediaError(f"it cannot be read: {error}") from error
        raise AssertionError("a worker's last message is what was done, or it raises")

    def rest(self) -> None:
        """End the workers that have had nothing to do for long: each holds its models in memory."""
        for worker in self._idle:
            if time.monotonic() - worker.rested > IDLE_S:
                worker.kill()
        self._idle = [worker for worker in self._idle if worker.alive]

    async def close(self) -> None:
        """End all."""
        await asyncio.gather(*(worker.end() for worker in (*self._idle, *self._busy)))
        self._idle.clear()

    async def _take(self, library: str) -> Worker:
        """Return an idle worker of a library, or a new one in the place of another's."""
        self._idle = [worker for worker in self._idle if worker.alive]
        for worker in self._idle:
            if worker.library == library:
                self._idle.remove(worker)
                return worker
        if len(self._idle) + self._lent > self.size:
            self._idle.pop(0).kill()
        return await Worker.start(library, self.how)


def _how(code: int) -> str:
    if code >= 0:
        return f"exit code {code}"
    name = signal.Signals(-code).name if -code in signal.Signals._value2member_map_ else f"signal {-code}"
    reasons = {"SIGXCPU": "too much processor time", "SIGKILL": "killed: out of memory, or by hand"}
    return reasons.get(name, name)
