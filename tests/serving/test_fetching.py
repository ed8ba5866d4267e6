"""Fetching: what is public is fetched, wherever it leads is checked again, and neither size nor time is endless."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest

from serving.conftest import ended, running, until
from vidence.errors import MediaError
from vidence.serving.duties.fetching import fetch
from vidence.serving.fetching import carried, check_url, is_public
from vidence.serving.refusing import Refused

HERE = ("127.0.0.0/8",)


class _Handler(BaseHTTPRequestHandler):
    """Serves a video, and the ways in which a server may behave badly."""

    video = b""

    def do_GET(self) -> None:
        path = self.path.split("?")[0]
        if path.startswith("/to/"):
            return self._head(302, Location=self.path[4:])
        if path == "/round":
            return self._head(302, Location="/round")
        if path == "/endless":
            self._head(200)
            for _ in itertools.count():
                self.wfile.write(b"a" * 65536)
        if path == "/large":
            return self._head(200, **{"Content-Length": str(10**12)})
        if path == "/short":
            self._head(200, **{"Content-Length": "100"})
            self.wfile.write(b"a" * 10)
            return None
        if path == "/text":
            self._head(200)
            self.wfile.write(b"no video at all " * 100)
            return None
        if path == "/slow":
            self._head(200)
            for _ in itertools.count():
                self.wfile.write(b"a")
                threading.Event().wait(0.02)
        if path == "/film.mp4":
            self._head(200, **{"Content-Length": str(len(self.video))})
            self.wfile.write(self.video)
            return None
        return self._head(404)

    def _head(self, status: int, **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        """Say nothing when a client hangs up."""


@pytest.fixture(scope="module")
def elsewhere(videos: list[Path]) -> Iterator[str]:
    """The address of a web server."""
    _Handler.video = videos[0].read_bytes()
    server = _Server(("127.0.0.1", 0), _Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


@pytest.fixture
def fetched(tmp_path: Path) -> Callable[..., Path]:
    """Give what a worker does with an address."""

    def get(url: str, **how: Any) -> Path:
        place = tmp_path / "place"
        task = {"url": url, "place": str(place), "bytes": 10**6, "limit_s": 60, "allowed": HERE} | how
        fetch(task, lambda _: None)
        return place

    return get


def test_a_file_is_fetched_as_it_is(fetched: Callable[..., Path], elsewhere: str) -> None:
    assert fetched(f"{elsewhere}/film.mp4").read_bytes() == _Handler.video
    assert fetched(f"{elsewhere}/to//to//film.mp4").read_bytes() == _Handler.video


@pytest.mark.parametrize(
    ("path", "how", "why"),
    [
        ("/film.mp4", {"allowed": ()}, "not a public address"),
        ("/to/http://169.254.169.254/latest/meta-data/", {}, "not a public address"),
        ("/to/http://[::ffff:10.0.0.1]/", {}, "not a public address"),
        ("/to/file:///etc/passwd", {}, "only http and https"),
        ("/to//to/gopher://127.0.0.1:6379/_x", {}, "only http and https"),
        ("/round", {}, "more than 5 times"),
        ("/nowhere", {}, "answered 404"),
        ("/large", {}, "are allowed"),
        ("/endless", {}, "more than the 1,000,000 bytes"),
        ("/short", {}, "10 of 100 bytes"),
        ("/slow", {"limit_s": 0.3}, "longer than is allowed|did not send"),
    ],
)
def test_what_must_not_be_is_not(
    fetched: Callable[..., Path], elsewhere: str, path: str, how: dict[str, Any], why: str
) -> None:
    with pytest.raises(MediaError, match=why):
        fetched(elsewhere + path, **how)


def test_the_surroundings_name_no_proxy(
    fetched: Callable[..., Path], elsewhere: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1/")
    assert fetched(f"{elsewhere}/film.mp4").exists()


def test_a_name_is_connected_to_where_it_was_checked(
    fetched: Callable[..., Path], elsewhere: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A name that leads to a public address when it is checked, and home when it is connected to (DNS rebinding)."""
    import socket

    real, answers = socket.getaddrinfo, iter(["127.0.0.1", "10.9.8.7"])
    monkeypatch.setattr(
        socket,
        "getaddrinfo",
        lambda host, *rest, **more: real(
            next(answers) if host == "rebinding.example" else host, *rest, **more
        ),
    )
    port = elsewhere.rsplit(":", 1)[1]
    assert fetched(f"http://rebinding.example:{port}/film.mp4").exists()
    assert next(answers) == "10.9.8.7"  # it was asked for once


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("8.8.8.8", True),
        ("1.1.1.1", True),
        ("2606:4700:4700::1111", True),
        ("::ffff:8.8.8.8", True),
        ("64:ff9b::8.8.8.8", True),
        ("2002:808:808::1", True),
        ("::ffff:127.0.0.1", False),
        ("64:ff9b::7f00:1", False),
        ("2002:7f00:1::1", False),
        ("fec0::1", False),
        ("::2", False),
    ],
)
def test_an_address_is_judged_by_where_it_leads(address: str, public: bool) -> None:
    assert is_public(ip_address(address)) is public


def test_teredo_hides_nothing() -> None:
    assert str(carried(ip_address("2001:0:53aa:64c:0:0:80ff:fffe"))) == "127.0.0.1"


def test_a_bad_address_is_told_at_once() -> None:
    with pytest.raises(Refused, match="user"):
        check_url("http://a:b@127.0.0.1/", HERE)


def test_a_fetched_video_is_indexed(elsewhere: str, tmp_path: Path) -> None:
    with running(tmp_path, fetch_from=HERE) as served, served.client() as client:
        job = client.post("/api/media", json={"url": f"{elsewhere}/film.mp4?token=x"})
        assert job.status_code == 202
        assert (job.json()["kind"], job.json()["name"]) == ("fetch", "film.mp4")
        done = ended(client, job.json()["id"])
        assert done["state"] == "done"
        assert done["bytes"] == {"done": len(_Handler.video), "total": len(_Handler.video)}
        media = until(
            lambda: client.get("/api/media").json()["media"], lambda found: found and found[0]["job"] is None
        )
        assert (media[0]["id"], media[0]["seen"]) == (done["media_id"], {"shots": 1.0})

        text = ended(client, client.post("/api/media", json={"url": f"{elsewhere}/text"}).json()["id"])
        assert text["state"] == "failed"
        assert "video" in text["error"]
        led = client.post("/api/media", json={"url": f"{elsewhere}/to/http://10.0.0.1/"}).json()
        assert "not a public address" in ended(client, led["id"])["error"]
        assert not list((tmp_path / "incoming").iterdir())


def test_a_fetch_is_cancelled_in_the_middle(elsewhere: str, tmp_path: Path) -> None:
    with running(tmp_path, fetch_from=HERE) as served, served.client() as client:
        job = client.post("/api/media", json={"url": f"{elsewhere}/slow"}).json()["id"]
        until(lambda: client.get(f"/api/jobs/{job}").json(), lambda now: now["bytes"] is not None)
        assert client.delete(f"/api/jobs/{job}").json()["state"] == "cancelled"
        until(lambda: list((tmp_path / "incoming").iterdir()), lambda left: not left)
