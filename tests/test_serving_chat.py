"""A model behind the OpenAI-compatible API: the official client talks with it, and the chat policy asks through it."""

from __future__ import annotations

import base64
import json
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

pytest.importorskip("fastapi")
pytest.importorskip("llguidance")
pytest.importorskip("openai")
pytest.importorskip("torch")
pytest.importorskip("uvicorn")

import jsonschema
import openai

from conftest import write_video
from model_server import model_served, write_model
from vidence.errors import EndpointError
from vidence.mcr.budget import Budget
from vidence.policies import open_policy
from vidence.policies.chat.forms import Final, Judgement
from vidence.senses import default_senses
from vidence.video import open as open_video

BOMB = base64.b64encode(b"\x89PNG\r\n\x1a\n" + struct.pack(">I4sII", 13, b"IHDR", 100_000, 100_000)).decode()
HELLO = {"role": "user", "content": "What moves upwards?"}


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with model_served(write_model(tmp_path_factory.mktemp("model"))) as (address, _):
        yield address


@pytest.fixture
def client(address: str) -> openai.OpenAI:
    return openai.OpenAI(base_url=address, api_key="none", max_retries=0)


def said(client: openai.OpenAI, messages: list[Any], **how: Any) -> Any:
    how = {"model": "toy", "max_tokens": 12, "temperature": 0} | how
    return client.chat.completions.create(messages=messages, **how)


def test_the_model_is_listed(client: openai.OpenAI) -> None:
    assert [one.id for one in client.models.list()] == ["toy"]


def test_what_is_streamed_is_what_is_said_at_once(client: openai.OpenAI) -> None:
    whole = said(client, [HELLO])
    pieces = list(said(client, [HELLO], stream=True, stream_options={"include_usage": True}))
    assert (
        "".join(c.delta.content or "" for one in pieces for c in one.choices)
        == whole.choices[0].message.content
    )
    assert pieces[-1].usage.total_tokens == whole.usage.total_tokens
    assert pieces[-2].choices[0].finish_reason == whole.choices[0].finish_reason
    assert whole.usage.completion_tokens <= 12


def test_a_chat_that_goes_on_reads_only_what_is_new(client: openai.OpenAI) -> None:
    first = said(client, [HELLO])
    answer = {"role": "assistant", "content": first.choices[0].message.content}
    second = said(client, [HELLO, answer, {"role": "user", "content": "And what sits down?"}])
    assert second.usage.prompt_tokens_details.cached_tokens >= first.usage.prompt_tokens
    other = said(client, [{"role": "system", "content": "Be brief."}, HELLO])
    assert other.usage.prompt_tokens_details.cached_tokens < 3  # how a message opens


def test_answers_are_drawn_anew_and_the_same_from_the_same_seed(client: openai.OpenAI) -> None:
    def drawn(seed: int) -> str:
        return said(client, [HELLO], temperature=1.5, seed=seed).choices[0].message.content

    assert drawn(1) == drawn(1)
    assert len({drawn(seed) for seed in range(4)}) > 1


@pytest.mark.parametrize("form", [Judgement, Final])
def test_a_model_that_knows_nothing_keeps_to_a_schema(client: openai.OpenAI, form: Any) -> None:
    schema = form.model_json_schema()
    wanted = {"type": "json_schema", "json_schema": {"name": "form", "schema": schema}}
    reply = said(client, [HELLO], response_format=wanted, max_tokens=1500)
    text = reply.choices[0].message.content
    if reply.choices[0].finish_reason == "stop":
        jsonschema.validate(json.loads(text), schema)
    else:
        assert text.lstrip().startswith("{")


def _jpeg(grey: int) -> str:
    _, data = cv2.imencode(".jpg", np.full((64, 96, 3), grey, np.uint8))
    return base64.b64encode(data.tobytes()).decode()


def test_pictures_and_videos_are_seen(client: openai.OpenAI, tmp_path: Path) -> None:
    def parts(kind: str, url: str) -> list[Any]:
        return [
            {
                "role": "user",
                "content": [{"type": kind, kind: {"url": url}}, {"type": "text", "text": "What?"}],
            }
        ]

    bare = said(client, [{"role": "user", "content": "What?"}]).usage.prompt_tokens
    image = said(client, parts("image_url", f"data:image/jpeg;base64,{_jpeg(9)}")).usage.prompt_tokens
    frames = f"data:video/jpeg;base64,{_jpeg(9)},{_jpeg(90)},{_jpeg(200)},{_jpeg(30)}"
    shown = said(client, parts("video_url", frames)).usage.prompt_tokens
    path = write_video(
        tmp_path / "v.mp4", size=(96, 64), fps=10, frames=20,
        paint=lambda number: np.full((64, 96, 3), 10 * number, np.uint8),
    )  # fmt: skip
    whole = f"data:video/mp4;base64,{base64.b64encode(path.read_bytes()).decode()}"
    filed = said(client, parts("video_url", whole)).usage.prompt_tokens
    assert bare < image
    assert bare < shown
    assert bare < filed


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"model": "other"}, "there is no model 'other'"),
        ({"messages": []}, "messages"),
        ({"tools": [{"type": "function", "function": {"name": "look"}}]}, "tools are not supported"),
        (
            {"response_format": {"type": "json_schema", "json_schema": {"name": "x", "schema": {"type": 3}}}},
            "schema",
        ),
        ({"messages": [{"role": "user", "content": [{"type": "audio"}]}]}, "cannot be read"),
        (
            {
                "messages": [
                    {"role": "user", "content": [{"type": "image_url", "image_url": {"url": "http://x/y"}}]}
                ]
            },
            "only data URLs",
        ),
        (
            {
                "messages": [
                    {
                        "role": "user",
                        "content": [{"type": "image_url", "image_url": {"url": "data:;base64,AAAA"}}],
                    }
                ]
            },
            "cannot be decoded",
        ),
        (
            {
                "messages": [
                    {
                        "role": "user",
                        "content": [
                            {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{BOMB}"}}
                        ],
                    }
                ]
            },
            "100000 x 100000 pixels",
        ),
    ],
)
def test_a_bad_request_is_refused_and_says_why(
    client: openai.OpenAI, changes: dict[str, Any], fault: str
) -> None:
    with pytest.raises(openai.APIStatusError, match=fault) as raised:
        said(client, **({"messages": [HELLO]} | changes))
    assert raised.value.status_code in (400, 404)


def test_the_chat_policy_asks_through_it(address: str, tmp_path: Path) -> None:
    film = write_video(
        tmp_path / "film.mp4", size=(160, 120), fps=10, frames=30,
        paint=lambda number: np.full((120, 160, 3), 60 + number, np.uint8),
        cues=((0.5, 2.5, "The train leaves from platform nine."),),
    )  # fmt: skip
    policy: Any = open_policy("chat", "toy", api_base=address)
    with open_video(film, memory=tmp_path / "memory.sqlite") as video:
        video.senses = default_senses(["speech", "colour"])
        with pytest.raises(EndpointError, match="twice") as raised:
            video.ask("Which platform is it?", policy=policy, budget=Budget(max_steps=3))
    assert raised.value.exit_code == 6
    assert {"tools"} <= policy.planner.lacks
