"""A teacher behind an endpoint gives what the same teacher gives in process."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
import torch
from toy import WORLD, configured, write_start

from vidence.errors import UsageError
from vidence.training import judges
from vidence.training.judges import EndpointJudge, InProcessJudge
from vidence.training.learner import Learner
from vidence.training.loading import load_learner
from vidence.training.loop import train
from vidence.training.packing import Pack, packed
from vidence.training.trajectory import Trajectory


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("start")
    write_start(folder / "fresh")
    return folder / "fresh"


@pytest.fixture(scope="module")
def learner(folder: Path) -> Learner:
    return load_learner(folder).eval()


class Server(BaseHTTPRequestHandler):
    """Echo log-probabilities as vLLM does; the first request of each test meets a busy server."""

    learner: Learner
    busy = 0

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if Server.busy:
            Server.busy -= 1
            self.send_error(503)
            return
        assert (self.path, asked["echo"], asked["logprobs"]) == ("/v1/completions", True, 1)
        choices = [{"index": at, "logprobs": self.echoed(ids)} for at, ids in enumerate(asked["prompt"])]
        body = json.dumps(
            {"choices": choices[::-1]} if asked["model"] != "mute" else {"choices": [{}]}
        ).encode()
        self.send_response(200)
        self.end_headers()
        self.wfile.write(body)

    def echoed(self, ids: list[int]) -> dict[str, Any]:
        core = self.learner.model
        with torch.no_grad():
            logits = core(input_ids=torch.tensor([ids])).logits[0].log_softmax(-1)
        found = [logits[at - 1, token].item() for at, token in enumerate(ids) if at]
        return {"token_logprobs": [None, *found, -0.1]}

    def log_message(self, format: str, *args: Any) -> None:
        del format, args


@pytest.fixture
def url(learner: Learner, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    Server.learner, Server.busy = learner, 1
    monkeypatch.setattr(judges, "WAIT_S", 0.01)
    server = HTTPServer(("127.0.0.1", 0), Server)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/v1"
    server.shutdown()


def texts(learner: Learner) -> Pack:
    draw = torch.Generator().manual_seed(2)

    def one(length: int) -> Trajectory:
        ids = torch.randint(10, 200, (length,), generator=draw)
        return Trajectory("text", ids, torch.arange(length) > length // 2, torch.zeros_like(ids))

    return packed([one(12), one(7), one(20)], learner.place, learner.merge)


def test_an_endpoint_scores_as_the_model_itself(learner: Learner, url: str) -> None:
    pack = texts(learner)
    wanted = InProcessJudge(learner).logprobs(pack)
    torch.testing.assert_close(EndpointJudge(url, "teacher").logprobs(pack), wanted, atol=1e-4, rtol=0)


def test_what_is_wrong_with_an_endpoint_is_told(
    learner: Learner, url: str, folder: Path, tmp_path: Path
) -> None:
    pack = texts(learner)
    with pytest.raises(UsageError, match="must support echo with logprobs"):
        EndpointJudge(url, "mute").logprobs(pack)
    with pytest.raises(UsageError, match="gave no answer in 4 attempts"):
        EndpointJudge("http://127.0.0.1:1/v1", "teacher").logprobs(pack)
    for distill, fault in (
        ({"teacher_url": url}, "cannot be shown pictures"),
        ({}, "name the teacher's folder"),
    ):
        with pytest.raises(UsageError, match=fault):
            train(
                "distill", configured(tmp_path / fault[:4], folder, 1, 1e-3, distill=distill, sources=[WORLD])
            )
