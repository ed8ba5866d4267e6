"""Truth: what a world says of itself agrees with its timeline, in every language and kind."""

from __future__ import annotations

import re
import tracemalloc
from collections import Counter
from functools import cache

import pytest

from vidence.errors import UsageError
from vidence.timeline import union
from vidence.worlds import KINDS, Question, Setting, World, make_world
from vidence.worlds.cast import Thing
from vidence.worlds.lexicon import Tongue
from vidence.worlds.questions.wrong import PLAIN_VERBS

SIMPLE_KINDS = {"object", "attribute", "action", "counting", "order", "spatial", "grounding", "text"}


@cache
def worlds(level: int, count: int = 60, split: str = "train") -> tuple[World, ...]:
    setting = Setting(level=level, split=split, languages=("en", "zh", "es"))
    return tuple(make_world(seed, setting) for seed in range(count))


def form(question: Question) -> str:
    """The form is the part of the id between the seed and the number."""
    return question.id.split("-")[3]


@pytest.mark.parametrize("level", [0, 1, 2, 3])
def test_scenes_fill_the_world_and_hold_their_events(level: int) -> None:
    for world in worlds(level):
        assert union([scene.span for scene in world.scenes]) == [world.span]
        assert sum(scene.span.duration for scene in world.scenes) == world.span.duration
        for event in world.events:
            scene = world.scenes[event.scene]
            assert scene.span.start <= event.span.start < event.span.end <= scene.span.end
        for line in world.lines:
            assert world.span.start <= line.span.start < line.span.end <= world.span.end


@pytest.mark.parametrize("split", ["train", "test"])
@pytest.mark.parametrize("level", [0, 1, 2, 3])
def test_every_question_is_whole(level: int, split: str) -> None:
    for world in worlds(level, 30, split):
        questions = world.questions()
        assert questions
        assert len({question.id for question in questions}) == len(questions)
        for question in questions:
            assert question.kind in KINDS
            assert "{" not in question.text
            assert len(set(question.options)) == len(question.options)
            assert question.evidence
            assert all(
                world.span.start <= span.start < span.end <= world.span.end for span in question.evidence
            )
            if question.correct is None:
                assert question.kind in ("grounding", "synopsis")
                assert question.answer
            else:
                assert 2 <= len(question.options) <= 4
                assert question.options[question.correct] == question.answer


def test_every_kind_occurs_in_half_a_minute() -> None:
    found = Counter(question.kind for world in worlds(2, 200) for question in world.questions())
    assert set(found) == set(KINDS)
    simple = Counter(question.kind for world in worlds(0, 60) for question in world.questions())
    assert set(simple) >= SIMPLE_KINDS


def test_counts_are_those_of_the_timeline() -> None:
    checked = 0
    for world in (*worlds(0), *worlds(1), *worlds(2, 200)):
        for question in world.questions(kinds=["counting"]):
            scene = world.scene_at(question.evidence[0].start)
            if form(question) == "counting_jumps":
                jumps = [
                    event for event in world.events if event.verb == "jump" and event.scene == scene.index
                ]
                count = len(jumps)
                assert question.evidence[0] == jumps[0].span.hull(jumps[-1].span)
            elif form(question) == "counting_deeds":
                verbs = {event.verb for event in world.events if event.span == question.evidence[0]}
                (count,) = {
                    sum(event.verb == verb for event in world.events) for verb in verbs if verb in PLAIN_VERBS
                }
                assert len(question.evidence) == count
            else:
                looks = Counter(part.entity.look for part in scene.parts if isinstance(part.entity, Thing))
                nouns = Counter(part.entity.noun for part in scene.parts if isinstance(part.entity, Thing))
                count = looks[scene.parts[0].entity.look]
                assert nouns[scene.parts[0].entity.noun] == count
            assert question.answer == str(count)
            checked += 1
    assert checked > 60


def test_grounded_spans_are_those_of_events() -> None:
    for world in (*worlds(0), *worlds(2)):
        spans = {event.span for event in world.events}
        for question in world.questions(kinds=["grounding"]):
            assert question.span in spans
            assert question.evidence == (question.span,)
            start, end = map(float, re.findall(r"\d+\.\d", question.answer))
            assert abs(start - float(question.span.start)) <= 0.0501
            assert abs(end - float(question.span.end)) <= 0.0501


@pytest.mark.parametrize("level", [0, 1, 2, 3])
def test_what_is_asked_without_a_scope_happens_once(level: int) -> None:
    """Read back from the words: a clause that stands alone in a question is that of one event only."""
    checked = 0
    for world in worlds(level):
        clauses = Counter(caption.text.rstrip(".").lower() for caption in world.captions())
        for question in world.questions(kinds=["grounding"]):
            found = re.match(r"(?:When does this happen: |Find the moment: )(.*)[?.]$", question.text)
            if found:
                assert clauses[found[1].lower()] == 1, question
                checked += 1
    assert checked > 30


def test_who_does_something_is_the_only_one() -> None:
    for world in (*worlds(1), *worlds(2)):
        scenes = {scene.span for scene in world.scenes}
        told = [caption for caption in world.captions() if caption.span not in scenes]
        deeds = [caption.text.rstrip(".").lower() for caption in told]
        for question in world.questions(kinds=["action"]):
            found = re.match(r"(?:Who|Which of them) (.*)\?$", question.text)
            if found and form(question) == "action_who":
                doers = {deed for deed in deeds if deed.endswith(" " + found[1])}
                assert doers == {f"{question.answer} {found[1]}".lower()}, question


