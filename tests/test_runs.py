"""Every step of a run is kept as it is taken; runs are shown, done again, and written as training data."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from conftest import MakeVideo
from vidence.cli.group import vidence as cli
from vidence.errors import UsageError
from vidence.exports.run import render_run
from vidence.exports.trajectories import supported, to_trajectories
from vidence.mcr.belief import Belief, Hypothesis
from vidence.mcr.draft import Draft, DraftClaim
from vidence.mcr.evidence import Evidence, Verdict
from vidence.mcr.policy import Decision
from vidence.mcr.replay import replay
from vidence.mcr.situation import Situation
from vidence.mcr.verify import frame_hash
from vidence.senses.observation import Observation, Producer
from vidence.timeline import Span
from vidence.video import Video
from vidence.video import open as open_video

ANSWERED = Span.of(1, 2)


@dataclass
class Onlooker:
    """A policy that looks at the whole, then at a second of it, and says how many frames it saw there."""

    name: str = "onlooker"
    identity: str = "onlooker"
    recalls: bool = False
    breaks: bool = False

    def decide(self, situation: Situation) -> Decision:
        belief = Belief((Hypothesis("four"), Hypothesis("five")))
        if len(situation.shown) < 2:
            span = ANSWERED if situation.shown else situation.whole
            given = {"start": str(span.start), "end": str(span.end), "senses": [], "show": 4}
            return Decision("There is more to see.", "look", given, belief)
        if self.breaks:
            raise RuntimeError("the power went")
        said = str(len(situation.shown[1].frames))
        seen = Observation(ANSWERED, "visual", Producer(self.name, "1"), said)
        situation.looked.append(seen)
        claim = DraftClaim(f"{said} <frames>", (situation.cite(seen),))
        return Decision("Seen.", "answer", {"draft": Draft(said, (claim,), 0.9)}, belief)

    def check(
        self, claim: str, evidence: Evidence, situation: Situation, actions: Any
    ) -> tuple[Verdict, str | None]:
        return Verdict("supported", 1.0, "looked again"), frame_hash(situation, evidence.span.middle)


@pytest.fixture
def video(make_video: MakeVideo, tmp_path: Path) -> Video:
    return open_video(make_video("clip.mp4", frames=75), memory=tmp_path / "memory.sqlite")


def test_a_run_is_kept_with_all_its_steps(video: Video) -> None:
    answer = video.ask("How many frames?", policy=Onlooker())
    assert answer.run is not None
    run = video.memory.runs.get(answer.run)
    assert video.last_situation is not None
    assert [step.to_json() for step in run.steps] == [
        step.to_json() for step in video.last_situation.context.steps
    ]
    assert run.answer == json.loads(json.dumps(answer.to_json()))
    assert (run.policy, run.question, run.medium) == ("onlooker", "How many frames?", video.media.hash)
    looks = [step.data for step in run.steps if step.kind == "observation"]
    assert [len(each["times_s"]) for each in looks] == [4, 4]
    assert [one.id for one in video.memory.runs.list()] == [run.id]


def test_a_run_that_breaks_leaves_the_steps_before(video: Video) -> None:
    with pytest.raises(RuntimeError):
        video.ask("How many frames?", policy=Onlooker(breaks=True))
    (run,) = video.memory.runs.list()
    kinds = [step.kind for step in video.memory.runs.get(run.id).steps]
    assert run.answer is None
    assert kinds.count("action") == 2
    assert "cut off" in render_run(video.memory.runs.get(run.id))


def test_a_run_done_again_brings_the_same(video: Video) -> None:
    run = video.memory.runs.get(video.ask("How many frames?", policy=Onlooker()).run or 0)
    found = replay(run, video.media, video.memory, video.senses)
    assert [one.same for one in found] == [True, True]
    assert "00:01.000–00:02.000" in found[1].now


def test_what_was_forgotten_takes_its_runs_along(video: Video) -> None:
    answer = video.ask("How many frames?", policy=Onlooker())
    video.memory.forget(video.media.hash)
    with pytest.raises(UsageError, match="no run"):
        video.memory.runs.get(answer.run or 0)


def test_runs_become_conversations_that_training_reads(video: Video, tmp_path: Path) -> None:
    run = video.memory.runs.get(video.ask("How many?", choices=["4", "9"], policy=Onlooker()).run or 0)
    assert supported(run)
    row = json.loads(to_trajectories([run]))
    roles = [message["role"] for message in row["messages"]]
    assert roles == ["system", "user", "assistant", "tool", "assistant"]
    (seen, asked), (again,) = row["messages"][1]["content"], row["messages"][3]["content"]
    assert asked["text"] == "How many?\nA. 4\nB. 9"
    assert seen["times"] == [0.36, 1.12, 1.84, 2.6]  # the frames on screen in the middle of four stretches
    assert again["times"] == [1.12, 1.36, 1.6, 1.84]
    assert '"start": 1.0, "end": 2.0' in row["messages"][2]["content"]
    assert row["messages"][4]["content"] == "4 <1.0-2.0 seconds>"


def test_the_page_shows_frames_and_escapes_what_was_said(video: Video) -> None:
    run = video.memory.runs.get(video.ask("How many <b>frames</b>?", policy=Onlooker()).run or 0)
    page = render_run(run)
    assert page.count("data:image/jpeg") == 9
    assert "<b>" not in page
    assert "4 &lt;frames&gt;" in page
    assert "<script" not in page


def test_the_commands_list_show_replay_export_and_forget(video: Video, tmp_path: Path) -> None:
    number = str(video.ask("How many frames?", policy=Onlooker()).run)
    memory = ["--memory", str(video.memory.path)]

    def ran(*arguments: str) -> Any:
        return CliRunner().invoke(cli, ["runs", *arguments, *memory])

    assert "How many frames?" in ran().output
    assert "looked again" in ran("show", number).output
    assert json.loads(ran("show", number, "--json").output)["answer"]["text"] == "4"
    assert ran("show", number, "--html", str(tmp_path / "run.html")).exit_code == 0
    assert ran("replay", number).exit_code == 0
    assert ran("export", "-o", str(tmp_path / "runs.jsonl")).exit_code == 0
    assert len((tmp_path / "runs.jsonl").read_text().splitlines()) == 1
    assert ran("forget", number).exit_code == 0
    assert ran("show", number).exit_code == 2


def test_a_memory_that_may_only_be_read_keeps_no_run(video: Video, monkeypatch: pytest.MonkeyPatch) -> None:
    first = video.ask("How many frames?", policy=Onlooker())
    monkeypatch.setattr(video.memory._database, "read_only", True)
    assert video.ask("How many frames?", policy=Onlooker()).run is None
    assert [run.id for run in video.memory.runs.list()] == [first.run]
