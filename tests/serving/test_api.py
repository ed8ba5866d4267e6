"""What a page does: send a video, watch it being indexed, look at it, search it, ask about it, take things along."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import av
import cv2
import httpx2 as httpx
import jsonschema
import numpy as np
import pytest

from conftest import write_video
from serving.conftest import Served, ended, put, until

SCHEMAS = Path(__file__).parents[2] / "src/vidence/schemas"


@pytest.fixture(scope="module")
def medium(served: Served, videos: list[Path]) -> dict[str, Any]:
    """A video that was sent and indexed."""
    with served.client() as client:
        job = ended(client, put(client, videos[0], "../evil/ Talk <b>.mp4")["id"])
        assert job["state"] == "done", job
        return client.get(f"/api/media/{job['media_id']}").json()


@pytest.fixture
def at(medium: dict[str, Any]) -> str:
    return f"/api/media/{medium['id']}"


def events(answer: httpx.Response) -> list[tuple[str, Any]]:
    """Read server-sent events."""
    found = []
    for block in answer.text.split("\n\n"):
        lines = dict(line.split(": ", 1) for line in block.splitlines() if not line.startswith(":"))
        if lines:
            found.append((lines["event"], json.loads(lines["data"])))
    return found


def test_what_was_sent_is_known_by_its_content_and_called_as_it_was(
    client: httpx.Client, medium: dict[str, Any], videos: list[Path], served: Served
) -> None:
    assert medium["name"] == "Talk <b>.mp4"
    assert medium["size_bytes"] == videos[0].stat().st_size
    assert (medium["width"], medium["height"], medium["duration_s"]) == (160, 96, 4.0)
    assert medium["seen"] == {"shots": 1.0}
    assert medium["available"]
    assert medium["job"] is None
    root = served.site.settings.root
    assert root is not None
    assert {path.name for path in root.rglob("*") if path.is_file()} >= {medium["id"]}
    assert not list(root.rglob("*evil*"))
    again = put(client, videos[0], "again.mp4")
    assert again["media_id"] == medium["id"]
    assert ended(client, again["id"])["state"] == "done"
    assert len(client.get("/api/media").json()["media"]) == 1


def test_a_job_is_followed_to_its_end(client: httpx.Client, at: str, medium: dict[str, Any]) -> None:
    job = client.post(f"{at}/index", json={"language": "en"}).json()
    told = events(client.get(f"/api/jobs/{job['id']}/events"))
    assert {name for name, _ in told} == {"job"}
    states = [data["state"] for _, data in told]
    assert states[-1] == "done"
    assert states == sorted(states, key=["queued", "running", "done"].index)
    assert told[-1][1]["progress"]["shots"] == {"done_s": 4.0, "total_s": 4.0}
    assert told[-1][1]["media_id"] == medium["id"]


def test_the_file_comes_whole_or_in_ranges(client: httpx.Client, at: str, videos: list[Path]) -> None:
    whole = videos[0].read_bytes()
    answer = client.get(f"{at}/file")
    assert answer.content == whole
    assert answer.headers["content-type"] == "video/mp4"
    part = client.get(f"{at}/file", headers={"Range": "bytes=10-19"})
    assert (part.status_code, part.content) == (206, whole[10:20])
    assert client.get(f"{at}/file", headers={"Range": f"bytes={len(whole)}-"}).status_code == 416


def test_a_frame_is_the_one_on_screen(client: httpx.Client, at: str, videos: list[Path]) -> None:
    from vidence.media import open_media
    from vidence.timeline import instant

    answer = client.get(f"{at}/frame", params={"at": 1.3, "height": 96})
    assert answer.headers["content-type"] == "image/jpeg"
    picture = cv2.imdecode(np.frombuffer(answer.content, np.uint8), cv2.IMREAD_COLOR)
    assert picture is not None
    with open_media(videos[0]) as media:
        (frame,) = media.frames_at([instant(1.3)])
    assert picture.shape == frame.image.shape
    assert np.abs(picture[:, :, ::-1].astype(int) - frame.image).mean() < 6
    assert float(answer.headers["vidence-time"]) == pytest.approx(float(frame.time))


def test_thumbnails_lie_where_their_track_says(client: httpx.Client, at: str) -> None:
    track = client.get(f"{at}/thumbnails.vtt").text
    places = [line.split("#xywh=")[1].split(",") for line in track.splitlines() if "#xywh=" in line]
    sheet = cv2.imdecode(
        np.frombuffer(client.get(f"{at}/thumbnails.jpg").content, np.uint8), cv2.IMREAD_COLOR
    )
    assert sheet is not None
    assert len(places) == 4
    for x, y, w, h in (map(int, place) for place in places):
        assert 0 <= x <= x + w <= sheet.shape[1]
        assert 0 <= y <= y + h <= sheet.shape[0]
        assert sheet[y : y + h, x : x + w].std() > 1


def test_the_timeline_has_lanes_and_says_what_was_not_seen(
    client: httpx.Client, at: str, served: Served
) -> None:
    known = client.get(f"{at}/timeline").json()
    assert (known["start_s"], known["end_s"]) == (0.0, 4.0)
    assert [mark["end"] for mark in known["lanes"]["shots"]][-1] == 4.0
    assert known["coverage"]["shots"] == [{"start": 0.0, "end": 4.0, "rate_hz": None}]
    assert "speech" not in known["coverage"]
    assert known["scenes"][0]["start"] == 0.0


def test_observations_come_in_full_and_in_pages(client: httpx.Client, at: str) -> None:
    found = client.get(f"{at}/observations", params={"senses": "shots"}).json()
    schema = json.loads((SCHEMAS / "observations.json").read_text())
    jsonschema.validate({"observations": found["observations"]}, schema)
    assert found["total"] == len(found["observations"]) >= 1
    none = client.get(f"{at}/observations", params={"offset": found["total"]}).json()
    assert none == {"observations": [], "total": found["total"]}
    assert client.get(f"{at}/observations", params={"start": 3, "end": 1}).status_code == 400


@pytest.mark.parametrize("format", ["srt", "vtt", "json", "txt", "csv", "html"])
def test_every_export_is_a_file_with_a_name(client: httpx.Client, at: str, format: str) -> None:
    answer = client.get(f"{at}/export", params={"format": format, "senses": "shots"})
    assert answer.status_code == 200
    assert answer.headers["content-disposition"] == f"attachment; filename*=UTF-8''Talk%20%3Cb%3E.{format}"
    if format == "html":
        assert "Talk &lt;b&gt;" in answer.text
        assert "<b>" not in answer.text


def test_search_finds_moments_of_all_videos(
    client: httpx.Client, medium: dict[str, Any], served: Served
) -> None:
    found = client.get("/api/search", params={"q": "shot"}).json()
    assert found["hits"][0]["media_id"] == medium["id"]
    assert found["hits"][0]["sense"] == "shots"
    assert found["hits"][0]["why"]
    assert not client.get("/api/search", params={"q": "shot", "media": "0" * 64}).json()["hits"]


def test_an_answer_comes_step_by_step_and_is_kept(
    client: httpx.Client, medium: dict[str, Any], served: Served
) -> None:
    question = {"media": [medium["id"]], "question": "How many shots are there?"}
    told = events(client.post("/api/ask", json=question, headers={"Accept": "text/event-stream"}))
    kinds = [name for name, _ in told]
    assert kinds[0] == "run"
    assert kinds[-2:] == ["answer", "end"]
    steps = [data for name, data in told if name == "step"]
    assert [step["index"] for step in steps] == list(range(len(steps)))
    answer = told[-2][1]
    assert answer["media_id"] == medium["id"]
    schema = json.loads((SCHEMAS / "ask.json").read_text())
    whole = {"file": "a.mp4"} | {key: value for key, value in answer.items() if key != "media_id"}
    jsonschema.validate(whole, schema)
    run = client.get(f"/api/runs/{answer['run']}").json()
    assert [step["kind"] for step in run["steps"]] == [step["kind"] for step in steps]
    assert "path" not in json.dumps(run)
    for format in ("html", "json", "jsonl"):
        page = client.get(f"/api/runs/{run['id']}/export", params={"format": format})
        assert page.status_code == 200
        assert str(served.site.settings.root) not in page.text
    assert client.delete(f"/api/runs/{run['id']}").status_code == 204
    assert client.get(f"/api/runs/{run['id']}").status_code == 404


def test_the_same_answer_comes_at_once(client: httpx.Client, medium: dict[str, Any]) -> None:
    question = {
        "media": [medium["id"]],
        "question": "How many shots are there?",
        "choices": ["1", "7"],
        "budget": {"max_steps": 4},
    }
    (answer,) = client.post("/api/ask", json=question).json()["answers"]
    assert answer["receipt"]["steps"] <= 4
    assert answer["choice"] is None or answer["choice"]["text"] in ("1", "7")
    listed = client.get("/api/runs", params={"media": medium["id"]}).json()["runs"]
    assert listed[0]["id"] == answer["run"]


def test_a_question_waits_for_what_is_not_yet_known(client: httpx.Client, videos: list[Path]) -> None:
    job = put(client, videos[1])
    client.delete(f"/api/jobs/{job['id']}")
    question = {"media": [job["media_id"]], "question": "How many shots are there?"}
    told = events(client.post("/api/ask", json=question, headers={"Accept": "text/event-stream"}))
    kinds = [name for name, _ in told]
    assert kinds.index("progress") < kinds.index("run") < kinds.index("answer")
    assert client.get(f"/api/media/{job['media_id']}").json()["seen"] == {"shots": 1.0}


def test_a_video_is_renamed_and_removed_with_its_file(
    client: httpx.Client, videos: list[Path], served: Served
) -> None:
    job = put(client, videos[2])
    at = f"/api/media/{job['media_id']}"
    ended(client, job["id"])
    assert client.patch(at, json={"name": "dir/second\x1b[31m"}).json()["name"] == "second[31m"
    assert client.delete(at).status_code == 204
    assert client.get(at).status_code == 404
    root = served.site.settings.root
    assert root is not None
    assert not [path for path in root.rglob("*") if job["media_id"] in path.name]


def test_a_copy_is_made_of_what_browsers_cannot_play(
    client: httpx.Client, medium: dict[str, Any], at: str, tmp_path: Path
) -> None:
    assert client.get(f"{at}/preview").content == client.get(f"{at}/file").content
    strange = write_video(
        tmp_path / "strange.mkv", codec="ffv1", size=(90, 62), frames=20, fps=10, start=3, tone_hz=440,
        sound_codec="pcm_s16le", rotation=90,
    )  # fmt: skip
    job = ended(client, put(client, strange)["id"])
    there = f"/api/media/{job['media_id']}"
    answer = until(lambda: client.get(f"{there}/preview"), lambda now: now.status_code != 202)
    assert answer.status_code == 200, answer.text
    with av.open(io.BytesIO(answer.content)) as copy:
        assert (copy.streams.video[0].codec.canonical_name, copy.streams.audio[0].codec.name) == (
            "h264",
            "aac",
        )
        frames = list(copy.decode(video=0))
    assert (frames[0].width, frames[0].height) == (62, 90)
    times = [float(frame.time) for frame in frames]
    assert times == pytest.approx([number / 10 for number in range(20)], abs=0.002)


def test_a_video_whose_file_has_gone_says_so(
    client: httpx.Client, videos: list[Path], served: Served
) -> None:
    job = ended(client, put(client, videos[3])["id"])
    root = served.site.settings.root
    assert root is not None
    (root / "media" / job["media_id"]).unlink()
    at = f"/api/media/{job['media_id']}"
    assert client.get(at).json()["available"] is False
    assert client.get(f"{at}/timeline").status_code == 200
    for path in ("file", "preview", "frame?at=0", "export?format=html"):
        assert client.get(f"{at}/{path}").status_code == 410, path
    question = {"media": [job["media_id"]], "question": "How many?"}
    assert client.post("/api/ask", json=question).status_code == 410


def test_who_asks_and_what_there_is(client: httpx.Client) -> None:
    me = client.get("/api/me").json()
    assert me["name"] == "local"
    assert me["senses"] == ["shots"]
    assert set(me["formats"]) == {"srt", "vtt", "json", "txt", "csv", "html"}
    assert me["policies"] == [{"name": "rules", "label": "Rules"}]
    assert me["limits"]["upload_bytes"] > 0
    assert me["tokens"] is False


def test_health_and_metrics_tell_how_it_goes(client: httpx.Client, at: str) -> None:
    assert client.get("/health").json()["status"] == "ok"
    client.get("/nowhere-at-all")
    client.get("/api/nowhere-at-all")
    client.request("STRANGE", "/api/me")
    text = client.get("/metrics").text
    assert 'vidence_jobs_ended_total{kind="index",state="done"}' in text
    assert 'route="/api/media/{id}/file"' in text
    assert at not in text
    assert "Talk" not in text
    assert "nowhere" not in text
    assert "STRANGE" not in text
