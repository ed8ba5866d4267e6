"""Uploads in pieces: they go on after a break, also one of the server, and end as a job."""

from __future__ import annotations

import base64
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx2 as httpx
import numpy as np
import pytest

from conftest import write_video
from serving.conftest import Program, Served, ended, running, until
from vidence.serving.receiving import BLOCK
from vidence.serving.settings import Limits

TUS = {"Tus-Resumable": "1.0.0"}
PIECE = TUS | {"Content-Type": "application/offset+octet-stream"}


def begun(client: httpx.Client, length: int, name: str = "film.mp4") -> str:
    """Begin an upload; return where it lies."""
    metadata = f"filename {base64.b64encode(name.encode()).decode()},filetype dmlkZW8="
    headers = TUS | {"Upload-Length": str(length), "Upload-Metadata": metadata}
    answer = client.post("/api/uploads", headers=headers)
    assert answer.status_code == 201, answer.text
    return answer.headers["location"]


def sent(client: httpx.Client, place: str, offset: int, piece: bytes) -> httpx.Response:
    return client.patch(place, headers=PIECE | {"Upload-Offset": str(offset)}, content=piece)


def offset_of(client: httpx.Client, place: str) -> int:
    return int(client.head(place, headers=TUS).headers["upload-offset"])


def test_pieces_become_a_video(client: httpx.Client, videos: list[Path]) -> None:
    whole = videos[0].read_bytes()
    place = begun(client, len(whole), "../../naïve film.mp4")
    first = sent(client, place, 0, whole[:5000])
    assert (first.status_code, first.headers["upload-offset"]) == (204, "5000")
    assert "vidence-job" not in first.headers
    assert offset_of(client, place) == 5000
    last = sent(client, place, 5000, whole[5000:])
    assert last.status_code == 204
    job = ended(client, int(last.headers["vidence-job"]))
    assert job["state"] == "done"
    assert job["name"] == "naïve film.mp4"
    assert client.get(f"/api/media/{job['media_id']}/file").content == whole
    assert client.head(place, headers=TUS).status_code == 404


def test_what_came_before_a_break_is_kept(client: httpx.Client, served: Served, tmp_path: Path) -> None:
    noise = np.random.default_rng(0)
    film = write_video(
        tmp_path / "noise.mkv", codec="ffv1", frames=60,
        paint=lambda number: noise.integers(0, 256, (120, 160, 3), np.uint8),
    )  # fmt: skip
    whole = film.read_bytes()
    place = begun(client, len(whole))
    root = served.site.settings.root
    assert root is not None
    file, most = root / "incoming" / f"{place.rsplit('/', 1)[1]}.upload", BLOCK + BLOCK // 2
    assert len(whole) > most

    def breaks() -> Any:
        yield whole[:most]
        until(lambda: file.stat().st_size, lambda size: size >= BLOCK)
        raise httpx.ReadError("the line broke")

    with pytest.raises(httpx.ReadError, match="broke"):
        client.patch(place, headers=PIECE | {"Upload-Offset": "0"}, content=breaks())
    offset = offset_of(client, place)
    assert BLOCK <= offset <= most
    assert file.read_bytes() == whole[:offset]
    done = sent(client, place, offset, whole[offset:])
    job = client.get(f"/api/jobs/{done.headers['vidence-job']}").json()
    assert client.get(f"/api/media/{job['media_id']}/file").content == whole


def test_an_upload_outlives_the_server(
    program: Callable[..., Program], videos: list[Path], tmp_path: Path
) -> None:
    whole = videos[0].read_bytes()
    server = program(tmp_path, "--senses", "shots")
    place = begun(server.client, len(whole))
    sent(server.client, place, 0, whole[:4000])
    server.kill()
    server = program(tmp_path, "--senses", "shots")
    assert offset_of(server.client, place) == 4000
    done = sent(server.client, place, 4000, whole[4000:])
    assert ended(server.client, int(done.headers["vidence-job"]))["state"] == "done"


