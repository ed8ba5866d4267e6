"""Who may come in: hosts, origins, tokens, rates; libraries that cannot see one another; headers for browsers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx2 as httpx
import pytest

from serving.conftest import Served, ended, put, running, tokens_file
from serving.test_uploads import TUS, begun
from vidence.serving.settings import Limits

PAGES = ("/", "/health", "/openapi.json")
GUARDED = (
    "/api/me",
    "/api/media",
    "/api/jobs",
    "/api/runs",
    "/api/search?q=a",
    "/metrics",
    "/v1/models",
    "/mcp",
)


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Served, dict[str, str]]]:
    """A server with two tokens."""
    folder = tmp_path_factory.mktemp("tokens")
    path, tokens = tokens_file(folder, "anna", "bert")
    limits = Limits(failed_logins_per_minute=1000)
    with running(folder / "libraries", limits, tokens=path) as served:
        yield served, tokens


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:80", "127.0.0.1.evil.example", "[::2]", "", "a b"]
)
def test_a_name_that_is_not_ours_is_refused(client: httpx.Client, host: str) -> None:
    for path in (*PAGES, *GUARDED):
        assert client.get(path, headers={"Host": host}).status_code == 421


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost:1234", "LOCALHOST", "[::1]:80"])
def test_our_own_names_are_let_be(client: httpx.Client, host: str) -> None:
    assert client.get("/health", headers={"Host": host}).status_code == 200


def test_a_name_that_is_given_is_ours(tmp_path: Path) -> None:
    with running(tmp_path, names=("videos.example.org",)) as served, served.client() as client:
        assert client.get("/health", headers={"Host": "videos.example.org"}).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://localhost"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
def test_no_other_page_may_write(client: httpx.Client, headers: dict[str, str]) -> None:
    for method, path in (("PUT", "/api/media"), ("POST", "/api/ask"), ("DELETE", "/api/jobs/1")):
        assert client.request(method, path, headers=headers).status_code == 403


def test_our_own_page_may_write(client: httpx.Client, served: Served) -> None:
    headers = {"Origin": served.address, "Sec-Fetch-Site": "same-origin"}
    assert client.delete("/api/jobs/999", headers=headers).status_code == 404


def test_without_a_token_only_the_page_is_shown(two: tuple[Served, dict[str, str]]) -> None:
    served, _ = two
    with served.client() as client:
        assert [client.get(path).status_code for path in PAGES] == [200] * len(PAGES)
        for path in GUARDED:
            answer = client.get(path)
            assert answer.status_code == 401, path
            assert answer.json()["error"]["type"] == "authentication_error"
            assert answer.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize("token", ["x", "vd-", "Bearer", "a" * 5000])
def test_a_wrong_token_is_refused(two: tuple[Served, dict[str, str]], token: str) -> None:
    served, _ = two
    with served.client(token) as client:
        assert client.get("/api/media").status_code == 401
        strange = {"Authorization": b"Bearer \xc3\xa9\xff"}
        assert client.get("/api/media", headers=strange).status_code == 401


def test_libraries_cannot_see_one_another(two: tuple[Served, dict[str, str]], videos: list[Path]) -> None:
    served, tokens = two
    with served.client(tokens["anna"]) as anna, served.client(tokens["bert"]) as bert:
        job = ended(anna, put(anna, videos[0], "secret.mp4")["id"])
        id = job["media_id"]
        question = {"media": [id], "question": "How many shots?"}
        (answer,) = anna.post("/api/ask", json=question).json()["answers"]
        place = begun(anna, 100)
        assert bert.get("/api/media").json() == {"media": []}
        assert bert.get("/api/jobs").json() == {"jobs": []}
        assert bert.get("/api/runs").json() == {"runs": []}
        assert bert.get("/api/search", params={"q": "shot"}).json()["hits"] == []
        parts = ("", "/file", "/preview", "/frame?at=0", "/thumbnails.jpg", "/thumbnails.vtt", "/timeline",
                 "/observations", "/export?format=json", "/export?format=html")  # fmt: skip
        for part in parts:
            assert bert.get(f"/api/media/{id}{part}").status_code == 404, part
            assert anna.get(f"/api/media/{id}{part}").status_code in (200, 202), part
        refused = (
            bert.delete(f"/api/media/{id}"),
            bert.patch(f"/api/media/{id}", json={"name": "mine"}),
            bert.post(f"/api/media/{id}/index"),
            bert.get(f"/api/jobs/{job['id']}"),
            bert.get(f"/api/jobs/{job['id']}/events"),
            bert.delete(f"/api/jobs/{job['id']}"),
            bert.get(f"/api/runs/{answer['run']}"),
            bert.get(f"/api/runs/{answer['run']}/export?format=json"),
            bert.delete(f"/api/runs/{answer['run']}"),
            bert.post("/api/ask", json=question),
            bert.head(place, headers=TUS),
            bert.delete(place, headers=TUS),
        )
        assert [one.status_code for one in refused] == [404] * len(refused)
        assert ended(bert, put(bert, videos[0], "mine.mp4")["id"])["media_id"] == id
        assert [one["name"] for one in bert.get("/api/media").json()["media"]] == ["mine.mp4"]
        assert bert.delete(f"/api/media/{id}").status_code == 204
        assert anna.get(f"/api/media/{id}/file").content == videos[0].read_bytes()


def test_a_cookie_shows_pictures_and_writes_nothing(two: tuple[Served, dict[str, str]]) -> None:
    served, tokens = two
    with served.client() as client:
        begun = client.post("/api/session", headers={"Authorization": f"Bearer {tokens['anna']}"})
        cookie = begun.headers["set-cookie"]
        assert "HttpOnly" in cookie
        assert "SameSite=strict" in cookie
        assert tokens["anna"] not in cookie
        assert client.get("/api/media").status_code == 200
        assert client.put("/api/media", content=b"x").status_code == 401
        assert client.post("/api/ask", json={}).status_code == 401
        kept = dict(client.cookies)
        assert client.delete("/api/session").status_code == 204
        assert client.get("/api/media", cookies=kept).status_code == 401


def test_guessing_is_slowed_down(tmp_path: Path) -> None:
    path, tokens = tokens_file(tmp_path, "anna")
    with running(tmp_path / "libraries", Limits(failed_logins_per_minute=3), tokens=path) as served:
        with served.client("vd-guess") as guesser:
            answers = [guesser.get("/api/me") for _ in range(5)]
        assert [one.status_code for one in answers] == [401, 401, 401, 429, 429]
        assert int(answers[-1].headers["retry-after"]) > 0
        with served.client(tokens["anna"]) as anna:
            assert anna.get("/api/me").status_code == 429  # from there nobody comes in for a while


def test_too_many_requests_are_told_when_to_come_again(tmp_path: Path) -> None:
    limits = Limits(requests_per_s=0.01, requests_at_once=3)
    with running(tmp_path, limits) as served, served.client() as client:
        answers = [client.get("/health") for _ in range(4)]
        assert [one.status_code for one in answers] == [200, 200, 200, 429]
        assert int(answers[-1].headers["retry-after"]) > 1


def test_bodies_are_bounded_and_must_come(tmp_path: Path) -> None:
    with running(tmp_path, Limits(body_bytes=1000, idle_s=0.2)) as served, served.client() as client:
        assert client.post("/api/ask", content=b"{" + b" " * 2000).status_code == 413

        def endless() -> Iterator[bytes]:
            while True:
                yield b" " * 100

        try:
            status = client.post("/api/ask", content=endless()).status_code
        except httpx.TransportError:  # refused, and hung up on, while it was still sending
            status = 413
        assert status == 413

        import socket

        with socket.create_connection(("127.0.0.1", int(served.address.rsplit(":", 1)[1]))) as line:
            line.sendall(b"POST /api/ask HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\n{")
            assert b" 408 " in line.recv(1000)


@pytest.mark.parametrize("path", ["/", "/api/me", "/api/media/x", "/nowhere", "/health"])
def test_every_answer_bears_what_keeps_browsers_safe(client: httpx.Client, path: str) -> None:
    headers = client.get(path).headers
    policy = headers["content-security-policy"]
    assert "default-src 'self'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cross-origin-opener-policy"] == "same-origin"
    assert "server" not in headers
