"""Adding videos on the web page: dropped, fetched, sent with breaks; and work that is called off."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx2 as httpx
import numpy as np
import pytest

from conftest import write_video
from serving.browsing import Visit, visit
from serving.conftest import Served, ended, put, running, until

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Locator, Page, Request, Route

PIECE = 8 * 2**20  # bytes that the page sends at once
AWAY = "ERR_INTERNET_DISCONNECTED"


class Elsewhere(ThreadingHTTPServer):
    """Another server, from which videos are fetched: it sends half of one, and the rest once it is told to."""

    daemon_threads = True

    def __init__(self, video: Path) -> None:
        super().__init__(("127.0.0.1", 0), _Sender)
        self.video = video.read_bytes()
        self.go_on = threading.Event()
        self.address = f"http://127.0.0.1:{self.server_port}"


class _Sender(BaseHTTPRequestHandler):
    server: Elsewhere

    def do_GET(self) -> None:
        if not self.path.split("?")[0].endswith(".mp4"):
            return self.send_error(404)
        video = self.server.video
        self.send_response(200)
        self.send_header("Content-Length", str(len(video)))
        self.end_headers()
        self.wfile.write(video[: len(video) // 2])
        self.server.go_on.wait()
        return self.wfile.write(video[len(video) // 2 :])

    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture
def elsewhere(videos: list[Path]) -> Iterator[Elsewhere]:
    with Elsewhere(videos[1]) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.go_on.set()
        server.shutdown()


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """One library; videos may be fetched from this machine."""
    with running(tmp_path_factory.mktemp("library"), fetch_from=("127.0.0.0/8",)) as one:
        yield one


@pytest.fixture
def here(served: Served, chromium: Browser) -> Iterator[Visit]:
    with visit(chromium, served.address) as seen:
        yield seen


@pytest.fixture(scope="module")
def heavy(videos: list[Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A video of more than two pieces, most of it a box that players pass over."""
    path = tmp_path_factory.mktemp("heavy") / "heavy.mp4"
    empty = 2 * PIECE
    path.write_bytes(videos[2].read_bytes() + empty.to_bytes(4, "big") + b"free" + bytes(empty - 8))
    return path


def card(page: Page, name: str) -> Locator:
    """Return the card of a video, or of what is to become one."""
    return page.locator(".medium").filter(has=page.get_by_role("heading", name=name, exact=True))


def drag(page: Page, kind: str, path: Path) -> None:
    """Drag a file of this machine over the page, or drop it."""
    files = {"items": [], "files": [str(path)], "dragOperationsMask": 1}
    session = page.context.new_cdp_session(page)
    session.send("Input.dispatchDragEvent", {"type": kind, "x": 640, "y": 500, "data": files})


def test_a_file_dropped_on_any_view_is_added(here: Visit, videos: list[Path]) -> None:
    page = here.go("#/runs")
    invitation = page.get_by_text("Drop to add")
    drag(page, "dragEnter", videos[0])
    invitation.wait_for()
    page.evaluate(
        "dispatchEvent(new DragEvent('dragleave'))"
    )  # the browser's own cannot be brought about from here
    invitation.wait_for(state="detached")
    drag(page, "dragOver", videos[0])
    invitation.wait_for()
    here.shot("dropping")
    drag(page, "drop", videos[0])
    invitation.wait_for(state="detached")
    card(page, "0.mp4").get_by_text("Fully seen").wait_for()
    assert page.evaluate("location.hash") == "#/"


def fetch(page: Page, address: str) -> None:
    page.fill("[name=url]", address)
    page.get_by_role("button", name="Fetch").click()


def test_a_video_is_fetched_from_its_address(here: Visit, elsewhere: Elsewhere) -> None:
    page = here.go()
    fetch(page, f"{elsewhere.address}/films/from%20afar.mp4?token=1")
    on_its_way = card(page, "from afar.mp4")
    on_its_way.get_by_text("Fetching").wait_for()
    here.shot("fetching")
    elsewhere.go_on.set()
    on_its_way.get_by_text("Fully seen").wait_for()
    assert page.input_value("[name=url]") == ""


def test_a_fetch_that_fails_says_why_and_can_be_put_away(here: Visit, elsewhere: Elsewhere) -> None:
    page = here.go()
    fetch(page, f"{elsewhere.address}/nothing")
    failed = card(page, "nothing")
    failed.get_by_text("127.0.0.1 answered 404").wait_for()
    here.shot("failed")
    failed.get_by_role("button", name="Put away").click()
    failed.wait_for(state="detached")
    page.reload()
    card(page, "0.mp4").wait_for()
    assert failed.count() == 0, "what was put away has come back"


