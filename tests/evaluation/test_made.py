"""Benchmarks that are made: what was hidden is there, where it is said to be, and the same seed makes the same."""

from __future__ import annotations

import json
from collections import Counter
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from conftest import write_video
from vidence.cli.group import vidence as cli
from vidence.errors import UsageError
from vidence.evaluation.benchmarks import benchmark
from vidence.evaluation.made import read_items
from vidence.evaluation.needle_films import make_needle_films, read_clips
from vidence.evaluation.parsing import holds
from vidence.evaluation.worldbench import DEPTHS, NOT_SHOWN, make_worldbench, written
from vidence.media import open_media

GREEN, RED = (30, 160, 60), (180, 40, 40)


@pytest.mark.parametrize("length_s", [60, 600, 3 * 3600])
def test_needles_lie_at_every_depth_and_one_banner_is_never_shown(length_s: int) -> None:
    plan = written(3, Fraction(length_s))
    needles = [item for item in plan.items if item.groups["task"] == "needle"]
    assert sorted(item.groups["depth"] for item in needles) == sorted(f"{depth:02d} %" for depth in DEPTHS)
    for item in needles:
        depth, (span,) = int(item.groups["depth"][:2]), item.evidence
        assert abs(float(span.start) / length_s - depth / 100) < max(12 / length_s, 0.01)
        scene = plan.world.scene_at(span.start)
        shown = [one for one in scene.overlays if one.text == item.options[item.answer or 0]]
        assert len(shown) == 1
        assert shown[0].colour in item.question
    (unseen,) = [item for item in plan.items if item.groups["task"] == "unseen"]
    assert unseen.options[unseen.answer or 0] == NOT_SHOWN
    flown = {one.colour for scene in plan.world.scenes for one in scene.overlays if one.kind == "banner"}
    assert not any(f"{colour} banner" in unseen.question for colour in flown)


def test_a_voice_contradicts_a_sign_and_the_sign_is_right() -> None:
    plan = written(1, Fraction(600))
    conflicts = [item for item in plan.items if item.groups["task"] == "conflict"]
    assert conflicts
    for item in conflicts:
        (span,) = item.evidence
        said = [line.text for line in plan.world.lines if line.span.overlaps(span)]
        scene = plan.world.scene_at(span.start)
        assert scene.sign
        assert item.options[item.answer or 0] == scene.sign.text
        assert len(said) == 1
        assert said[0] in {
            f"The sign says {one}." for one in item.options if one != item.options[item.answer or 0]
        }


