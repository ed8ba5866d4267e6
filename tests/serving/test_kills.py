"""Whatever is killed, and whenever, no job is lost, none runs for ever, and what was perceived is kept."""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx2 as httpx
import psutil
import pytest

from serving.conftest import Program, ended, put, running, tokens_file, until
from vidence.serving.settings import Limits

INDEXING = {"senses": ["shots", "colour"]}  # of four minutes: long enough to be caught in the middle


def workers(server: int, kind: str | None = None) -> list[int]:
    """Return the processes of a server's workers; `kind` "index": those that may use most memory."""
    found = []
    for child in psutil.Process(server).children():
        with contextlib.suppress(psutil.NoSuchProcess):  # a zombie is one, too
            command = child.cmdline()
            if "vidence.serving.worker" in command:
                how = json.loads(command[-1])
                if kind is None or (kind == "index") == bool(how.get("first")):
                    found.append(child.pid)
    return found


def begun(client: httpx.Client, video: Path) -> dict[str, Any]:
    """Send a video and begin to index it; return the job once it is running."""
    id = put(client, video)["media_id"]
    job = client.post(f"/api/media/{id}/index", json=INDEXING).json()
    return in_the_middle(client, job["id"])


def in_the_middle(client: httpx.Client, job: int) -> dict[str, Any]:
    """Wait until a part of the video has been perceived, but not all."""

    def part(now: dict[str, Any]) -> bool:
        assert now["state"] in ("queued", "running"), f"too late: {now}"
        return any(0 < one["done_s"] < one["total_s"] for one in now["progress"].values())

    return until(lambda: client.get(f"/api/jobs/{job}").json(), part)


def whole(client: httpx.Client, media_id: str) -> None:
    """Check that all of a video has been perceived, once: a shot runs from the start to the end, none twice."""
    medium = client.get(f"/api/media/{media_id}").json()
    assert medium["seen"] == {"colour": 1.0, "shots": 1.0}
    shots = client.get(f"/api/media/{media_id}/timeline").json()["lanes"]["shots"]
    assert shots[0]["start"] == 0.0
    assert shots[-1]["end"] == medium["duration_s"]
    assert all(left["end"] == right["start"] for left, right in itertools.pairwise(shots))


def test_a_killed_worker_is_replaced_and_its_job_done(
    program: Callable[..., Program], long_video: Path, tmp_path: Path
) -> None:
    server = program(tmp_path, "--senses", "shots")
    job = begun(server.client, long_video)
    (worker,) = workers(server.process.pid, "index")
    os.kill(worker, signal.SIGKILL)
    job = ended(server.client, job["id"])
    assert (job["state"], job["attempts"]) == ("done", 2)
    whole(server.client, job["media_id"])
    assert 'vidence_workers_died{pool="index"} 1.0' in server.client.get("/metrics").text


def test_a_killed_server_goes_on_where_it_was(
    program: Callable[..., Program], long_video: Path, tmp_path: Path
) -> None:
    server = program(tmp_path, "--senses", "shots")
    job = begun(server.client, long_video)
    behind = workers(server.process.pid)
    server.kill()
    until(lambda: [pid for pid in behind if _lives(pid)], lambda left: not left)
    server = program(tmp_path, "--senses", "shots")
    job = ended(server.client, job["id"])
    assert (job["state"], job["attempts"]) == ("done", 2)
    whole(server.client, job["media_id"])


def test_a_stopped_server_gives_its_job_back(
    program: Callable[..., Program], long_video: Path, tmp_path: Path
) -> None:
    server = program(tmp_path, "--senses", "shots")
    job = begun(server.client, long_video)
    server.process.send_signal(signal.SIGTERM)
    server.process.wait()
    server = program(tmp_path, "--senses", "shots")
    assert ended(server.client, job["id"])["state"] == "done"
    whole(server.client, job["media_id"])


def _lives(pid: int) -> bool:
    return psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE


def test_a_job_that_kills_its_workers_is_given_up(long_video: Path, tmp_path: Path) -> None:
    with running(tmp_path, Limits(crashes=2)) as served, served.client() as client:
        job = begun(client, long_video)["id"]
        for _ in range(2):
            (worker,) = until(lambda: workers(os.getpid(), "index"), lambda found: len(found) == 1)
            os.kill(worker, signal.SIGKILL)
            until(lambda: workers(os.getpid(), "index"), lambda found, dead=worker: dead not in found)
        failed = ended(client, job)
        assert failed["state"] == "failed"
        assert "given up after 2 attempts" in failed["error"]
        assert client.get("/health").status_code == 200


