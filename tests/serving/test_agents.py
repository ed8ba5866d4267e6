"""The tools of agents, called with the protocol's own client over HTTP and over standard input and output."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("mcp")

import httpx2 as httpx
import jsonschema
from mcp import Client, StdioServerParameters
from mcp.client.streamable_http import streamable_http_client

from serving.conftest import Served, ended, put, running, tokens_file

TOOLS = {"list", "search", "transcript", "look", "ask"}


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory, sign: Path) -> Iterator[Served]:
    with running(tmp_path_factory.mktemp("library"), senses=("shots", "text", "speech")) as one:
        with one.client() as client:
            assert ended(client, put(client, sign)["id"])["state"] == "done"
        yield one


def over_http(served: Served, use: Callable[[Client], Awaitable[Any]], token: str | None = None) -> Any:
    async def main() -> Any:
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        async with (
            httpx.AsyncClient(headers=headers, timeout=600, trust_env=False) as http,
            Client(streamable_http_client(f"{served.address}/mcp", http_client=http)) as client,
        ):
            return await use(client)

    return asyncio.run(main())


def called(served: Served, tool: str, *, token: str | None = None, **how: Any) -> Any:
    return over_http(served, lambda client: client.call_tool(tool, how), token)


def text(result: Any) -> str:
    return "\n".join(part.text for part in result.content if part.type == "text")


def test_the_tools_tell_what_they_take_and_give(served: Served) -> None:
    tools = over_http(served, lambda client: client.list_tools()).tools
    assert {tool.name for tool in tools} == TOOLS
    for tool in tools:
        assert tool.description
        jsonschema.Draft202012Validator.check_schema(tool.input_schema)
        assert tool.annotations.read_only_hint


def test_the_library_is_listed(served: Served) -> None:
    result = called(served, "list")
    (video,) = result.structured_content["videos"]
    assert video["name"] == "the sign.mp4"
    assert video["duration_s"] == pytest.approx(4, abs=0.2)
    assert "the sign.mp4" in text(result)


def test_what_is_written_is_found_and_can_be_looked_at(served: Served) -> None:
    hit = called(served, "search", query="platform 7", limit=3).structured_content["hits"][0]
    assert "PLATFORM" in hit["text"]
    looked = called(
        served, "look", video=hit["media_id"], start_s=hit["start_s"], end_s=hit["end_s"], count=3
    )
    pictures = [part for part in looked.content if part.type == "image"]
    assert len(pictures) == 3
    assert {part.mime_type for part in pictures} == {"image/jpeg"}
    assert "PLATFORM" in text(looked)
    one = called(served, "look", video="the sign", start_s=1)
    assert len([part for part in one.content if part.type == "image"]) == 1
    assert "PLATFORM" not in text(one)


def test_what_is_said_is_read(served: Served) -> None:
    whole = called(served, "transcript", video="the sign")
    assert [line["text"] for line in whole.structured_content["lines"]] == [
        "The train is late.",
        "Mind the gap.",
    ]
    later = called(served, "transcript", video="the sign", start_s=1.8)
    assert "Mind the gap." in text(later)
    assert "late" not in text(later)


def test_an_answer_cites_and_progress_is_told(served: Served) -> None:
    told: list[Any] = []

    async def ask(client: Client) -> Any:
        async def progress(done: float, total: float | None, message: str | None) -> None:
            told.append((done, total, message))

        how = {"video": "the sign.mp4", "question": "What is written on the sign?"}
        return await client.call_tool("ask", how, progress_callback=progress)

    result = over_http(served, ask)
    answer = result.structured_content["answers"][0]
    assert answer["text"] in text(result)
    assert "PLATFORM 7" in answer["text"]
    citations = result.structured_content["citations"]
    assert citations
    for cited in citations:
        assert f"[{cited['number']}] the sign.mp4" in text(result)
    assert told, "an agent that waits is told what goes on"


@pytest.mark.parametrize(
    ("tool", "how", "why"),
    [
        ("ask", {"video": "other.mp4", "question": "Who?"}, "the sign.mp4"),
        ("ask", {"video": "/etc/hostname", "question": "Who?"}, "no video"),
        (
            "ask",
            {"video": "http://127.0.0.1:1/a.mp4", "question": "Who?"},
            "not a public address",
        ),
        ("ask", {"video": "the sign.mp4", "question": " "}, "question"),
        ("look", {"video": "the sign.mp4", "start_s": 99}, "no such stretch"),
        ("look", {"video": "the sign.mp4", "start_s": 5, "end_s": 1}, "no such stretch"),
        ("fly", {}, "fly"),
    ],
)
def test_what_cannot_be_done_is_told_to_the_agent(served: Served, tool: str, how: Any, why: str) -> None:
    result = called(served, tool, **how)
    assert result.is_error
    assert why in text(result)


def test_each_token_has_tools_for_its_own_library(tmp_path: Path, videos: list[Path]) -> None:
    path, tokens = tokens_file(tmp_path, "anna", "bob")
    with running(tmp_path / "libraries", tokens=path) as served:
        with served.client(tokens["anna"]) as anna:
            job = put(anna, videos[0], "mine.mp4")
            ended(anna, job["id"])
        assert "mine.mp4" in text(called(served, "list", token=tokens["anna"]))
        assert "mine.mp4" not in text(called(served, "list", token=tokens["bob"]))
        seen = called(served, "look", token=tokens["bob"], video=job["media_id"], start_s=0)
        assert seen.is_error
        with served.client() as stranger:
            assert stranger.post("/mcp", json={}).status_code == 401


def test_over_standard_input_a_path_will_do(tmp_path: Path, videos: list[Path]) -> None:
    command = ["-m", "vidence", "mcp", "--library", str(tmp_path / "library"), "--senses", "shots"]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    server = StdioServerParameters(command=sys.executable, args=command, env=environment)

    async def main() -> tuple[Any, Any, Any]:
        async with Client(server, read_timeout_seconds=600) as client:
            before = await client.call_tool("list", {})
            how = {"video": str(videos[2]), "question": "How many shots are there?"}
            return before, await client.call_tool("ask", how), await client.call_tool("list", {})

    before, asked, after = asyncio.run(main())
    assert text(before) == "The library is empty."
    assert not asked.is_error, text(asked)
    assert asked.structured_content["answers"][0]["question"] == "How many shots are there?"
    assert videos[2].name in text(after)
