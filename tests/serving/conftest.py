"""Servers for tests: in this process, or in one of their own where they are to be killed; their workers are real."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx2 as httpx
import pytest
import uvicorn

from vidence.serving.running import configured
from vidence.serving.settings import Limits, Settings
from vidence.serving.site import Model, Site
from vidence.worlds import Setting, make_world

LIGHT = ("shots",)  # the quickest sense
PATIENCE_S = 600  # a bound against hanging, no claim of speed

if TYPE_CHECKING:
    from playwright.sync_api import Browser

Serve = Callable[..., "Served"]


class Served:
    """A server and a client of it."""

    def __init__(self, site: Site, address: str) -> None:
        self.site, self.address = site, address

    def client(self, token: str | None = None) -> httpx.Client:
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        return httpx.Client(base_url=self.address, headers=headers, timeout=PATIENCE_S, trust_env=False)


@pytest.fixture(scope="session")
def videos(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Four worlds of four seconds, each of another content."""
    folder = tmp_path_factory.mktemp("videos")
    setting = Setting(duration_s=4, size=(160, 96), level=0)
    for seed in range(4):
        make_world(seed, setting).write(folder / f"{seed}.mp4")
    return [folder / f"{seed}.mp4" for seed in range(4)]


@pytest.fixture(scope="session")
def long_video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four minutes, so four segments, of small pictures that change now and then."""
    import numpy as np

    from conftest import write_video

    def paint(number: int) -> np.ndarray:
        return np.full((64, 96, 3), 60 + 40 * (number // 100 % 4), np.uint8)

    path = tmp_path_factory.mktemp("long") / "long.mp4"
    return write_video(path, size=(96, 64), fps=4, frames=960, paint=paint)


@pytest.fixture(scope="session")
def sign(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Show nothing for two seconds, then a sign for two, while subtitles tell what is said."""
    import cv2
    import numpy as np

    from conftest import write_video

    def paint(number: int) -> np.ndarray:
        picture = np.full((180, 320, 3), 235, np.uint8)
        if number >= 20:
            cv2.putText(picture, "PLATFORM 7", (20, 105), cv2.FONT_HERSHEY_SIMPLEX, 1.5, (20, 20, 20), 3)
        return picture

    path = tmp_path_factory.mktemp("sign") / "the sign.mp4"
    cues = [(0.5, 1.5, "The train is late."), (2.0, 3.5, "Mind the gap.")]
    return write_video(path, size=(320, 180), fps=10, frames=40, paint=paint, cues=cues, tone_hz=220)


@contextlib.contextmanager
def running(
    root: Path,
    limits: Limits | None = None,
    *,
    speakers: Sequence[Any] = (),
    models: Sequence[Model] = (),
    **settings: Any,
) -> Iterator[Served]:
    """Serve a library from a thread of this process, at a free port."""
    how = Settings(root=root, port=0, limits=limits or Limits(), **({"senses": LIGHT} | settings))
    site = Site.open(how, tuple(models))
    config = configured(site, *speakers)
    config.port = 0
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        assert thread.is_alive(), "the server did not start"
        time.sleep(0.02)
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield Served(site, f"http://127.0.0.1:{port}")
    finally:
        server.should_exit = True
        thread.join(30)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """One library without tokens, shared by the tests of a module."""
    with running(tmp_path_factory.mktemp("library")) as one:
        yield one


@pytest.fixture
def client(served: Served) -> Iterator[httpx.Client]:
    with served.client() as one:
        yield one


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """One browser, shared by the tests of a module."""
    from serving.browsing import browser

    with browser() as started:
        yield started


class Program:
    """`vidence serve` as a process of its own, with the port it was given."""

    def __init__(self, root: Path, *flags: str) -> None:
        command = [sys.executable, "-m", "vidence", "serve", "--library", str(root), "--port", "0", *flags]
        environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
        self.process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment)
        assert self.process.stderr is not None
        self.said = next(line for line in self.process.stderr if "http" in line)
        self.address = next(word for word in self.said.split() if word.startswith("http")).rstrip("/;")
        self.client = httpx.Client(base_url=self.address, timeout=PATIENCE_S, trust_env=False)

    def kill(self) -> None:
        """Kill it as `kill -9` does."""
        self.process.kill()
        self.process.wait()
        self.client.close()


@pytest.fixture
def program() -> Iterator[Callable[..., Program]]:
    """Give a starter of servers; those that live at the end of the test are killed."""
    started: list[Program] = []

    def start(root: Path, *flags: str) -> Program:
        started.append(Program(root, *flags))
        return started[-1]

    yield start
    for one in started:
        one.kill()


def put(client: httpx.Client, video: Path, name: str | None = None) -> dict[str, Any]:
    """Send a video, and return the job of its indexing."""
    answer = client.put("/api/media", params={"name": name or video.name}, content=video.read_bytes())
    assert answer.status_code == 202, answer.text
    return answer.json()


def ended(client: httpx.Client, job: int) -> dict[str, Any]:
    """Wait for a job to end, and return it."""
    return until(lambda: client.get(f"/api/jobs/{job}").json(), lambda now: now["finished"] is not None)


def until(look: Callable[[], Any], holds: Callable[[Any], bool]) -> Any:
    """Look again and again until it holds, and return what was seen."""
    end = time.monotonic() + PATIENCE_S
    while not holds(seen := look()):
        assert time.monotonic() < end, f"it did not come to hold: {seen}"
        time.sleep(0.05)
    return seen


def tokens_file(folder: Path, *names: str) -> tuple[Path, dict[str, str]]:
    """Make tokens; return their file, and them by name."""
    from vidence.serving.guarding.tokens import make_token

    path = folder / "tokens.txt"
    return path, {name: make_token(name, path) for name in names}
