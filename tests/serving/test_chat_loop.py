"""The loop behind the chat API, asked with OpenAI's own client: videos by id, name, address and as data."""

from __future__ import annotations

import base64
import functools
import http.server
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("openai")

import openai

from serving.conftest import Served, ended, put, running, tokens_file

QUESTION = "What is written on the sign?"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    root = tmp_path_factory.mktemp("library")
    with running(root, fetch_from=("127.0.0.0/8",), senses=("shots", "text")) as one:
        yield one


@pytest.fixture(scope="module")
def medium(served: Served, sign: Path) -> str:
    with served.client() as client:
        job = put(client, sign)
        assert ended(client, job["id"])["state"] == "done"
    return job["media_id"]


@pytest.fixture
def client(served: Served) -> openai.OpenAI:
    return openai.OpenAI(base_url=f"{served.address}/v1", api_key="none", max_retries=0)


def asked(client: openai.OpenAI, url: str, question: str = QUESTION, **how: Any) -> Any:
    parts: Any = [{"type": "video_url", "video_url": {"url": url}}, {"type": "text", "text": question}]
    return client.chat.completions.create(
        model="vidence", messages=[{"role": "user", "content": parts}], **how
    )


def test_it_is_listed(client: openai.OpenAI) -> None:
    assert [one.id for one in client.models.list()] == ["vidence"]
    assert client.models.retrieve("vidence").id == "vidence"
    with pytest.raises(openai.NotFoundError):
        client.models.retrieve("other")


def test_the_answer_cites_where_it_was_seen(client: openai.OpenAI, medium: str) -> None:
    message: Any = asked(client, medium).choices[0].message
    assert "PLATFORM 7" in message.content
    cited = message.citations[0]
    assert 1.5 < cited["start_s"] < 2.6
    assert "PLATFORM" in cited["quote"]
    assert cited["media_id"] == medium
    assert cited["name"] == "the sign.mp4"
    assert cited["verdict"] == "supported"
    assert f"[{cited['number']}] the sign.mp4" in message.content
    assert message.answers[0]["media_id"] == medium
    assert message.answers[0]["text"] in message.content


def test_a_name_or_the_beginning_of_an_id_will_do(client: openai.OpenAI, medium: str) -> None:
    by_id = asked(client, medium).choices[0].message.content
    for called in ("the sign.mp4", "The Sign", medium[:8]):
        assert asked(client, called).choices[0].message.content == by_id


def test_streaming_tells_the_steps_then_the_answer_then_the_citations(
    client: openai.OpenAI, medium: str
) -> None:
    whole = asked(client, medium).choices[0].message
    pieces = list(asked(client, medium, stream=True, stream_options={"include_usage": True}))
    deltas: list[Any] = [choice.delta for piece in pieces for choice in piece.choices]
    assert any(getattr(delta, "reasoning_content", None) for delta in deltas)
    assert "".join(delta.content or "" for delta in deltas) == whole.content
    last = next(one for one in pieces if one.choices and one.choices[0].finish_reason)
    told = [{key: one[key] for key in one if key != "page"} for one in last.choices[0].delta.citations]
    assert told == [{key: one[key] for key in one if key != "page"} for one in whole.citations]
    assert pieces[-1].usage is not None


def test_choices_are_chosen_from(client: openai.OpenAI, medium: str) -> None:
    more = {"vidence": {"choices": ["platform 7", "platform 9"], "budget": {"max_frames": 50}}}
    message: Any = asked(client, medium, extra_body=more).choices[0].message
    assert message.answers[0]["choice"]["index"] == 0


def test_a_video_comes_as_data(client: openai.OpenAI, medium: str, sign: Path) -> None:
    data = base64.b64encode(sign.read_bytes()).decode()
    message: Any = asked(client, f"data:video/mp4;base64,{data}").choices[0].message
    assert message.answers[0]["media_id"] == medium  # what it holds says what it is


