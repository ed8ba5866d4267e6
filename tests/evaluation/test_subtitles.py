"""Subtitles of benchmarks: read in each layout, given to who is asked, and to nobody where they are not asked for."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("pyarrow")
from click.testing import CliRunner
from pyarrow import Table
from pyarrow.parquet import write_table

from conftest import write_video
from vidence.cli.group import vidence as cli
from vidence.errors import MediaError, UsageError
from vidence.evaluation.benchmarks import benchmark
from vidence.evaluation.item import Frames, Item
from vidence.evaluation.plan import Plan
from vidence.evaluation.runner import results, run
from vidence.evaluation.subtitles import Subtitles, shown
from vidence.evaluation.systems import Agent, Reply, SinglePass
from vidence.mcr.budget import Budget
from vidence.media import Cue, open_media
from vidence.memory import Memory
from vidence.policies import RulesPolicy
from vidence.timeline import Span

SRT = (
    '1\n00:00:00,200 --> 00:00:00,600\n<font color="white" size=".72c">the kettle is red</font>\n\n'
    "2\n00:00:01,000 --> 00:00:01,200\nthe gull is white\n"
)
WORDS = [("The", 0.1, 0.2), ("end.", 0.2, 0.4), ("A", 0.55, 0.6), ("gull", 0.65, 0.9), ("lands", 1.5, 1.6)]
OPTIONS = ["A. red", "B. blue", "C. white", "D. black"]


def cues(*lines: tuple[float, float, str]) -> list[Cue]:
    return [Cue(Span.of(start, end), text, "", "a.srt") for start, end, text in lines]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Two videos of two seconds, one of them with subtitles, beside it under its name."""
    folder = tmp_path / "Video-MME"
    folder.mkdir()
    for name, frames in (("k1", 20), ("k2", 24)):
        write_video(folder / f"{name}.mp4", fps=10, frames=frames)
    (folder / "k1.srt").write_text(SRT)
    rows = [
        {
            "videoID": video, "question_id": video, "question": "What colour is the kettle that is spoken of?",
            "options": OPTIONS, "answer": "A", "duration": "short",
        }
        for video in ("k1", "k2")
    ]  # fmt: skip
    write_table(Table.from_pylist(rows), folder / "test-00000-of-00001.parquet")
    return folder


@dataclass
class Hearing:
    """Keeps what the medium says of itself, and what the model is asked."""

    name: str = "hearing"
    weighs: bool = False
    heard: list[list[str]] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    def answer(self, item: Any, key: str, video: Any) -> Reply:
        self.heard.append([cue.text for cue in video.media.cues()])
        return Reply("A")

    def guess(self, item: Any, key: str) -> Reply:
        return Reply("A")

    def say(self, shown: Any, start: Any, text: str) -> tuple[str, int]:
        self.asked.append(text)
        return "A", 1


def ran(data: Path, out: Path, system: Any, *, subtitles: bool) -> dict[str, Any]:
    return run(benchmark("video-mme"), data, system, Plan("all", subtitles=subtitles), out, settings={})


def test_who_was_not_to_hear_does_not_though_a_file_lies_beside_the_video(data: Path, tmp_path: Path) -> None:
    assert open_media(data / "k1.mp4").cues()
    system = Hearing()
    found = ran(data, tmp_path / "without", system, subtitles=False)
    assert system.heard == [[], []]
    assert "subtitles" not in found


def test_missing_files_are_counted_and_said(data: Path, tmp_path: Path) -> None:
    system = Hearing()
    found = ran(data, tmp_path / "with", system, subtitles=True)
    assert system.heard == [["the kettle is red", "the gull is white"], []]
    assert found["subtitles"] == {"questions_without": 1, "videos_without": ["k2"]}
    assert [one["subtitles"] for one in results(tmp_path / "with/results.jsonl")] == [2, None]
    manifest = json.loads((tmp_path / "with/manifest.json").read_text())
    assert manifest["plan"]["subtitles"] is True
    with pytest.raises(UsageError, match="other plan"):
        ran(data, tmp_path / "with", system, subtitles=False)


def test_the_loop_gets_them_as_what_is_heard(data: Path, tmp_path: Path) -> None:
    for out, heard in (("with", {"the kettle is red", "the gull is white"}), ("without", set[str]())):
        ran(data, tmp_path / out, Agent(RulesPolicy(), Budget()), subtitles=bool(heard))
        with Memory.open(tmp_path / out / "memory.sqlite") as kept:
            known = [one for each in kept.media() for one in kept.observations(each.hash, senses=["speech"])]
        assert {one.text for one in known} == heard


