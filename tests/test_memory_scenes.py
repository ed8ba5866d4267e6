"""Scenes follow what changes, keep what alternates, and are named by their own words."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import numpy as np

from conftest import MakeVideo
from test_memory import SPEECH, add, no_meaning, said
from vidence.memory import Memory, Scene
from vidence.memory.scenes import build
from vidence.senses.observation import Observation, Producer
from vidence.timeline import Span

SHOTS, COLOUR, TEXT = Producer("shots", "1"), Producer("colour", "1"), Producer("text", "1")


def shot(start: float, end: float) -> Observation:
    return Observation(Span.of(start, end), "visual", SHOTS, "shot", data={"cut": start > 0, "score": 1.0})


def colour(start: float, end: float, name: str) -> Observation:
    data = {"colours": [[name, 1.0]], "brightness": 0.5, "monochrome": False}
    return Observation(Span.of(start, end), "visual", COLOUR, f"in colour, mostly {name}", data=data)


def film(names: Sequence[str], length_s: int = 5) -> list[Observation]:
    """One shot of one colour after the other."""
    shots = [shot(n * length_s, (n + 1) * length_s) for n in range(len(names))]
    return shots + [colour(n * length_s, (n + 1) * length_s, name) for n, name in enumerate(names)]


def starts(scenes: Sequence[Scene]) -> list[float]:
    return [float(scene.span.start) for scene in scenes]


def test_scenes_begin_where_the_looks_change_for_good() -> None:
    names = ["red"] * 6 + ["blue"] * 6 + ["green"] * 6
    scenes = build(film(names), {}, Span.of(0, 90))
    assert starts(scenes) == [0, 30, 60]
    assert [len(scene.shots) for scene in scenes] == [6, 6, 6]


def test_a_dialogue_of_two_alternating_shots_is_one_scene() -> None:
    names = ["red"] * 8 + ["blue", "green"] * 6
    assert starts(build(film(names, 3), {}, Span.of(0, 60))) == [0, 24]


def test_one_long_shot_is_cut_by_its_topic() -> None:
    topics = np.eye(2, 16, dtype=np.float32)
    spoken = [said(10 * n, 10 * n + 9, f"sentence {n}") for n in range(60)]
    vectors = {s.text: topics[int(n >= 30)] for n, s in enumerate(spoken)}
    scenes = build([shot(0, 600), *spoken], vectors, Span.of(0, 600))
    assert len(scenes) == 2
    assert abs(scenes[1].span.start - 300) <= 10


def test_every_second_is_in_one_scene_and_every_event_in_one_moment() -> None:
    spoken = [said(n, n + 1, f"word {n}") for n in range(0, 90, 4)]
    seen = [Observation(s.span, s.modality, s.producer, s.text, id=n) for n, s in enumerate(spoken, 1)]
    names = ["red"] * 6 + ["blue"] * 6 + ["green"] * 6
    scenes = build([*film(names), *seen], {}, Span.of(0, 90))
    assert [a.span.end for a in scenes[:-1]] == [b.span.start for b in scenes[1:]]
    assert (scenes[0].span.start, scenes[-1].span.end) == (0, 90)
    ids = [
        id for scene in scenes for one in scene.shots for moment in one.moments for id in moment.observations
    ]
    assert sorted(ids) == [o.id for o in seen]


def test_what_was_not_seen_is_no_scene() -> None:
    scenes = build(film(["red"] * 6), {}, Span.of(0, 3600))
    assert scenes[-1].span.end == 30
    assert build([], {}, Span.of(0, 3600)) == []


def test_titles_and_summaries_take_what_tells_a_scene_from_the_others() -> None:
    spoken = [
        said(5, 9, "Today we bake bread in the kitchen."),
        said(15, 19, "The bread needs flour and bread needs time."),
        said(35, 39, "Today the rocket leaves the launch pad."),
        said(45, 49, "A rocket burns fuel, the rocket rises."),
    ]
    sign = Observation(Span.of(31, 36), "text", TEXT, "MISSION CONTROL", 0.95, data={"height": 0.1})
    scenes = build([*film(["red"] * 6 + ["blue"] * 6), *spoken, sign], {}, Span.of(0, 60))
    assert starts(scenes) == [0, 30]
    assert scenes[0].title.startswith("bread")
    assert scenes[1].title.startswith("MISSION CONTROL · rocket")
    assert "Written: MISSION CONTROL." in scenes[1].summary
    assert spoken[2].text in scenes[1].summary


def test_the_hierarchy_is_stored_and_built_anew_after_a_change(tmp_path: Path, make_video: MakeVideo) -> None:
    video = make_video("a.mp4", times=[Fraction(0), Fraction(89)])
    with Memory.open(tmp_path / "m.sqlite", encoders={"language": no_meaning}) as memory:
        medium = add(memory, video)
        assert memory.scenes(medium) == []
        seen = film(["red"] * 6 + ["blue"] * 6)
        memory.write(medium, SHOTS, Span.of(0, 60), [s for s in seen if s.sense == "shots"])
        assert len(memory.scenes(medium)) == 1
        memory.write(medium, COLOUR, Span.of(0, 60), [s for s in seen if s.sense == "colour"])
        built = memory.scenes(medium)
        assert starts(built) == [0, 30]
        stored = memory._database.read("SELECT * FROM outline")
        assert memory.scenes(medium) == built
        assert memory._database.read("SELECT * FROM outline") == stored
        memory.write(medium, SPEECH, Span.of(0, 60), [said(1, 2, "hello there")])
        assert "hello" in memory.scenes(medium)[0].title
        assert memory.scenes(medium)[0].to_json()["shots"][0]["moments"]