def test_a_job_that_takes_too_long_is_ended(long_video: Path, tmp_path: Path) -> None:
    with running(tmp_path, Limits(index_s=0.001)) as served, served.client() as client:
        job = ended(client, put(client, long_video)["id"])
        assert job["state"] == "failed"
        assert "longer than is allowed" in job["error"]
        assert not workers(os.getpid(), "index")


def test_a_cancelled_job_ends_its_worker_and_keeps_what_was_seen(long_video: Path, tmp_path: Path) -> None:
    with running(tmp_path) as served, served.client() as client:
        job = begun(client, long_video)
        (worker,) = workers(os.getpid(), "index")
        assert client.delete(f"/api/jobs/{job['id']}").json()["state"] == "cancelled"
        until(lambda: _lives(worker), lambda lives: not lives)
        assert client.get(f"/api/jobs/{job['id']}").json()["state"] == "cancelled"
        seen = client.get(f"/api/media/{job['media_id']}").json()["seen"]
        assert max(seen.values()) > 0
        again = client.post(f"/api/media/{job['media_id']}/index", json=INDEXING).json()
        assert ended(client, again["id"])["state"] == "done"
        whole(client, job["media_id"])


@pytest.mark.parametrize("streamed", [True, False])
def test_a_client_that_goes_away_ends_its_question(
    videos: list[Path], tmp_path: Path, streamed: bool
) -> None:
    with running(tmp_path) as served, served.client() as client:
        job = ended(client, put(client, videos[0])["id"])
        question = {"media": [job["media_id"]], "question": "How many shots are there?"}
        client.post("/api/ask", json=question)
        asks = [pid for pid in workers(os.getpid(), "index") if _lives(pid)]
        for pid in asks:
            os.kill(pid, signal.SIGSTOP)  # the next question finds a worker that does not answer
        headers = {"Accept": "text/event-stream" if streamed else "application/json"}
        with pytest.raises(httpx.ReadTimeout), served.client() as hasty:
            hasty.post("/api/ask", json=question, headers=headers, timeout=httpx.Timeout(30, read=1))
        (stopped,) = until(lambda: [pid for pid in asks if not _lives(pid)], bool)
        for pid in asks:
            if pid != stopped:
                os.kill(pid, signal.SIGCONT)
        until(lambda: served.site.asking["local"], lambda count: count == 0)
        assert client.post("/api/ask", json=question).status_code == 200


def test_libraries_take_turns(videos: list[Path], tmp_path: Path) -> None:
    path, tokens = tokens_file(tmp_path, "anna", "bert")
    with running(tmp_path / "libraries", tokens=path, index_workers=1) as served:
        anna, bert = served.client(tokens["anna"]), served.client(tokens["bert"])
        with anna, bert:
            ids = [put(anna, video)["media_id"] for video in videos[:3]]
            for job in anna.get("/api/jobs").json()["jobs"]:
                ended(anna, job["id"])
            put(bert, videos[0])
            for job in bert.get("/api/jobs").json()["jobs"]:
                ended(bert, job["id"])
            blocker = anna.post(f"/api/media/{ids[0]}/index", json={"language": "fr"}).json()["id"]
            many = [anna.post(f"/api/media/{id}/index", json={"language": "de"}).json()["id"] for id in ids]
            one = bert.post(f"/api/media/{ids[0]}/index", json={"language": "de"}).json()["id"]
            started = [ended(anna, id)["started"] for id in many]
            assert ended(anna, blocker)["state"] == "done"
            assert ended(bert, one)["started"] < started[1], (
                "one user's many jobs went before another's first"
            )


def test_more_than_may_wait_is_refused(videos: list[Path], long_video: Path, tmp_path: Path) -> None:
    with running(tmp_path, Limits(queued_jobs=1, asks=0)) as served, served.client() as client:
        running_job = begun(client, long_video)
        put(client, videos[0])
        for answer in (
            client.put("/api/media", content=videos[1].read_bytes()),
            client.post("/api/uploads", headers={"Tus-Resumable": "1.0.0", "Upload-Length": "9"}),
            client.post(f"/api/media/{running_job['media_id']}/index", json={"language": "de"}),
            client.post("/api/ask", json={"media": [running_job["media_id"]], "question": "How many?"}),
        ):
            assert answer.status_code == 429, answer.text
            assert answer.json()["error"]["type"] == "rate_limit_error"
            assert int(answer.headers["retry-after"]) >= 1
        assert client.get("/api/jobs").json()["jobs"][0]["place"] == 1
