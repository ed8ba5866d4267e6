"""The queue of one library: what is to be done with its media, in its memory file, so that a kill loses nothing.

A job is taken with a lease, renewed while it is worked on. One whose owner has ended, or has not renewed in time, is
queued again; one at which `crashes` workers died is given up.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from vidence.memory.claims import may_live
from vidence.memory.database import Database

Kind = Literal["fetch", "index", "moderate", "study", "watch", "catalogue"]
"""What is to be done: fetch, index, or an application by its name."""

Line = Literal["fetch", "index"]
"""Where a job waits: all that decodes stands in one line, "index"."""

State = Literal["queued", "running", "done", "failed", "cancelled"]

LEASE_S = 60.0
RENEW_EVERY_S = 10.0
MOST_KEPT = 1000  # finished jobs
_COLUMNS = (
    "id, kind, state, medium, name, request, created, started, finished, attempts, progress, done_bytes, "
    "total_bytes, error"
)
_UNFINISHED = "state IN ('queued', 'running')"


@dataclass(frozen=True, slots=True)
class Job:
    """One piece of work. Times are in seconds since 1970; `progress` is sense → (seconds done, of seconds)."""

    id: int
    kind: Kind
    state: State
    medium: str | None  # content hash
    name: str
    request: Mapping[str, Any] = field(repr=False)
    created: float
    started: float | None = None
    finished: float | None = None
    attempts: int = 0
    progress: Mapping[str, Sequence[float]] = field(default_factory=dict)
    done_bytes: int | None = None
    total_bytes: int | None = None
    error: str | None = None

    @property
    def ended(self) -> bool:
        """Say whether nothing more will happen to it."""
        return self.state not in ("queued", "running")


def line_of(kind: Kind) -> Line:
    """Return the line in which a kind of job stands."""
    return "fetch" if kind == "fetch" else "index"


class Queue:
    """The jobs of one library; every call is one short transaction, and safe from any thread or process."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, kind: Kind, *, name: str, request: Mapping[str, Any], medium: str | None = None) -> Job:
        """Put a job at the end; one that waits for the same already is returned instead."""
        text = json.dumps(request, sort_keys=True, ensure_ascii=False)
        with self._database.transaction() as db:
            same = f"SELECT id FROM job WHERE kind = ? AND request = ? AND medium IS ? AND {_UNFINISHED}"
            found = db.execute(same, (kind, text, medium)).fetchone()
            if found is None:
                db.execute(
                    "DELETE FROM job WHERE finished IS NOT NULL AND id <= "
                    "(SELECT id FROM job ORDER BY id DESC LIMIT 1 OFFSET ?)",
                    (MOST_KEPT,),
                )
                found = db.execute(
                    "INSERT INTO job(kind, name, request, medium, created) VALUES (?, ?, ?, ?, ?) RETURNING id",
                    (kind, name, text, medium, time.time()),
                ).fetchone()
        job = self.get(found[0])
        assert job is not None
        return job

    def get(self, id: int) -> Job | None:
        """Return a job, or None where there is none of that number."""
        return next(iter(self._read("WHERE id = ?", (id,))), None)

    def list(self, limit: int = 200) -> list[Job]:
        """Return the newest jobs first."""
        return self._read("ORDER BY id DESC LIMIT ?", (limit,))

    def unfinished(self) -> list[Job]:
        """Return what is running or waits, oldest first."""
        return self._read(f"WHERE {_UNFINISHED} ORDER BY id")

    def indexed(self, medium: str) -> bool:
        """Say whether a medium was indexed with all that is perceived by default."""
        sql = "SELECT 1 FROM job WHERE kind = 'index' AND state = 'done' AND medium = ? AND request = '{}'"
        return bool(self._database.read(sql, (medium,)))

    def waiting(self) -> int:
        """Count the jobs that are queued."""
        return self._database.value("SELECT count(*) FROM job WHERE state = 'queued'")

    def queued(self) -> list[tuple[Kind, int]]:
        """Return (kind, id) of the jobs that wait, oldest first."""
        return self._database.read("SELECT kind, id FROM job WHERE state = 'queued' ORDER BY id")  # pyright: ignore[reportReturnType]

    def take(self, line: Line, owner: str) -> Job | None:
        """Lease the oldest queued job of a line whose medium no other job is at; None where there is none."""
        fetched = line == "fetch"
        waiting = "SELECT 1 FROM job WHERE state = 'queued' AND (kind = 'fetch') = ? LIMIT 1"
        if not self._database.read(waiting, (fetched,)):
            return None  # nothing is written to look
        with self._database.transaction() as db:
            found = db.execute(
                "SELECT id FROM job AS j WHERE state = 'queued' AND (kind = 'fetch') = ? AND NOT EXISTS (SELECT 1 "
                "FROM job WHERE state = 'running' AND medium = j.medium) ORDER BY id LIMIT 1",
                (fetched,),
            ).fetchone()
            if found is None:
                return None
            now = time.time()
            db.execute(
                "UPDATE job SET state = 'running', owner = ?, expires = ?, started = coalesce(started, ?), "
                "attempts = attempts + 1 WHERE id = ?",
                (owner, now + LEASE_S, now, found[0]),
            )
        return self.get(found[0])

    def tell(self, id: int, *, progress: Mapping[str, Sequence[float]]) -> None:
        """Note how far a job has come."""
        self._change("progress = json_patch(progress, ?)", (json.dumps(progress),), id)

    def tell_bytes(self, id: int, done: int, total: int | None) -> None:
        """Note how much has been fetched."""
        self._change("done_bytes = ?, total_bytes = ?", (done, total), id)

    def finish(
        self, id: int, state: State, *, error: str | None = None, medium: str | None = None
    ) -> Job | None:
        """End a job that has not ended yet."""
        self._change(
            "state = ?, error = ?, medium = coalesce(?, medium), finished = ?, owner = NULL",
            (state, error, medium, time.time()),
            id,
        )
        return self.get(id)

    def lost(self, id: int, reason: str, most: int) -> None:
        """Queue a job again whose worker died, or give it up when that was the `most`-th time."""
        with self._database.transaction() as db:
            db.execute(f"UPDATE job SET crashes = crashes + 1 WHERE id = ? AND {_UNFINISHED}", (id,))
            (crashes,) = db.execute("SELECT crashes FROM job WHERE id = ?", (id,)).fetchone()
        if crashes >= most:
            self.finish(id, "failed", error=f"given up after {crashes} attempts: {reason}")
        else:
            self.requeue(id)

    def requeue(self, id: int) -> None:
        """Let a job wait again in its old place."""
        self._change("state = 'queued', owner = NULL", (), id)

    def renew(self, owner: str) -> None:
        """Put off the end of all leases of an owner."""
        with self._database.transaction() as db:
            db.execute("UPDATE job SET expires = ? WHERE owner = ?", (time.time() + LEASE_S, owner))

    def recover(self, owner: str) -> int:
        """Queue again what is held by others that have ended or not been heard of; return how many. `owner` asks."""
        held = self._database.read("SELECT id, owner, expires FROM job WHERE state = 'running'")
        gone = [id for id, holder, expires in held if holder != owner and _is_gone(holder, expires, owner)]
        for id in gone:
            self.requeue(id)
        return len(gone)

    def forget(self, medium: str) -> None:
        """Remove the ended jobs of a medium."""
        with self._database.transaction() as db:
            db.execute(f"DELETE FROM job WHERE medium = ? AND NOT {_UNFINISHED}", (medium,))

    def _change(self, what: str, values: tuple[Any, ...], id: int) -> None:
        with self._database.transaction() as db:
            db.execute(f"UPDATE job SET {what} WHERE id = ? AND {_UNFINISHED}", (*values, id))

    def _read(self, rest: str, values: Sequence[Any] = ()) -> list[Job]:
        return [_job(row) for row in self._database.read(f"SELECT {_COLUMNS} FROM job {rest}", values)]


def _is_gone(holder: str, expires: float, owner: str) -> bool:
    """Say so of an owner that bears the asker's own process id, too: in a container that is 1 each time."""
    return expires < time.time() or not may_live(holder) or holder.split(" ")[:2] == owner.split(" ")[:2]


def _job(row: tuple[Any, ...]) -> Job:
    id, kind, state, medium, name, request, created, started, finished, attempts, progress, *rest = row
    return Job(
        id, kind, state, medium, name, json.loads(request), created, started, finished, attempts,
        json.loads(progress), *rest,
    )  # fmt: skip
