"""The chat policy against a real server: llama.cpp's, with a model of 135 M parameters, as it was recorded; or live.

The recordings are of llama-server (build 11434) with SmolLM2-135M-Instruct (Q4_1, Apache-2.0). To record anew, or to
run against any other server and model: VIDENCE_TEST_SERVER=http://localhost:8080/v1 [VIDENCE_TEST_RECORD=1] pytest THIS
"""

from __future__ import annotations

import gzip
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("openai")
pytest.importorskip("vcr")

import vcr
from vcr.persisters.filesystem import CassetteNotFoundError
from vcr.record_mode import RecordMode
from vcr.serialize import deserialize, serialize

from conftest import write_video
from vidence.mcr.answer import Answer
from vidence.mcr.budget import Budget
from vidence.policies import open_policy
from vidence.policies.chat.endpoint import CannotSee, Endpoint
from vidence.senses import default_senses
from vidence.video import Video
from vidence.video import open as open_video

SERVER = os.environ.get("VIDENCE_TEST_SERVER", "")
ADDRESS = SERVER or "http://127.0.0.1:8099/v1"
RECORDED = Path(__file__).parent / "recorded"
CUES = ((0.5, 2.5, "Welcome to the station."), (3.0, 5.5, "The train to Porto leaves from platform nine."))


@pytest.fixture
def video(tmp_path: Path) -> Iterator[Video]:
    def picture(number: int) -> np.ndarray:
        return np.full((120, 160, 3), 60 + number, np.uint8)

    film = write_video(tmp_path / "film.mp4", size=(160, 120), fps=10, frames=60, paint=picture, cues=CUES)
    with open_video(film, memory=tmp_path / "memory.sqlite") as opened:
        opened.senses = default_senses(["speech", "colour"])
        yield opened


class Packed:
    """Recordings as gzip: a streamed word takes a few hundred bytes, and much the same ones."""

    @staticmethod
    def load_cassette(path: str, serializer: Any) -> Any:
        if not Path(path).is_file():
            raise CassetteNotFoundError
        return deserialize(gzip.decompress(Path(path).read_bytes()).decode(), serializer)

    @staticmethod
    def save_cassette(path: str, recorded: Any, serializer: Any) -> None:
        Path(path).parent.mkdir(exist_ok=True)
        Path(path).write_bytes(gzip.compress(serialize(recorded, serializer).encode(), mtime=0))


@pytest.fixture
def server(request: pytest.FixtureRequest) -> Iterator[None]:
    """Play back what the server said, or with a server at hand, hear it say it."""
    if SERVER and not os.environ.get("VIDENCE_TEST_RECORD"):
        yield
        return
    name = request.node.name.replace("[", "-").removesuffix("]")
    mode = RecordMode.ALL if SERVER else RecordMode.NONE
    recorder = vcr.VCR(match_on=["method", "path"], record_mode=mode, filter_headers=["authorization"])
    recorder.register_persister(Packed)
    with recorder.use_cassette(str(RECORDED / f"{name}.yaml.gz")) as tape:
        yield
    assert SERVER or tape.all_played


def asked(video: Video, *, tools: bool) -> Answer:
    policy = open_policy("chat", "smollm2", api_base=ADDRESS, tools=tools)
    question = "Which platform does the train to Porto leave from?"
    return video.ask(question, policy=policy, budget=Budget(max_steps=4))


@pytest.mark.usefixtures("server")
@pytest.mark.parametrize("tools", [False, True])
def test_a_small_model_goes_through_the_whole_loop(video: Video, tools: bool) -> None:
    answer = asked(video, tools=tools)
    assert answer.receipt.tokens > 500
    assert video.last_situation is not None
    known = video.last_situation.evidence
    assert {each.id for claim in answer.claims for each in claim.evidence} <= set(known)
    # It fails the trial of judges, so nothing that it says is stated as fact.
    assert not answer.confident
    assert all(claim.verdict.kind != "supported" for claim in answer.claims)


@pytest.mark.usefixtures("server")
def test_a_text_model_that_is_sent_pictures_says_that_it_cannot_see() -> None:
    picture = {
        "type": "image_url",
        "image_url": {
            "url": "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk"
            "YPhfDwAChwGA60e6kgAAAABJRU5ErkJggg=="
        },
    }
    with pytest.raises(CannotSee, match="takes no pictures"):
        Endpoint("smollm2", base_url=ADDRESS, retries=0).ask([{"role": "user", "content": [picture]}])
