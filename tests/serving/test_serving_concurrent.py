"""Many clients at once, by the official client: each hears its own answer, and one that goes is noticed."""

from __future__ import annotations

import asyncio
import base64
import time
from collections.abc import Iterator
from typing import Any

import cv2
import numpy as np
import pytest

pytest.importorskip("fastapi")
pytest.importorskip("llguidance")
pytest.importorskip("openai")
pytest.importorskip("torch")
pytest.importorskip("uvicorn")

import openai

from model_server import model_served, write_model
from vidence.serving.engine import Engine, Limits

LIMITS = Limits(running=6, waiting=10, stretch_tokens=16)
Served = tuple[str, Engine]


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with model_served(write_model(tmp_path_factory.mktemp("model")), LIMITS) as served:
        yield served


def video(grey: int) -> dict[str, Any]:
    frames = []
    for number in range(4):
        _, data = cv2.imencode(".jpg", np.full((32, 32, 3), grey + 20 * number, np.uint8))
        frames.append(base64.b64encode(data.tobytes()).decode())
    return {"type": "video_url", "video_url": {"url": f"data:video/jpeg;base64,{','.join(frames)}"}}


def asked(text: str, *seen: dict[str, Any]) -> dict[str, Any]:
    message = {"role": "user", "content": [*seen, {"type": "text", "text": text}]}
    return {"model": "toy", "messages": [message], "max_tokens": 12, "temperature": 0}


REQUESTS = [
    asked(f"{word} {verb}?", *seen)
    for word, verb, seen in zip(
        ["What", "Who", "Where", "Which", "What", "Who", "How", "When"],
        ["moves", "grows", "sits", "turns", "falls", "stands", "is it", "does it end"],
        [[video(10)], [video(10)], [], [video(90)], [video(10)], [], [video(90)], [video(10)]],
        strict=True,
    )
]


def test_streams_side_by_side_say_what_is_said_alone(served: Served) -> None:
    address, _ = served

    async def streamed(client: openai.AsyncOpenAI, request: dict[str, Any]) -> tuple[str, Any]:
        stream = await client.chat.completions.create(
            **request, stream=True, stream_options={"include_usage": True}
        )
        pieces = [piece async for piece in stream]
        text = "".join(choice.delta.content or "" for piece in pieces for choice in piece.choices)
        assert pieces[-2].choices[0].finish_reason in ("stop", "length")
        return text, pieces[-1].usage

    async def together() -> list[tuple[str, Any]]:
        async with openai.AsyncOpenAI(base_url=address, api_key="none", max_retries=0) as client:
            return await asyncio.gather(*(streamed(client, request) for request in REQUESTS))

    found = asyncio.run(together())
    with openai.OpenAI(base_url=address, api_key="none", max_retries=0) as client:
        for request, (text, usage) in zip(REQUESTS, found, strict=True):
            alone = client.chat.completions.create(**request)
            assert alone.choices[0].message.content == text
            assert alone.usage is not None
            assert alone.usage.prompt_tokens == usage.prompt_tokens
            assert alone.usage.completion_tokens == usage.completion_tokens
    filmed = [usage.prompt_tokens_details.cached_tokens for _, usage in found[:1] + found[4:5] + found[7:]]
    assert sum(cached > 20 for cached in filmed) >= 2  # of three that ask of one video, one reads it


def _idle(engine: Engine) -> None:
    """Wait until nothing is under way: in vain, if who went away is answered on."""
    while (counts := engine.counts()).running or counts.waiting:
        time.sleep(0.01)


@pytest.mark.parametrize("stream", [True, False], ids=["streamed", "whole"])
def test_who_goes_away_is_answered_no_longer(served: Served, stream: bool) -> None:
    address, engine = served
    endless = asked("Tell") | {"max_tokens": 10**6, "temperature": 2.0, "seed": 1, "stream": stream}
    endless |= {"response_format": {"type": "json_schema", "json_schema": {"name": "x", "schema": ENDLESS}}}
    before = engine.counts().said_tokens

    async def impatient() -> None:
        async with openai.AsyncOpenAI(base_url=address, api_key="none", max_retries=0) as client:
            task = asyncio.ensure_future(client.chat.completions.create(**endless))
            while engine.counts().said_tokens < before + 5:
                await asyncio.sleep(0.01)
            if stream:
                await (await task).close()
            task.cancel()

    asyncio.run(impatient())
    _idle(engine)
    assert engine.counts().said_tokens < before + 10**6


ENDLESS = {"type": "array", "items": {"type": "integer"}, "minItems": 10**6}


def test_too_many_at_once_are_told_to_come_later(served: Served) -> None:
    address, engine = served
    places = LIMITS.running + LIMITS.waiting
    with engine._scheduler._came:  # nobody is served meanwhile
        for _ in range(places):
            engine._scheduler.take_place()
    with openai.OpenAI(base_url=address, api_key="none", max_retries=0) as client:
        with pytest.raises(openai.RateLimitError, match="no more may; try again later") as raised:
            client.chat.completions.create(**REQUESTS[0])
        assert raised.value.type == "rate_limit_error"
        for _ in range(places):
            engine._scheduler.give_place()
        assert client.chat.completions.create(**REQUESTS[0]).choices[0].message.content
