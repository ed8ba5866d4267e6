"""A model's chat API stands behind the same guard as all else."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

pytest.importorskip("torch")
pytest.importorskip("llguidance")

from model_server import write_model
from serving.conftest import Program, put, running, tokens_file
from vidence.serving.completions.direct import Direct


def test_a_served_model_decides_for_who_has_a_token(
    tmp_path: Path, videos: list[Path], program: Callable[..., Program]
) -> None:
    path, tokens = tokens_file(tmp_path, "anna")
    model = write_model(tmp_path / "model")
    server = program(
        tmp_path / "libraries", "--tokens", str(path), "--senses", "shots", "--model", str(model)
    )
    server.client.headers["Authorization"] = f"Bearer {tokens['anna']}"
    medium = put(server.client, videos[0])["media_id"]
    asked = {"media": [medium], "question": "What is it?", "policy": model.name}
    answer = server.client.post("/api/ask", json=asked)
    assert answer.status_code == 200, answer.text
    assert answer.json()["answers"][0]["receipt"]["model_calls"] > 0
    run = server.client.get("/api/runs").json()["runs"][0]
    assert run["policy"] == "internvideo3"


def test_a_model_of_an_endpoint_may_decide(tmp_path: Path, program: Callable[..., Program]) -> None:
    server = program(tmp_path, "--model", "far", "--api-base", "http://127.0.0.1:9/v1")
    assert [one["id"] for one in server.client.get("/v1/models").json()["data"]] == ["vidence", "vidence/far"]
    assert [one["name"] for one in server.client.get("/api/me").json()["policies"]] == ["rules", "far"]


def test_a_token_is_needed_and_errors_have_one_body(tmp_path: Path) -> None:
    path, tokens = tokens_file(tmp_path, "anna")
    engine: Any = SimpleNamespace(name="toy", sight=None)  # nothing is asked of it that needs a model
    with running(tmp_path / "libraries", tokens=path, speakers=(Direct(engine),)) as served:
        with served.client() as stranger:
            assert stranger.get("/v1/models").status_code == 401
        with served.client(served.site.secret) as ourselves:
            assert ourselves.get("/v1/models").status_code == 200
            assert ourselves.get("/api/media").status_code == 401
        with served.client(tokens["anna"]) as anna:
            assert [one["id"] for one in anna.get("/v1/models").json()["data"]] == ["vidence", "toy"]
            chat = {"model": "toy", "messages": [{"role": "user", "content": "hello"}]}
            for wrong, status in (({"model": "other"}, 404), ({"messages": []}, 400), ({"tools": [{}]}, 400)):
                answer = anna.post("/v1/chat/completions", json=chat | wrong)
                assert answer.status_code == status
                assert set(answer.json()["error"]) == {"message", "type", "code"}