def test_one_that_came_whole_when_the_server_was_killed_is_not_lost(
    served: Served, client: httpx.Client, videos: list[Path]
) -> None:
    whole = videos[2].read_bytes()
    place = begun(client, len(whole))
    root = served.site.settings.root
    assert root is not None
    (root / "incoming" / f"{place.rsplit('/', 1)[1]}.upload").write_bytes(whole)  # as that kill leaves it
    answer = client.head(place, headers=TUS)
    assert answer.headers["upload-offset"] == answer.headers["upload-length"]
    assert ended(client, int(answer.headers["vidence-job"]))["state"] == "done"


def test_what_is_no_video_is_refused_at_its_end_and_gone(client: httpx.Client, served: Served) -> None:
    place = begun(client, 4000)
    answer = sent(client, place, 0, b"no video " * 444 + b"1234")
    assert answer.status_code == 415
    assert client.head(place, headers=TUS).status_code == 404
    root = served.site.settings.root
    assert root is not None
    assert not list((root / "incoming").glob(f"{place.rsplit('/', 1)[1]}*"))


def test_an_upload_can_be_taken_back(client: httpx.Client) -> None:
    place = begun(client, 100)
    assert client.delete(place, headers=TUS).status_code == 204
    assert client.head(place, headers=TUS).status_code == 404


def test_what_is_understood_is_told(client: httpx.Client) -> None:
    headers = client.options("/api/uploads").headers
    assert headers["tus-version"] == "1.0.0"
    assert headers["tus-extension"] == "creation,termination"
    assert int(headers["tus-max-size"]) > 0


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 412),
        (TUS, 400),
        (TUS | {"Upload-Length": "0"}, 400),
        (TUS | {"Upload-Length": "-1"}, 400),
        (TUS | {"Upload-Length": "many"}, 400),
        (TUS | {"Upload-Length": "1e3"}, 400),
        (TUS | {"Upload-Length": str(10**15)}, 413),
        (TUS | {"Upload-Length": "9", "Upload-Metadata": "filename !!!"}, 400),
        (TUS | {"Upload-Length": "9", "Upload-Metadata": "filename //8="}, 400),
        ({"Tus-Resumable": "0.2.2", "Upload-Length": "9"}, 412),
    ],
)
def test_a_bad_beginning_is_refused(client: httpx.Client, headers: dict[str, str], status: int) -> None:
    assert client.post("/api/uploads", headers=headers).status_code == status


@pytest.mark.parametrize(
    ("changes", "body", "status"),
    [
        ({"Upload-Offset": "1"}, b"x", 409),
        ({"Upload-Offset": "-1"}, b"x", 400),
        ({"Upload-Offset": "nine"}, b"x", 400),
        ({"Upload-Offset": "0"}, b"x" * 101, 413),
        ({"Upload-Offset": "0", "Content-Type": "text/plain"}, b"x", 415),
        ({"Upload-Offset": "0", "Tus-Resumable": "2"}, b"x", 412),
    ],
)
def test_a_bad_piece_is_refused_and_leaves_the_upload_as_it_was(
    client: httpx.Client, changes: dict[str, str], body: bytes, status: int
) -> None:
    place = begun(client, 100)
    assert client.patch(place, headers=PIECE | changes, content=body).status_code == status
    assert offset_of(client, place) == 0
    client.delete(place, headers=TUS)


def test_no_more_than_so_many_are_begun(tmp_path: Path) -> None:
    with running(tmp_path, Limits(open_uploads=2)) as served, served.client() as client:
        places = [begun(client, 100) for _ in range(2)]
        refused = client.post("/api/uploads", headers=TUS | {"Upload-Length": "100"})
        assert refused.status_code == 429
        assert int(refused.headers["retry-after"]) > 0
        client.delete(places[0], headers=TUS)
        begun(client, 100)