def test_a_seed_makes_the_same_videos_and_another_seed_others(tmp_path: Path) -> None:
    assert written(5, Fraction(60)).items == written(5, Fraction(60)).items
    assert written(5, Fraction(60)).items != written(6, Fraction(60)).items
    count = make_worldbench(tmp_path, lengths_s=[Fraction(10)], worlds=2, seed=5)
    items = benchmark("worldbench").load(tmp_path, "all")
    assert len(items) == count
    assert [item.question for item in items[:2]] == [
        item.question for item in written(5, Fraction(10)).items[:2]
    ]
    assert Counter(item.video for item in items).keys() == {"world-10s-5.mp4", "world-10s-6.mp4"}
    times = {path: path.stat().st_mtime_ns for path in tmp_path.glob("*.mp4")}
    assert make_worldbench(tmp_path, lengths_s=[Fraction(10)], worlds=2, seed=5) == count
    assert {path: path.stat().st_mtime_ns for path in tmp_path.glob("*.mp4")} == times


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two clips of one colour each, with a question of every form."""
    folder = tmp_path_factory.mktemp("clips")
    videos = []
    for name, colour in (("green", GREEN), ("red", RED)):
        picture = np.full((90, 160, 3), colour, np.uint8)
        write_video(
            folder / f"{name}.mp4", size=(160, 90), fps=10, frames=30, paint=lambda _, shown=picture: shown
        )
        evidence = [[0.5, 2]]
        count, read = (
            ("How many hues?", "What is written?")
            if name == "green"
            else ("How many colours?", "What does it say?")
        )
        asked = [
            {"id": f"{name}-1", "type": "mcq", "question": f"Is it {name}?", "options": ["blue", name], "answer": "B"},
            {"id": f"{name}-2", "type": "grounding", "question": f"It is {name}", "answer": [0.5, 2]},
            {"id": f"{name}-3", "type": "count", "question": count, "answer": 1},
            {"id": f"{name}-4", "type": "ocr", "question": read, "answer": "nothing"},
        ]  # fmt: skip
        videos.append(
            {"file": f"{name}.mp4", "qa": [question | {"evidence": evidence} for question in asked]}
        )
    (folder / "questions.json").write_text(json.dumps({"videos": videos}))
    return folder


def test_clips_lie_where_the_film_says_and_questions_move_along(clips: Path, tmp_path: Path) -> None:
    assert make_needle_films(tmp_path, clips, lengths_s=[Fraction(20)], seed=2) == 8
    items = read_items(tmp_path, "needle-films")
    assert {item.video for item in items} == {"film-0.333333min-2.mp4"}
    by_id = {item.id.split("-", 3)[-1]: item for item in items}
    with open_media(tmp_path / items[0].video) as film:
        assert float(film.info.span.duration) == pytest.approx(20, abs=0.2)
        for name, colour in (("green", GREEN), ("red", RED)):
            (seen,), choice = by_id[f"{name}-1"].evidence, by_id[f"{name}-1"]
            assert choice.options[choice.answer or 0] == name
            assert by_id[f"{name}-2"].spans == (seen,)
            assert by_id[f"{name}-3"].number == 1
            assert by_id[f"{name}-4"].text == "nothing"
            assert seen.duration == Fraction(3, 2)
            frame = film.frames_at(list(seen.middles(1)))[0].image
            assert np.abs(frame.mean((0, 1)) - colour).max() < 20
            before = film.frames_at([seen.start - Fraction(3, 2)])[0].image
            assert np.abs(before.mean((0, 1)) - colour).max() > 20


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda found: found["videos"][0].pop("qa"), "row 1 has no qa"),
        (lambda found: found["videos"][0].update(file="none.mp4"), "names none.mp4, which is not there"),
        (lambda found: found["videos"][1]["qa"][0].update(answer="Q"), "red-1: the answer 'Q' is none"),
    ],
)
def test_a_damaged_manifest_is_an_error_that_names_the_place(
    clips: Path, tmp_path: Path, change: object, said: str
) -> None:
    for path in clips.glob("*.mp4"):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    found = json.loads((clips / "questions.json").read_text())
    change(found)  # type: ignore[operator]
    (tmp_path / "questions.json").write_text(json.dumps(found))
    with pytest.raises(UsageError, match=said):
        make_needle_films(tmp_path / "out", tmp_path, lengths_s=[Fraction(20)])


@pytest.mark.parametrize(
    ("question", "left"), [("Which colour is seen at the start?", 7), ("How many colours?", 6)]
)
def test_questions_of_a_time_of_the_clip_or_of_two_clips_are_left_out(
    clips: Path, tmp_path: Path, question: str, left: int
) -> None:
    for path in clips.glob("*.mp4"):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    found = json.loads((clips / "questions.json").read_text())
    found["videos"][0]["qa"][0]["question"] = question
    (tmp_path / "questions.json").write_text(json.dumps(found))
    assert make_needle_films(tmp_path / "out", tmp_path, lengths_s=[Fraction(20)]) == left


def test_no_manifest_and_no_room_are_told(clips: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"holds no questions\.json"):
        read_clips(tmp_path)
    with pytest.raises(UsageError, match="has no room for clips"):
        make_needle_films(tmp_path, clips, lengths_s=[Fraction(8)])


def test_the_command_makes_what_bench_then_asks(tmp_path: Path) -> None:
    words = [
        "bench",
        "make",
        "worldbench",
        "--out",
        str(tmp_path),
        "--length",
        "4",
        "--worlds",
        "1",
        "--json",
    ]
    done = CliRunner().invoke(cli, words)
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["questions"] == len(read_items(tmp_path, "worldbench"))


@pytest.mark.parametrize(
    ("said", "true", "right"),
    [
        ("Exit 31.", "EXIT 31", True),
        ("It says EXIT 31", "exit 31", True),
        ("exlt 31", "exit 31", False),
        ("PLATFORN 9", "platform 9", True),
        ("nothing", "exit 31", False),
        ("", "exit", False),
        ("exit or entry or stairs or lift or door or gate", "exit", False),
        ("<think>maybe entry</think> exit", "exit", True),
    ],
)
def test_short_answers_hold_the_true_words(said: str, true: str, right: bool) -> None:
    assert holds(said, true) is right
