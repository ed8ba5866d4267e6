"""The loop comes to an end by itself, keeps notes in view, searches where it may, and takes plug-ins in."""

from __future__ import annotations

import http.server
import json
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import pytest

from conftest import MakeVideo
from vidence import plugins
from vidence.errors import UsageError
from vidence.mcr.actions import Actions, schema
from vidence.mcr.belief import Belief
from vidence.mcr.budget import Budget
from vidence.mcr.policy import Decision
from vidence.mcr.situation import Situation
from vidence.mcr.standstill import MAX_IDLE
from vidence.mcr.web import Documents, SearXNG, open_web
from vidence.senses import default_senses
from vidence.video import Video
from vidence.video import open as open_video


@dataclass
class Restless:
    """A policy that never answers."""

    actions: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    name: str = "restless"
    identity: str = "restless"
    recalls: bool = False

    def decide(self, situation: Situation) -> Decision:
        at = min(situation.meter.steps - 1, len(self.actions) - 1)
        return Decision("", *self.actions[at], Belief())

    def check(self, *_: Any) -> Any:
        raise AssertionError("nothing is ever cited")


@pytest.fixture
def video(make_video: MakeVideo, tmp_path: Path) -> Iterator[Video]:
    with open_video(make_video("clip.mp4", frames=50), memory=tmp_path / "memory.sqlite") as opened:
        yield opened


def steps(video: Video, kind: str) -> list[str]:
    assert video.last_situation is not None
    return [step.content for step in video.last_situation.context.steps if step.kind == kind]


def test_a_policy_that_repeats_itself_comes_to_an_end(video: Video) -> None:
    look = ("look", {"start": 0, "end": 1, "senses": [], "show": 2})
    answer = video.ask("What is it?", policy=Restless([look]), budget=Budget(max_steps=None))
    assert answer.status == "insufficient evidence"
    assert f"{MAX_IDLE} steps brought nothing new" in answer.lacking
    assert answer.receipt.actions == {"look": 1}
    assert answer.receipt.frames == 2
    assert "the same was done at step 1" in steps(video, "feedback")[1]


def test_steps_that_bring_something_go_on(video: Video) -> None:
    notes = [("note", {"text": f"thing {number}"}) for number in range(7)]
    video.ask(
        "What is it?", policy=Restless([*notes, ("note", {"text": " "})]), budget=Budget(max_steps=None)
    )
    assert video.last_situation is not None
    assert video.last_situation.notes == [f"thing {number}" for number in range(7)]


def test_notes_stay_in_view_when_steps_are_folded(video: Video) -> None:
    notes = [("note", {"text": f"thing {number}"}) for number in range(4)]
    video.ask("What is it?", policy=Restless(notes), budget=Budget(max_steps=4))
    assert video.last_situation is not None
    folded = video.last_situation.context.folded(30)
    assert folded[0].kind == "instruction"
    assert folded[1].kind == "memory"
    assert "thing 0" in folded[1].content


def test_the_budget_ends_a_policy_that_does_not_heed_it(video: Video) -> None:
    notes = [("note", {"text": f"thing {number}"}) for number in range(50)]
    answer = video.ask("What is it?", policy=Restless(notes), budget=Budget(max_steps=3))
    assert answer.status == "budget exhausted"
    assert answer.receipt.steps <= 6


def test_documents_are_found_by_their_words(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text("The lighthouse was built in 1871.\n\nIt is white.")
    (tmp_path / "b.html").write_text("<p>Harbour rules</p><script>lighthouse()</script><p>Boats yield.</p>")
    (tmp_path / "c.bin").write_bytes(b"lighthouse")
    found = open_web(str(tmp_path)).search('when was the "lighthouse" built?', 3)
    assert Path(found[0].place).name == "a.md"
    assert "1871" in found[0].text
    (harbour,) = Documents(tmp_path / "b.html").search("boats", 3)
    assert "lighthouse" not in harbour.text
    assert Documents(tmp_path).search('" * ?', 3) == []
    with pytest.raises(UsageError, match="holds no documents"):
        open_web(str(tmp_path / "none"))


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        asked = self.path
        rows = [{"title": "Light\x1b[2Jhouse", "url": "http://a", "content": "x" * 900}, {"title": "Two"}]
        body = json.dumps({"results": rows} if "format=json" in asked else {}).encode()
        self.send_response(403 if "forbidden" in asked else 200)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        del format, args


@pytest.fixture
def server() -> Iterator[str]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as served:
        threading.Thread(target=served.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{served.server_port}"
        served.shutdown()


def test_a_searxng_server_is_asked(server: str) -> None:
    first, second = SearXNG(server + "/").search("light house & more", 5)
    assert (len(first.text), second.title, second.text) == (500, "Two", "")
    assert "\x1b" not in first.title
    with pytest.raises(UsageError, match="403"):
        SearXNG(server).search("forbidden", 1)
    with pytest.raises(UsageError, match="web search failed"):
        SearXNG("http://127.0.0.1:9").search("x", 1)


def test_web_search_is_off_until_a_place_is_named(video: Video, tmp_path: Path) -> None:
    (tmp_path / "facts.txt").write_text("The lighthouse was built in 1871.")
    asked = [("web_search", {"query": "lighthouse"})]
    video.ask("When was it built?", policy=Restless(asked), budget=Budget(max_steps=1))
    assert "not turned on" in steps(video, "feedback")[0]
    web = open_web(str(tmp_path))
    video.ask("When was it built?", policy=Restless(asked), web=web, budget=Budget(max_steps=1))
    assert "1871" in steps(video, "feedback")[0]


@pytest.fixture
def light(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Install the example plug-in, as far as entry points are concerned."""
    folder = Path(__file__).parents[1] / "examples" / "plugin"
    monkeypatch.syspath_prepend(str(folder))
    declared = {
        "vidence.senses": [EntryPoint("light", "vidence_light:Light", "vidence.senses")],
        "vidence.actions": [EntryPoint("brightest", "vidence_light:brightest", "vidence.actions")],
    }
    monkeypatch.setattr(plugins, "entry_points", lambda group: declared.get(group, []))
    plugins.installed.cache_clear()
    yield
    plugins.installed.cache_clear()
    sys.modules.pop("vidence_light", None)


@pytest.mark.usefixtures("light")
def test_a_plug_in_adds_a_sense_and_an_action(video: Video) -> None:
    assert [sense.name for sense in default_senses()][-1] == "light"
    video.senses = default_senses(["light"])
    video.index()
    asked = [("recall", {}), ("brightest", {"limit": 1})]
    video.ask("When is it brightest?", policy=Restless(asked), budget=Budget(max_steps=2))
    assert "brightness 0." in steps(video, "feedback")[1]
    assert schema("brightest")["parameters"]["properties"] == {"limit": {"type": "integer"}}
    assert "brightest" in Actions(video.last_situation, video.memory, []).run("fly", {}).text  # type: ignore[arg-type]


def test_a_broken_plug_in_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    broken = EntryPoint("gone", "no_such_package:thing", "vidence.senses")
    monkeypatch.setattr(plugins, "entry_points", lambda group: [broken])
    plugins.installed.cache_clear()
    with pytest.raises(UsageError, match="gone of no_such_package:thing cannot be imported"):
        default_senses(["light"])
    plugins.installed.cache_clear()