def test_a_single_pass_gets_the_lines_of_the_frames_it_is_shown(data: Path, tmp_path: Path) -> None:
    model = Hearing()
    once = SinglePass(model, Frames(fps=4), 2, "frames")  # at 0.5 and 1.5 seconds
    ran(data, tmp_path / "two", once, subtitles=True)
    asked = [text for text in model.asked if "subtitles" in text]
    assert len(asked) == 1  # not of the video that has none, and not in the control
    assert "the kettle is red" in asked[0]
    assert "gull" not in asked[0]
    assert "font" not in asked[0]


def test_lines_of_frames_and_of_a_stretch() -> None:
    said = cues((0, 1, "a"), (1, 2, "b"), (2, 3, "b"), (5, 6, "c"))
    times = [Fraction(1, 2), Fraction(1), Fraction(5, 2)]
    assert shown(said, times, Span.of(0, 4), "frames") == ["a", "b"]
    assert shown(said, [], Span.of(0, 4), "stretch") == ["a", "b"]
    assert shown(said, times, Span.of(0, 9), "stretch") == ["a", "b", "c"]
    assert shown(said, times, Span.of(0, 9), "") == []


def read(folder: Path, name: str, content: Any, start_s: float = 0.0) -> list[tuple[float, float, str]]:
    (folder / name).write_text(content)
    item = Item("1", "k1", "?", subtitles=name, subtitles_start_s=start_s)
    media = open_media(folder / "k1.mp4")
    found = Subtitles(folder).of(item, media)
    return [(float(cue.span.start), float(cue.span.end), cue.text) for cue in found or ()]


def test_words_are_joined_to_lines(data: Path) -> None:
    rows = (dict(zip(("text", "start_time", "end_time"), word, strict=True)) for word in WORDS)
    text = "".join(json.dumps(row) + "\n" for row in rows)
    assert read(data, "k1.jsonl", text) == [
        (0.1, 0.4, "The end."),
        (0.55, 0.9, "A gull"),
        (1.5, 1.6, "lands"),
    ]


def test_lines_count_from_where_the_video_was_cut_out(data: Path) -> None:
    rows: list[dict[str, Any]] = [
        {"timestamp": [3.0, 4.0], "text": "before"},
        {"timestamp": [10.5, 11.5], "text": "within"},
        {"timestamp": [11.4, 11.6], "text": "brief"},
        {"start": "00:00:11.500", "end": "00:00:12.500", "line": "clock"},
        {"timestamp": [11.8, None], "text": "last"},
    ]
    found = read(data, "k1_en.json", json.dumps(rows), 10.0)
    assert found == [
        (0.5, 1.5, "within"),
        (1.0, 2.0, "brief"),  # at least a second, about its middle
        (1.5, 2.5, "clock"),
        (1.4, 2.4, "last"),
    ]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("k1.jsonl", '{"text": "a", "start_time": "soon", "end_time": 2}\n'),
        ("k1_en.json", '[{"timestamp": ["soon", 2], "text": "a"}]'),
        ("k1_en.json", '[{"line": "a"}]'),
    ],
)
def test_a_damaged_file_is_named(data: Path, name: str, content: str) -> None:
    with pytest.raises(MediaError, match=name):
        read(data, name, content)


def test_the_command_says_what_is_missing(data: Path, tmp_path: Path) -> None:
    def called(name: str, *words: str) -> Any:
        return CliRunner().invoke(cli, ["bench", name, "--data", str(data), "--subtitles", *words])

    assert (
        "1 questions were asked without subtitles" in called("video-mme", "--out", str(tmp_path / "r")).output
    )
    (data / "k1.srt").unlink()
    lacking = called("video-mme", "--out", str(tmp_path / "s"))
    assert (lacking.exit_code, "holds no subtitles, such as k1.srt" in lacking.output) == (2, True)
    (data / "lvbench.json").write_text(
        json.dumps([{"video": "k1", "question": "?", "candidates": ["a", "b"], "answer": "a"}])
    )
    other = called("lvbench")
    assert (other.exit_code, "comes with no subtitles" in other.output) == (2, True)


def test_real_annotations_name_their_subtitles() -> None:
    real = Path(__file__).parents[2].parent / "shared/annotations"
    if not (real / "longvideobench").is_dir():
        pytest.skip("no real annotations here")
    items = benchmark("longvideobench").load(real / "longvideobench", "validation")
    assert all(item.subtitles.endswith(".json") for item in items)
    assert len({item.video for item in items if item.subtitles_start_s}) > 0