def test_a_file_is_sent_listed_asked_about_and_deleted(client: openai.OpenAI, videos: list[Path]) -> None:
    with videos[3].open("rb") as file:
        sent = client.files.create(file=file, purpose="user_data")
    assert (sent.filename, sent.bytes) == (videos[3].name, videos[3].stat().st_size)
    assert sent.id in [one.id for one in client.files.list()]
    message: Any = asked(client, sent.id, "How many shots are there?").choices[0].message
    assert message.answers[0]["media_id"] == sent.id
    assert client.files.retrieve(sent.id).status == "processed"
    assert client.files.content(sent.id).read() == videos[3].read_bytes()
    assert client.files.delete(sent.id).deleted
    with pytest.raises(openai.NotFoundError):
        client.files.retrieve(sent.id)


def test_a_file_that_is_no_video_is_refused(client: openai.OpenAI) -> None:
    with pytest.raises(openai.APIStatusError) as fault:
        client.files.create(file=("film.mp4", b"no video " * 1000), purpose="user_data")
    assert fault.value.status_code == 415
    with pytest.raises(openai.BadRequestError, match="empty"):
        client.files.create(file=("film.mp4", b""), purpose="user_data")


def test_a_picture_is_a_video_of_one(client: openai.OpenAI) -> None:
    import cv2
    import numpy as np

    shown = np.full((120, 200, 3), 255, np.uint8)
    cv2.putText(shown, "EXIT", (10, 75), cv2.FONT_HERSHEY_SIMPLEX, 1.5, (0, 0, 0), 3)
    png = base64.b64encode(cv2.imencode(".png", shown)[1].tobytes()).decode()
    parts: Any = [
        {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{png}"}},
        {"type": "text", "text": QUESTION},
    ]
    message: Any = client.chat.completions.create(
        model="vidence", messages=[{"role": "user", "content": parts}]
    )
    assert "EXIT" in message.choices[0].message.content


def test_a_video_is_fetched_once(client: openai.OpenAI, served: Served, videos: list[Path]) -> None:
    got = []

    class Handler(http.server.SimpleHTTPRequestHandler):
        def do_GET(self) -> None:
            got.append(self.path)
            super().do_GET()

        def log_message(self, *_: Any) -> None:
            pass

    folder = str(videos[0].parent)
    with http.server.ThreadingHTTPServer(
        ("127.0.0.1", 0), functools.partial(Handler, directory=folder)
    ) as site:
        threading.Thread(target=site.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{site.server_port}/{videos[0].name}"
        messages = [asked(client, url).choices[0].message for _ in range(2)]
        site.shutdown()
    assert got == [f"/{videos[0].name}"]
    assert messages[0].answers[0]["media_id"] == messages[1].answers[0]["media_id"]


@pytest.mark.parametrize(
    ("url", "question", "status"),
    [
        ("no such video", QUESTION, 404),
        ("http://169.254.169.254/latest", QUESTION, 400),
        ("file:///etc/passwd", QUESTION, 404),
        ("/etc/passwd", QUESTION, 404),
        ("data:video/mp4;base64,AAAA", QUESTION, 415),
        ("data:video/mp4,AAAA", QUESTION, 400),
        ("the sign.mp4", "  ", 400),
        ("", QUESTION, 400),
    ],
)
@pytest.mark.parametrize("stream", [False, True])
def test_what_cannot_be_asked_is_refused(
    client: openai.OpenAI, medium: str, url: str, question: str, status: int, stream: bool
) -> None:
    del medium
    with pytest.raises(openai.APIStatusError) as fault:
        asked(client, url, question, stream=stream)
    assert fault.value.status_code == status


def test_a_chat_without_a_video_is_told_how_to_give_one(client: openai.OpenAI) -> None:
    with pytest.raises(openai.BadRequestError, match="video_url"):
        client.chat.completions.create(model="vidence", messages=[{"role": "user", "content": QUESTION}])


def test_libraries_are_apart(tmp_path: Path, videos: list[Path]) -> None:
    path, tokens = tokens_file(tmp_path, "anna", "bob")
    with running(tmp_path / "libraries", tokens=path) as served:
        with served.client(tokens["anna"]) as anna:
            job = put(anna, videos[1])
            ended(anna, job["id"])
        stranger = openai.OpenAI(base_url=f"{served.address}/v1", api_key=tokens["bob"], max_retries=0)
        for called in (job["media_id"], videos[1].name):
            with pytest.raises(openai.NotFoundError):
                asked(stranger, called)