def test_plots_go_from_wanting_to_giving() -> None:
    checked = 0
    for world in worlds(2, 200):
        for plot in world.plots:
            mine = [
                event for event in world.events if event.subject == plot.lead and event.thing == plot.thing
            ]
            steps = [event.verb for event in mine if event.verb != "pick_up"]
            assert steps == ["search", "find", "give"]
            assert mine[-1].other == plot.receiver
            for question in world.questions(kinds=["plot"]):
                assert len(question.options) >= 3
                checked += 1
    assert checked > 100


@pytest.mark.parametrize("level", [1, 2, 3])
def test_wrong_things_are_not_in_sight(level: int) -> None:
    for world in worlds(level):
        tongue = Tongue("en", world.actors)
        for question in world.questions(kinds=["object"]):
            if form(question) == "object_seen":
                scene = world.scene_at(question.evidence[0].start)
                shown = {tongue.name(part.entity) for part in scene.parts if isinstance(part.entity, Thing)}
                assert shown & set(question.options) == {question.answer}


@pytest.mark.parametrize("level", [1, 2, 3])
def test_what_is_beside_a_thing_is_the_nearest_on_that_side(level: int) -> None:
    checked = 0
    for world in worlds(level):
        tongue = Tongue("en", world.actors)
        for question in world.questions(kinds=["spatial"]):
            side = {"spatial_left": -1, "spatial_right": 1}.get(form(question))
            if side is None:
                continue
            scene = world.scene_at(question.evidence[0].start)
            things = [part for part in scene.parts if isinstance(part.entity, Thing)]
            places = [(part.at(0).x, tongue.name(part.entity)) for part in things]
            (here,) = [x for x, name in places if name in question.text]
            beyond = [(abs(x - here), name) for x, name in places if (x - here) * side > 0]
            assert question.answer == min(beyond)[1]
            checked += 1
    assert checked > 10


@pytest.mark.parametrize("level", [0, 2])
def test_all_languages_ask_the_same(level: int) -> None:
    for world in worlds(level, 20):
        english, chinese, spanish = (world.questions(language=code) for code in ("en", "zh", "es"))
        assert [one.id for one in english] == [one.id for one in chinese] == [one.id for one in spanish]
        for one, other, third in zip(english, chinese, spanish, strict=True):
            assert one.correct == other.correct == third.correct
            assert one.evidence == other.evidence == third.evidence
            assert not re.search(r"\bel el\b|\bde el\b|\ba el\b", third.text + third.answer)


def test_splits_share_no_look_no_place_and_no_sign() -> None:
    seen = {}
    for split in ("train", "test"):
        cast = worlds(2, 60, split)
        things = {
            part.entity.look[:2]
            for world in cast
            for scene in world.scenes
            for part in scene.parts
            if isinstance(part.entity, Thing)
        }
        people = {actor.look[1:] for world in cast for actor in world.actors if actor.person}
        places = {scene.place.look for world in cast for scene in world.scenes}
        signs = {scene.sign.language for world in cast for scene in world.scenes if scene.sign}
        seen[split] = things, people, places, signs
    for train, test in zip(seen["train"], seen["test"], strict=True):
        assert train
        assert test
        assert not train & test


def test_the_plan_of_an_hour_is_small() -> None:
    tracemalloc.start()
    world = make_world(3, Setting(duration_s=3600))
    kept, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert kept < 8_000_000
    assert len(world.scenes) > 200
    assert world.frame(3599.5).shape == (96, 128, 3)
    asked = world.questions(most=50)
    assert len(asked) == 50
    assert {question.kind for question in asked} >= {"action", "object", "order", "spatial"}


def test_questions_can_be_chosen_by_kind_and_number() -> None:
    world = make_world(4, Setting(duration_s=60))
    assert {question.kind for question in world.questions(kinds=["plot", "order"])} <= {"plot", "order"}
    assert world.questions(most=7) == world.questions()[:7] or len(world.questions(most=7)) == 7
    with pytest.raises(UsageError, match="kind"):
        world.questions(kinds=["smell"])
    with pytest.raises(UsageError, match="language"):
        world.questions(language="zh")


@pytest.mark.parametrize(
    ("wrong", "name"),
    [
        ({"duration_s": 1}, "duration_s"),
        ({"duration_s": "5:00:00"}, "duration_s"),
        ({"size": (8, 8)}, "size"),
        ({"size": 64}, "size"),
        ({"rate_hz": 0}, "rate_hz"),
        ({"rate_hz": 29.97}, "rate_hz"),
        ({"level": 4}, "level"),
        ({"split": "dev"}, "split"),
        ({"languages": ()}, "languages"),
        ({"languages": ("xx",)}, "languages"),
        ({"cast": "photos"}, "cast"),
        ({"kinds": ("smell",)}, "kinds"),
    ],
)
def test_wrong_settings_are_named(wrong: dict[str, object], name: str) -> None:
    with pytest.raises(UsageError, match=name):
        Setting(**wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize("duration", [2, 3, "4.5", 7, 600])
def test_worlds_of_any_length(duration: object) -> None:
    for level in (0, 1, 2, 3):
        world = make_world(8, Setting(duration_s=duration, level=level))  # type: ignore[arg-type]
        assert world.scenes[-1].span.end == world.span.end
        assert world.questions()
        assert world.synopsis()
        assert world.captions()
