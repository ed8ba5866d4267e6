"""Claims are judged where they cite, and elsewhere, by one who knows nothing else; who supports anything is refused."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from random import Random
from typing import Any

import cv2
import numpy as np
import pytest

pytest.importorskip("pyarrow")
pytest.importorskip("openai")
from click.testing import CliRunner
from pyarrow import Table
from pyarrow.parquet import write_table

from chat_server import serving
from conftest import write_video
from vidence.cli.group import vidence as cli
from vidence.errors import UsageError
from vidence.evaluation.benchmarks import benchmark
from vidence.evaluation.judge import elsewhere
from vidence.evaluation.judges import EmbeddedJudge, open_judge
from vidence.evaluation.plan import Plan
from vidence.evaluation.runner import results, run
from vidence.evaluation.summary import summary
from vidence.evaluation.systems import Agent
from vidence.mcr import trial
from vidence.mcr.budget import Budget
from vidence.policies import RulesPolicy
from vidence.timeline import Span

OPTIONS = ["A. EXIT 31", "B. PLATFORM 9", "C. NO SMOKING", "D. WET PAINT"]
QUESTION = "What is written on the sign?"


def paint(number: int) -> np.ndarray:
    """A bright sign for two seconds, then six seconds of darkness."""
    picture = np.full((160, 320, 3), 230 if number < 20 else 20, np.uint8)
    if number < 20:
        cv2.putText(
            picture, "PLATFORM 9", (20, 90), cv2.FONT_HERSHEY_SIMPLEX, 1.4, (20, 20, 20), 3, cv2.LINE_AA
        )
    return picture


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("Video-MME")
    write_video(folder / "sign.mp4", size=(320, 160), fps=10, frames=80, paint=paint)
    row = {"videoID": "sign", "question_id": "1", "question": QUESTION, "options": OPTIONS, "answer": "B"}
    write_table(Table.from_pylist([row | {"duration": "short"}]), folder / "test-00000-of-00001.parquet")
    return folder


def brightness(part: dict[str, Any]) -> float:
    encoded = base64.b64decode(part["image_url"]["url"].partition(",")[2])
    image = cv2.imdecode(np.frombuffer(encoded, np.uint8), cv2.IMREAD_COLOR)
    assert image is not None
    return float(image.mean())


def parts(request: dict[str, Any]) -> list[dict[str, Any]]:
    return request["messages"][-1]["content"]


def honest(request: dict[str, Any]) -> str:
    """Support what is stated of bright pictures, and what is plain of the sign."""
    pictures = [part for part in parts(request) if part["type"] == "image_url"]
    stated = parts(request)[-1]["text"]
    true = any(brightness(each) > 100 for each in pictures) if pictures else trial.SIGN in stated
    return json.dumps({"verdict": "supported" if true else "unsupported", "score": 1.0})


def test_the_same_length_is_drawn_from_what_is_not_taken() -> None:
    whole, taken = Span.of(10, 30), [Span.of(12, 14), Span.of(20, 21)]
    drawn = [elsewhere(taken[0], whole, taken, Random(str(seed))) for seed in range(50)]
    for span in drawn:
        assert span is not None
        assert span.duration == 2
        assert whole.start <= span.start
        assert span.end <= whole.end
        assert not any(span.overlaps(each) for each in taken)
    assert len({span.start for span in drawn if span}) == 50
    assert min(span.start for span in drawn if span) < 20 < max(span.start for span in drawn if span)
    assert elsewhere(Span.of(10, 25), whole, [Span.of(10, 25)], Random("1")) is None


def ran(data: Path, out: Path, judge: Any) -> dict[str, Any]:
    system = Agent(RulesPolicy(), Budget())
    return run(benchmark("video-mme"), data, system, Plan("all"), out, settings={}, judge=judge)


def test_the_rules_find_the_evidence_again_and_not_elsewhere(data: Path, tmp_path: Path) -> None:
    found = ran(data, tmp_path / "run", open_judge("embedded"))
    one = results(tmp_path / "run/results.jsonl")[0]
    assert [each["claim"] for each in one["judged"]] == [text for text, _ in one["claims"]]
    assert one["judged"][0] == {"claim": one["claims"][0][0], "found": True, "elsewhere": False}
    assert found["all"]["judged_grounded"]["claims"] == len(one["judged"])
    assert found["all"]["judged_elsewhere"]["mean"] == 0.0
    assert json.loads((tmp_path / "run/manifest.json").read_text())["judge"] == "embedded"
    assert "found where they cite" in (tmp_path / "run/report.html").read_text()
    with pytest.raises(UsageError, match="other judge"):
        ran(data, tmp_path / "run", None)


def test_a_model_sees_the_words_of_the_claim_and_frames_of_the_span_and_no_more(
    data: Path, tmp_path: Path
) -> None:
    with serving(honest) as server:
        given = ["--judge", "m", "--judge-api-base", server.address, "--out", str(tmp_path / "run")]
        said = CliRunner().invoke(cli, ["bench", "video-mme", "--data", str(data), *given])
    assert said.exit_code == 0, said.output
    assert "claims that the judge found where they cite: 1.000" in said.stdout
    assert "claims that the judge found elsewhere: 0.000" in said.stdout
    trials, asked = server.requests[:2], server.requests[2:]
    assert [parts(each)[-1]["text"].count(trial.FALSE) for each in trials] == [0, 1]
    assert asked
    for request in asked:
        sent = json.dumps([part for part in parts(request) if part["type"] == "text"])
        assert QUESTION not in sent
        assert not any(option[3:] in sent for option in OPTIONS if option[3:] != "PLATFORM 9")
        assert "supported" not in sent
        assert any(part["type"] == "image_url" for part in parts(request))


def test_a_judge_that_supports_anything_is_refused(data: Path) -> None:
    with serving(lambda request: json.dumps({"verdict": "supported", "score": 1.0})) as server:
        given = [
            "bench",
            "video-mme",
            "--data",
            str(data),
            "--judge",
            "m",
            "--judge-api-base",
            server.address,
        ]
        said = CliRunner().invoke(cli, given)
    assert said.exit_code == 2
    assert "cannot tell a true statement from a false one" in said.output
    assert len(server.requests) == 2


def test_a_trial_is_lost_by_who_supports_all_or_nothing() -> None:
    assert EmbeddedJudge.stands()
    assert not trial.stands(lambda statement: "supported")
    assert not trial.stands(lambda statement: "unsupported")
    assert not trial.stands(lambda statement: "unsupported" if statement == trial.TRUE else "supported")


def test_shares_are_of_claims_clustered_by_video() -> None:
    spent = {"frames": [], "tokens": 0, "seconds": 0.0, "parsed": True, "steps": 1, "claims": []}
    loop = {"status": "answered", "confidence": 0.9, "confident": True, "right": 1.0, "groups": {}}
    told = {"a": [(True, False), (True, None)], "b": [(False, True), (None, None)], "c": [(False, None)]}
    records = [
        {"id": video, "video": video, **spent, **loop}
        | {"judged": [{"claim": "x", "found": found, "elsewhere": there} for found, there in some]}
        for video, some in told.items()
    ]
    found = summary(benchmark("nextqa"), records)["all"]
    grounded, by_chance = found["judged_grounded"], found["judged_elsewhere"]
    assert (grounded["mean"], grounded["claims"], grounded["videos"]) == (0.5, 4, 3)
    # a's two are half too many each, b's and c's one half too few
    assert grounded["error"] == pytest.approx((1.0**2 + 0.5**2 + 0.5**2) ** 0.5 / 4, abs=1e-4)
    assert (by_chance["mean"], by_chance["claims"]) == (0.5, 2)
