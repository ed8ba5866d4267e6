"""The queue: nothing is lost, nothing done twice, one decode of a medium at a time."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from vidence.memory.claims import new_owner
from vidence.memory.database import Database
from vidence.serving import jobs
from vidence.serving.jobs import Queue

GONE = f"{socket.gethostname()} 999999999 aaaa"  # no process has that number
ELSEWHERE = "another-machine 1 aaaa"


@pytest.fixture
def queue(tmp_path: Path) -> Queue:
    return Queue(Database(tmp_path / "memory.sqlite"))


def added(queue: Queue, medium: str | None = None, **request: str) -> int:
    return queue.add("index", name="a", request=request, medium=medium).id


def test_the_oldest_comes_first_and_survives_the_process(queue: Queue, tmp_path: Path) -> None:
    first, second = added(queue, "one"), added(queue, "two")
    again = Queue(Database(tmp_path / "memory.sqlite"))
    me = new_owner()
    taken = [job.id for _ in range(2) if (job := again.take("index", me))]
    assert taken == [first, second]
    assert again.take("index", me) is None


def test_the_same_work_is_queued_once(queue: Queue) -> None:
    first = added(queue, "one")
    assert added(queue, "one") == first
    assert added(queue, "one", language="de") != first
    queue.finish(first, "done")
    assert added(queue, "one") != first


def test_a_medium_is_decoded_by_one_job_at_a_time(queue: Queue) -> None:
    me = new_owner()
    first, second = added(queue, "one"), added(queue, "one", language="de")
    other = added(queue, "two")
    assert queue.take("index", me).id == first  # type: ignore[union-attr]
    assert queue.take("index", me).id == other  # type: ignore[union-attr]
    assert queue.take("index", me) is None
    queue.finish(first, "done")
    assert queue.take("index", me).id == second  # type: ignore[union-attr]


def test_a_job_whose_owner_has_ended_is_taken_up_again(queue: Queue, monkeypatch: pytest.MonkeyPatch) -> None:
    id = added(queue, "one")
    for owner in (GONE, f"{socket.gethostname()} {os.getpid()} of-a-server-before"):
        assert queue.take("index", owner) is not None
        assert queue.recover(new_owner()) == 1
    assert queue.take("index", ELSEWHERE) is not None
    assert queue.recover(new_owner()) == 0  # it may live, for all that can be known
    monkeypatch.setattr(jobs, "LEASE_S", -1.0)
    queue.renew(ELSEWHERE)
    assert queue.recover(new_owner()) == 1
    job = queue.get(id)
    assert job is not None
    assert (job.state, job.attempts) == ("queued", 3)


def test_a_job_that_kills_its_workers_is_given_up_with_the_reason(queue: Queue) -> None:
    id, me = added(queue, "one"), new_owner()
    for state in ("queued", "failed"):
        queue.take("index", me)
        queue.lost(id, "too much processor time", most=2)
        job = queue.get(id)
        assert job is not None
        assert job.state == state
    assert "too much processor time" in (job.error or "")


def test_what_has_ended_stays_as_it_ended(queue: Queue) -> None:
    id, me = added(queue, "one"), new_owner()
    queue.take("index", me)
    queue.finish(id, "cancelled")
    queue.tell(id, progress={"shots": (1.0, 4.0)})
    queue.requeue(id)
    queue.lost(id, "killed", most=2)
    queue.finish(id, "done")
    job = queue.get(id)
    assert job is not None
    assert (job.state, job.progress, job.error) == ("cancelled", {}, None)


def test_progress_of_one_sense_leaves_that_of_others(queue: Queue) -> None:
    id = added(queue, "one")
    queue.tell(id, progress={"shots": (1.0, 4.0), "text": (0.0, 4.0)})
    queue.tell(id, progress={"text": (2.0, 4.0)})
    job = queue.get(id)
    assert job is not None
    assert job.progress == {"shots": [1.0, 4.0], "text": [2.0, 4.0]}


def test_old_jobs_are_forgotten_but_none_that_waits(queue: Queue, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "MOST_KEPT", 3)
    waits = added(queue, "waits")
    for number in range(6):
        queue.finish(added(queue, f"medium {number}"), "done")
    added(queue, "last")
    kept = {job.id for job in queue.list()}
    assert waits in kept
    assert len(kept) <= 3 + 2
