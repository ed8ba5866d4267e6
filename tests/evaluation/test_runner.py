"""A run of a benchmark, from a folder as users download it: it goes on, is cut into shards, and says what it lacks."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

pytest.importorskip("pyarrow")
from click.testing import CliRunner
from pyarrow import Table
from pyarrow.parquet import write_table

from conftest import write_video
from vidence.cli.group import vidence as cli
from vidence.errors import UsageError
from vidence.evaluation.benchmarks import benchmark
from vidence.evaluation.compare import compare
from vidence.evaluation.plan import Plan
from vidence.evaluation.runner import results, run
from vidence.evaluation.systems import Agent, Frame, Reply
from vidence.mcr.budget import Budget
from vidence.policies import RulesPolicy

VIDEO_MME = benchmark("video-mme")
OPTIONS = ["A. EXIT 31", "B. PLATFORM 9", "C. NO SMOKING", "D. WET PAINT"]


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six questions about two videos of a sign each, and two about one that is missing."""
    folder = tmp_path_factory.mktemp("Video-MME")
    for name, text in (("green", "PLATFORM 9"), ("red", "EXIT 31")):
        picture = np.full((160, 320, 3), (20, 60, 30), np.uint8)
        cv2.putText(picture, text, (20, 90), cv2.FONT_HERSHEY_SIMPLEX, 1.4, (240, 240, 240), 3, cv2.LINE_AA)
        write_video(
            folder / f"{name}.mp4", size=(320, 160), fps=10, frames=15, paint=lambda _, shown=picture: shown
        )
    rows = [
        {
            "videoID": video, "question_id": f"{video}-{at}", "question": "What is written on the sign?",
            "options": OPTIONS, "answer": {"green": "B", "red": "A", "gone": "C"}[video], "duration": "short",
            "task_type": "Reading" if at else "Attribute", "domain": "Test",
        }
        for video, count in (("green", 3), ("red", 3), ("gone", 2)) for at in range(count)
    ]  # fmt: skip
    write_table(Table.from_pylist(rows), folder / "test-00000-of-00001.parquet")
    return folder


@dataclass
class Scripted:
    """Says "B" to everything; or stops dead after some questions, as a killed process does."""

    says: str = "B"
    dies_after: int | None = None
    name: str = "scripted"
    asked: list[str] = field(default_factory=list)

    def answer(self, item: Any, key: str, video: Any) -> Reply:
        if self.dies_after is not None and len(self.asked) >= self.dies_after:
            raise KeyboardInterrupt
        self.asked.append(item.id)
        return Reply(self.says, (Frame(0.0, video.media.hash),), 10, 0.1)

    def guess(self, item: Any, key: str) -> Reply:
        return Reply("A")


def ran(data: Path, out: Path, system: Any = None, **plan: Any) -> dict[str, Any]:
    return run(VIDEO_MME, data, system or Scripted(), Plan("all", **plan), out, settings={"max_steps": 3})


def test_scores_are_of_what_could_be_asked(data: Path, tmp_path: Path) -> None:
    found = ran(data, tmp_path / "run")
    whole = found["all"]
    assert (whole["questions"], whole["score"]["mean"], whole["control"]["mean"]) == (6, 0.5, 0.5)
    assert (whole["score"]["videos"], whole["chance"]["mean"], whole["unparsable"]) == (2, 0.25, 0)
    assert whole["score"]["error"] == pytest.approx(0.3536, abs=1e-3)  # two videos, not six questions
    assert found["by"]["task"]["Attribute"]["questions"] == 2
    assert found["not_put"] == 2
    assert {one["video"] for one in found["faults"]} == {"gone"}
    assert json.loads((tmp_path / "run/summary.json").read_text()) == found


def test_a_run_that_was_killed_goes_on(data: Path, tmp_path: Path) -> None:
    out, first, second = tmp_path / "run", Scripted(dies_after=2), Scripted()
    with pytest.raises(KeyboardInterrupt):
        ran(data, out, first)
    with (out / "results.jsonl").open("ab") as file:
        file.write(b'{"id": "green-2", "vid')  # a line that was being written
    found = ran(data, out, second)
    assert not set(first.asked) & set(second.asked)
    assert len(first.asked) + len(second.asked) == 6
    assert found == ran(data, tmp_path / "whole")