def test_an_upload_goes_on_after_a_pause_a_break_and_a_new_visit(
    served: Served, client: httpx.Client, chromium: Browser, heavy: Path
) -> None:
    sent: list[int] = []
    held: list[Route] = []

    def hold(route: Route, request: Request) -> None:
        """Let the first piece pass, and none of the others."""
        offset = int(request.headers["upload-offset"])
        sent.append(offset)
        if offset == 0:
            route.continue_()
        else:
            held.append(route)

    with visit(chromium, served.address, broken=AWAY) as seen:
        page = seen.go()
        page.route(
            "**/api/uploads/*",
            lambda route, request: hold(route, request) if request.method == "PATCH" else route.continue_(),
        )
        page.set_input_files("#files", heavy)
        coming = card(page, "heavy.mp4")
        seen.until("document.querySelector('.medium progress')?.value > 0.4")
        until(lambda: page.wait_for_timeout(20) or held, bool)
        coming.get_by_role("button", name="Pause").click()
        coming.get_by_text("Paused").wait_for()
        held.pop().abort()
        seen.shot("paused")
        coming.get_by_role("button", name="Go on").click()
        until(lambda: page.wait_for_timeout(20) or held, bool)
        page.context.set_offline(True)
        held.pop().abort("internetdisconnected")
        coming.get_by_text("The connection broke").wait_for()
        seen.shot("broken")
        page.context.set_offline(False)
        page.reload()
        page.unroute_all()
        page.on(
            "request",
            lambda request: request.method == "PATCH" and sent.append(int(request.headers["upload-offset"])),
        )
        page.set_input_files("#files", heavy)
        coming.get_by_text("Fully seen").wait_for()
    assert sent[:3] == [0, PIECE, PIECE]
    assert sent[3:] == [PIECE, 2 * PIECE], "what had come was sent once more"
    (medium,) = [one for one in client.get("/api/media").json()["media"] if one["name"] == "heavy.mp4"]
    assert medium["size_bytes"] == heavy.stat().st_size


def test_fetches_are_called_off_running_or_waiting(
    here: Visit, client: httpx.Client, elsewhere: Elsewhere
) -> None:
    """Two are fetched at once, so the third waits."""
    page = here.go()
    names = ["first.mp4", "second.mp4", "third.mp4"]
    for name in names:
        fetch(page, f"{elsewhere.address}/{name}")
        card(page, name).wait_for()
    card(page, "first.mp4").get_by_text("Fetching").wait_for()
    card(page, "third.mp4").get_by_text("Waiting: next").wait_for()
    here.shot("waiting")
    for name in ("third.mp4", "first.mp4"):
        card(page, name).get_by_role("button", name="Stop").click()
        card(page, name).wait_for(state="detached")
    elsewhere.go_on.set()
    jobs = {
        job["name"]: job["id"] for job in client.get("/api/jobs").json()["jobs"] if job["kind"] == "fetch"
    }
    states = [ended(client, jobs[name])["state"] for name in names]
    assert states == ["cancelled", "done", "cancelled"]


def test_looking_again_asks_which_senses(here: Visit, client: httpx.Client, videos: list[Path]) -> None:
    """This server has one sense, and it has seen all."""
    known = ended(client, put(client, videos[0])["id"])
    page = here.go(f"#/video/{known['media_id']}")
    page.get_by_role("button", name="More to do with this video").click()
    page.get_by_role("menuitem", name="Look again").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_text("Every sense has seen all of it").wait_for()
    look = dialog.get_by_role("button", name="Look", exact=True)
    assert look.is_disabled()
    dialog.get_by_role("checkbox", name="Shots").check()
    look.click()
    dialog.wait_for(state="detached")
    newest = client.get("/api/jobs").json()["jobs"][0]
    assert (newest["kind"], newest["media_id"]) == ("index", known["media_id"])
    assert newest["id"] > known["id"]


def test_indexing_is_called_off_running_or_waiting(
    here: Visit, client: httpx.Client, videos: list[Path], tmp_path: Path
) -> None:
    """One is indexed at a time, so the second waits; what was seen before is kept."""
    hours = write_video(tmp_path / "hours.mp4", size=(96, 64), fps=4, frames=4000, paint=pattern)
    long, short = (ended(client, put(client, one)["id"])["media_id"] for one in (hours, videos[3]))
    jobs = [
        client.post(f"/api/media/{id}/index", json={"senses": ["shots", "objects", "text", "looks"]}).json()[
            "id"
        ]
        for id in (long, short)
    ]
    for id, says in ((short, "Waiting: next"), (long, "Looking and listening")):
        page = here.go(f"#/video/{id}")
        panel = page.get_by_role("region", name="Progress")
        panel.get_by_text(says).wait_for()
        if id == long:
            panel.get_by_text("Objects").wait_for()
            here.shot("indexing")
        panel.get_by_role("button", name="Stop").click()
        panel.wait_for(state="detached")
    assert [client.get(f"/api/jobs/{one}").json()["state"] for one in jobs] == ["cancelled", "cancelled"]
    assert client.get(f"/api/media/{long}").json()["seen"]["shots"] == 1
    assert page.locator("[data-lane=shots] .mark").count() > 0


def pattern(number: int) -> np.ndarray:
    """Paint a ground of another grey every 25 seconds."""
    return np.full((64, 96, 3), 60 + 40 * (number // 100 % 4), np.uint8)
