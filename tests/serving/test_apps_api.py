"""Applications over the API: queued as other jobs are, done by real workers, their reports one library's own."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest

from app_cases import check_schema
from chat_server import serving
from conftest import sign_then_wall, write_video
from serving.browsing import browser
from serving.conftest import Program, Served, ended, put, running, tokens_file
from serving.test_kills import in_the_middle, workers
from vidence.apps import TITLES
from vidence.serving.site import Model

SENSES = ("shots", "text", "speech", "objects", "motion")
NAME = "<script>alert(1)</script> sign.mp4"
POLICY = """
policy: doors
title: Doors
rules:
  - id: way-out
    label: language/profanity/mild
    title: A way out
    severity: medium
    senses: [text, speech]
    words: {en: [exit]}
"""


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four seconds: a sign, then a wall, with two lines of subtitles."""
    cues = [(0.2, 1.8, "A queue is a list that is served in order."), (2.2, 3.8, "A queue has a front.")]
    path = tmp_path_factory.mktemp("clip") / "clip.mp4"
    return write_video(path, frames=100, fps=25, size=(320, 240), paint=sign_then_wall, cues=cues)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A library whose videos are looked at with the senses that these tests need."""
    with running(tmp_path_factory.mktemp("library"), senses=SENSES) as one:
        yield one


@pytest.fixture(scope="module")
def at(served: Served, clip: Path) -> str:
    """The clip, sent and indexed."""
    with served.client() as client:
        job = ended(client, put(client, clip, NAME)["id"])
        assert job["state"] == "done", job
        return f"/api/media/{job['media_id']}"


def done(client: httpx.Client, at: str, app: str, **options: Any) -> dict[str, Any]:
    """Have an application look at the clip, and return its report."""
    answer = client.post(f"{at}/apps/{app}", json={"options": options})
    assert answer.status_code == 202, answer.text
    assert answer.json()["kind"] == app
    job = ended(client, answer.json()["id"])
    assert job["state"] == "done", job
    report = client.get(f"{at}/reports/{app}").json()
    check_schema(report, app)
    return report


def test_what_a_policy_objects_to_is_found_with_its_evidence(client: httpx.Client, at: str) -> None:
    report = done(client, at, "moderate", policy=POLICY)
    assert report["file"] == "script> sign.mp4"
    (found,) = (one for one in report["findings"] if one["kind"] == "way-out")
    assert (found["start_s"], found["end_s"]) == (0.0, 2.0)
    assert found["verdict"]["verdict"] == "supported"
    assert "EXIT 25" in found["evidence"][0]["quote"]
    (told,) = client.get(f"{at}/reports").json()["reports"]
    assert (told["app"], told["title"], told["findings"]) == ("moderate", "Moderation", 1)
    assert "way out" in told["summary"]


def test_a_lecture_is_studied(client: httpx.Client, at: str) -> None:
    report = done(client, at, "study", language="en")
    assert any("queue" in point["name"].casefold() for point in report["points"])
    assert report["chapters"]


@pytest.mark.parametrize(
    ("app", "options"),
    [
        (
            "watch",
            {"scene": {"zones": [{"name": "door", "points": [[0, 0], [1, 0], [0, 1]]}]}, "blur_faces": True},
        ),
        ("catalogue", {"time_limit_s": 300, "max_frames": 40}),
    ],
)
def test_the_others_are_done_too(client: httpx.Client, at: str, app: str, options: dict[str, Any]) -> None:
    report = done(client, at, app, **options)
    assert report["application"] == app
    assert app in {one["app"] for one in client.get(f"{at}/reports").json()["reports"]}
    if app == "watch":
        assert "door" in report["zones"]
    lacking = "faces" if app == "watch" else "looks"  # a sense that this server was started without
    assert any(line.startswith(f"{lacking} perceived 0%") for line in report["limits"])


def test_the_page_has_an_origin_of_its_own_and_runs_its_script_alone(client: httpx.Client, at: str) -> None:
    done(client, at, "moderate", policy=POLICY)
    answer = client.get(f"{at}/reports/moderate", params={"format": "html"})
    policy = answer.headers["content-security-policy"]
    assert answer.headers["content-type"].startswith("text/html")
    assert policy.startswith("sandbox allow-scripts allow-downloads; default-src 'none';")
    assert "allow-same-origin" not in policy
    for tag, directive in (("script", "script-src"), ("style", "style-src-elem")):
        (text,) = re.findall(rf"<{tag}>(.*?)</{tag}>", answer.text, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert f"{directive} 'sha256-{digest}'" in policy
    assert "<script>alert" not in answer.text
    assert "EXIT 25" in answer.text
    shown = client.get(f"{at}/reports/moderate", params={"format": "json"})
    assert "sandbox" not in shown.headers["content-security-policy"]
    assert "attachment" in shown.headers["content-disposition"]


def test_a_browser_shows_the_page_and_keeps_it_from_the_library(
    client: httpx.Client, at: str, served: Served
) -> None:
    done(client, at, "moderate", policy=POLICY)
    with browser() as started:
        page = started.new_page()
        complaints: list[str] = []
        page.on("console", lambda message: complaints.append(message.text))
        page.goto(f"{served.address}{at}/reports/moderate?format=html")
        assert page.locator(".card").count() == 1
        assert page.evaluate("getComputedStyle(document.querySelector('.card')).display") != "inline"
        assert page.evaluate("self.origin") == "null"
        page.keyboard.press("j")
        assert page.evaluate("document.activeElement.classList.contains('card')")
        assert complaints == []
        asked = page.evaluate("fetch('/api/media').then(() => 'reached', () => 'refused')")
        assert asked == "refused"


@pytest.mark.parametrize(
    ("app", "options", "says"),
    [
        ("moderate", {"policy": "/etc/passwd"}, "there is no '/etc/passwd'"),
        ("moderate", {"policy": "policy: mine\nrules: []"}, "there are none"),
        ("moderate", {"policy": "a: [b"}, "no YAML"),
        ("moderate", {"scene": {}}, "scene"),
        (
            "watch",
            {"scene": {"zones": [{"name": "door", "points": [[0, 0], [2, 0], [0, 1]]}]}},
            "from 0 to 1",
        ),
        ("watch", {"scene": "gate.yaml"}, "scene"),
        ("watch", {"starts": "9999-12-31T23:59:59"}, "too late"),
        ("catalogue", {"vocabulary": "words: 1"}, "facets"),
        ("study", {"language": "klingon"}, "klingon"),
        ("study", {"checker": "oracle"}, "oracle"),
        ("study", {"time_limit_s": -1}, "time_limit_s"),
    ],
)
def test_wrong_options_are_told_before_anything_is_done(
    client: httpx.Client, at: str, app: str, options: dict[str, Any], says: str
) -> None:
    before = client.get("/api/jobs").json()["jobs"]
    answer = client.post(f"{at}/apps/{app}", json={"options": options})
    assert answer.status_code == 400, answer.text
    assert says in answer.json()["error"]["message"]
    assert client.get("/api/jobs").json()["jobs"] == before


def test_what_is_not_there_is_404(client: httpx.Client, at: str) -> None:
    other = f"/api/media/{'0' * 64}"
    for answer in (
        client.post(f"{at}/apps/dream"), client.post(f"{other}/apps/study"), client.get(f"{other}/reports"),
        client.get(f"{at}/reports/dream"), client.get(f"{other}/reports/study"), client.delete(f"{at}/reports/dream"),
    ):  # fmt: skip
        assert answer.status_code == 404, answer.text
        assert answer.json()["error"]["type"] == "not_found_error"
    told = client.get("/api/me").json()["apps"]
    assert {one["name"]: one["title"] for one in told} == TITLES


def test_a_report_is_removed_alone_and_forgotten_with_its_medium(clip: Path, tmp_path: Path) -> None:
    with running(tmp_path, senses=("text",)) as served, served.client() as client:
        at = f"/api/media/{ended(client, put(client, clip)['id'])['media_id']}"
        for app in ("moderate", "catalogue"):
            done(client, at, app)
        assert client.delete(f"{at}/reports/moderate").status_code == 204
        assert client.get(f"{at}/reports/moderate").status_code == 404
        assert [one["app"] for one in client.get(f"{at}/reports").json()["reports"]] == ["catalogue"]
        assert client.delete(at).status_code == 204
        assert not list((tmp_path / "made").iterdir())
        assert client.get(f"{at}/reports").status_code == 404


def test_a_model_of_the_server_checks_where_it_is_named(clip: Path, tmp_path: Path) -> None:
    pytest.importorskip("openai")

    def judge(request: dict[str, Any]) -> str:
        told = str(request)
        held = "is written there" in told if "EXIT 4" in told else "Perceived by text" in told
        return json.dumps(
            {"verdict": "supported" if held else "unsupported", "score": 0.83, "why": "I read it"}
        )

    with (
        serving(judge) as model,
        running(tmp_path, models=[Model("reader", model.address, "k")], senses=("text",)) as served,
        served.client() as client,
    ):
        at = f"/api/media/{ended(client, put(client, clip)['id'])['media_id']}"
        report = done(client, at, "moderate", policy=POLICY, checker="reader")
        (found,) = report["findings"]
        assert "reader: I read it" in found["verdict"]["checked_by"]
        assert "key" not in json.dumps(client.get("/api/jobs").json())
        assert {one["key"] for one in model.requests} == {"Bearer k"}


def test_nobody_else_sees_a_report(clip: Path, tmp_path: Path) -> None:
    file, tokens = tokens_file(tmp_path, "anna", "bert")
    with running(tmp_path, tokens=file, senses=("text",)) as served:
        with served.client(tokens["anna"]) as anna, served.client(tokens["bert"]) as bert:
            id = ended(anna, put(anna, clip)["id"])["media_id"]
            at = f"/api/media/{id}"
            done(anna, at, "moderate", policy=POLICY)
            put(bert, clip)  # even of the same video
            for path in (f"{at}/reports/moderate", f"{at}/reports/moderate?format=html"):
                assert anna.get(path).status_code == 200
                assert bert.get(path).status_code == 404
            assert bert.get(f"{at}/reports").json() == {"reports": []}
            assert bert.delete(f"{at}/reports/moderate").status_code == 404
        with served.client() as stranger:
            assert stranger.get(f"{at}/reports/moderate").status_code == 401
            assert stranger.post(f"{at}/apps/study").status_code == 401


def test_one_is_cancelled_and_another_outlives_its_worker(
    program: Callable[..., Program], long_video: Path, tmp_path: Path
) -> None:
    server = program(tmp_path, "--senses", "shots")
    client = server.client
    at = f"/api/media/{put(client, long_video)['media_id']}"
    job = in_the_middle(client, client.post(f"{at}/apps/catalogue").json()["id"])
    assert client.delete(f"/api/jobs/{job['id']}").json()["state"] == "cancelled"
    assert client.get(f"{at}/reports").json() == {"reports": []}
    job = in_the_middle(client, client.post(f"{at}/apps/catalogue").json()["id"])
    (worker,) = workers(server.process.pid, "index")
    os.kill(worker, signal.SIGKILL)
    job = ended(client, job["id"])
    assert (job["state"], job["attempts"]) == ("done", 2)
    check_schema(json.loads(client.get(f"{at}/reports/catalogue").text), "catalogue")
