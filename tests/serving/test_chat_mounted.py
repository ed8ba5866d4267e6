"""A model's chat API stands behind the same guard as all else."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

pytest.importorskip("torch")
pytest.importorskip("llguidance")

from serving.conftest import running, tokens_file
from vidence.serving.chat_api import chat_router


def test_a_token_is_needed_and_errors_have_one_body(tmp_path: Path) -> None:
    path, tokens = tokens_file(tmp_path, "anna")
    engine: Any = SimpleNamespace(name="toy")  # nothing is asked of it that needs a model
    with running(tmp_path / "libraries", tokens=path, routers=(chat_router(engine),)) as served:
        with served.client() as stranger:
            assert stranger.get("/v1/models").status_code == 401
        with served.client(served.site.secret) as ourselves:
            assert ourselves.get("/v1/models").status_code == 200
            assert ourselves.get("/api/media").status_code == 401
        with served.client(tokens["anna"]) as anna:
            assert [one["id"] for one in anna.get("/v1/models").json()["data"]] == ["toy"]
            chat = {"model": "toy", "messages": [{"role": "user", "content": "hello"}]}
            for wrong, status in (({"model": "other"}, 404), ({"messages": []}, 400), ({"tools": [{}]}, 400)):
                answer = anna.post("/v1/chat/completions", json=chat | wrong)
                assert answer.status_code == status
                assert set(answer.json()["error"]) == {"message", "type", "code"}