def test_another_manifest_is_refused(data: Path, tmp_path: Path) -> None:
    ran(data, tmp_path / "run")
    with pytest.raises(UsageError, match="other system"):
        ran(data, tmp_path / "run", Scripted(name="another"))
    with pytest.raises(UsageError, match="other plan"):
        ran(data, tmp_path / "run", limit=2)


def test_shards_make_the_whole_and_a_limit_is_drawn_by_its_seed(data: Path, tmp_path: Path) -> None:
    parts = [Scripted() for _ in range(3)]
    for at, part in enumerate(parts):
        ran(data, tmp_path / f"shard-{at}", part, shard=at, shards=3)
    assert sorted(id for part in parts for id in part.asked) == sorted(
        f"{v}-{n}" for v in ("green", "red") for n in range(3)
    )
    drawn = [
        [one["id"] for one in _results(data, tmp_path / f"{seed}-{at}", seed)]
        for seed in (1, 2)
        for at in "ab"
    ]
    assert drawn[0] == drawn[1]
    assert drawn[2] == drawn[3]
    assert len(drawn[0]) == 3


def _results(data: Path, out: Path, seed: int) -> list[dict[str, Any]]:
    ran(data, out, limit=3, seed=seed)
    return results(out / "results.jsonl")


def test_runs_are_compared_on_the_same_questions(data: Path, tmp_path: Path) -> None:
    ran(data, tmp_path / "a", Scripted("A", name="a"))
    ran(data, tmp_path / "b", Scripted("The answer is B.", name="b"))
    found = compare(tmp_path / "a", tmp_path / "b")
    assert (found["difference"]["mean"], found["difference"]["only_a"], found["difference"]["only_b"]) == (
        0,
        3,
        3,
    )
    assert found["same_frames"] == 1
    assert found["settings_differ"] == ["system"]
    with pytest.raises(UsageError, match="holds no run"):
        compare(tmp_path / "a", tmp_path / "nowhere")


def test_the_rules_policy_is_scored_in_its_loop(data: Path, tmp_path: Path) -> None:
    system = Agent(RulesPolicy(), Budget())
    found = run(VIDEO_MME, data, system, Plan("all", limit=4), tmp_path / "run", settings={})
    again = run(VIDEO_MME, data, system, Plan("all", limit=4), tmp_path / "again", settings={})
    records = [one for one in results(tmp_path / "run/results.jsonl") if "fault" not in one]
    assert found["all"]["score"]["mean"] == 1.0
    assert found["all"]["score"] == again["all"]["score"]
    assert {"calibration_error", "refused", "claims_supported"} <= set(found["all"])
    assert all(one["claims"] for one in records)
    page = (tmp_path / "run/report.html").read_text("utf-8")
    assert "<script" not in page
    assert all(one["id"] in page for one in records)


def test_the_command_runs_shows_and_goes_on(data: Path, tmp_path: Path) -> None:
    def called(*words: str) -> Any:
        return CliRunner().invoke(cli, ["bench", *words])

    given = ["video-mme", "--data", str(data), "--limit", "2", "--seed", "3", "--out", str(tmp_path / "run")]
    first, again = called(*given), called(*given)
    assert first.exit_code == again.exit_code == 0, first.output
    assert "score" in first.stdout
    assert json.loads(called(*given, "--json").stdout)["benchmark"] == "video-mme"
    same = called("compare", str(tmp_path / "run"), str(tmp_path / "run"), "--json")
    assert json.loads(same.stdout)["difference"]["mean"] == 0
    assert "video-mme" in called("list").stdout
    assert called("nonesuch", "--data", str(data)).exit_code == 2
    assert called("video-mme", "--data", str(tmp_path)).exit_code == 2
    assert called(*given[:-1], str(tmp_path / "x"), "--shard", "3/2").exit_code == 2
