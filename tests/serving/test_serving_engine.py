"""Many chats at once are answered as one alone would be; what they share is read once; limits hold."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")
pytest.importorskip("llguidance")

import jsonschema  # noqa: E402
from processor_cases import picture  # noqa: E402

from serving.engine_cases import (  # noqa: E402
    FRAME_TOKENS,
    alone,
    assistant,
    at_once,
    clip,
    ending,
    greedy,
    reading,
    seeing,
    serving,
    user,
)
from vidence.errors import UsageError, VidenceError  # noqa: E402
from vidence.serving import batch, prefixes  # noqa: E402
from vidence.serving.engine import Answering, BusyError, Engine, Sampling  # noqa: E402

QUESTIONS = [
    user("What is this?", video=clip(0)),
    user("What is that?", video=clip(0)),
    user("Who?"),
    user("What is this?", video=clip(7, 6)),
    user("And this picture?", image=picture(3, 64, 96)),
    user("What is this, and what was it before, and what will it be some day?", video=clip(0)),
]


@pytest.fixture(scope="module")
def model() -> tuple[Any, Any]:
    return seeing()


@pytest.fixture
def small_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let runs of few tokens be shared, frozen and merged as long ones are."""
    monkeypatch.setattr(batch, "SHARED_TOKENS", 12)
    monkeypatch.setattr(batch, "FROZEN_TOKENS", 5)
    monkeypatch.setattr(prefixes, "MERGED_TOKENS", 48)


@pytest.mark.usefixtures("small_runs")
@pytest.mark.parametrize(
    "changes",
    [{}, {"kv_lora_rank_vision": 16}, {"attention_layout": "release"}, {"windowed": True}],
    ids=["one bank", "two banks", "release", "tower of Qwen2.5-VL"],
)
def test_chats_side_by_side_are_answered_as_if_alone(changes: dict[str, Any]) -> None:
    model = seeing(**changes)
    ending(*model, alone(*model, QUESTIONS[:1], 10)[0][-1])
    expected = [alone(*model, [question], 20)[0] for question in QUESTIONS]
    assert len(set(expected)) > 3
    assert len(expected[0]) < 10
    with serving(*model, running=4, stretch_tokens=10) as engine:
        for _ in range(2):  # the second time from what is kept
            with at_once(engine):
                asked = [engine.ask([question], greedy(20)) for question in QUESTIONS]
            assert [one.result().text for one in asked] == expected


def test_without_small_runs_too(model: Any) -> None:
    expected = [alone(*model, [question])[0] for question in QUESTIONS]
    with serving(*model) as engine:
        with at_once(engine):
            asked = [engine.ask([question], greedy()) for question in QUESTIONS]
        assert [one.result().text for one in asked] == expected


def test_who_waits_hears_when_the_engine_closes(model: Any) -> None:
    with serving(*model, running=1) as engine:
        asked = [engine.ask([question], greedy(100_000)) for question in QUESTIONS[:2]]
    for one in asked:
        with pytest.raises(BusyError, match="no longer"):
            one.result()
    with pytest.raises(BusyError, match="no longer"):
        engine.ask(QUESTIONS[:1], greedy())


def test_whoever_joins_midway_changes_nothing(model: Any) -> None:
    long = user("Tell me all.", video=clip(0))
    expected = alone(*model, [long], 60)[0]
    assert len(expected) > 30
    others = QUESTIONS[2:5]
    with serving(*model, stretch_tokens=10) as engine:
        first, pieces = engine.ask([long], greedy(60)), list[str]()
        for number, question in enumerate(others):
            _until(engine, said=5 * (number + 1))
            assert engine.reply([question], greedy(4)).text == alone(*model, [question], 4)[0]
        assert first.result(pieces.append).text == expected == "".join(pieces)
        assert len(pieces) > 10  # as it grows


def _until(engine: Engine, said: int) -> None:
    while engine.counts().said_tokens < said:
        time.sleep(0.001)


@pytest.mark.usefixtures("small_runs")
def test_chats_go_on_as_conversations_do_and_read_only_what_is_new(model: Any) -> None:
    turns = [
        [
            user("What is this?", video=clip(0)),
            user("Is it?"),
            user("And this?", video=clip(7)),
            user("Why?"),
        ],
        [user("What is that?", video=clip(0)), user("Is it?"), user("So?"), user("Who?")],
    ]
    expected = [alone(*model, chat, 6) for chat in turns]
    with serving(*model, stretch_tokens=16) as engine:
        chats: list[list[Any]] = [[], []]
        lengths = [0, 0]
        for turn in range(4):
            for chat, messages in zip(turns, chats, strict=True):
                messages.append(chat[turn])
            with at_once(engine):
                asked = [engine.ask(messages, greedy(6)) for messages in chats]
            for number, answering in enumerate(asked):
                reply = answering.result()
                assert reply.text == expected[number][turn]
                assert reply.cached >= lengths[number]
                lengths[number] = (
                    reply.prompt + reply.completion - 1
                )  # the row of the last token is not there
                chats[number].append(assistant(reply.text))


def test_several_questions_on_one_video_read_it_once(model: Any) -> None:
    questions = [user(f"{word} is this?", video=clip(0, 16)) for word in ("What", "Who", "How", "Where")]
    with serving(*model, stretch_tokens=16) as engine:
        with at_once(engine):
            asked = [engine.ask([question], greedy(3)) for question in questions]
        replies = [one.result() for one in asked]
        counts = engine.counts()
        later = engine.reply([user("When is this?", video=clip(0, 16))], greedy(3))
    frames = 8  # of two pictures each
    assert counts.frames == frames
    news = [one.prompt - one.cached for one in replies]
    assert news[0] > frames * FRAME_TOKENS
    assert max(news[1:]) < 30 < later.cached > frames * FRAME_TOKENS
    assert counts.read_tokens == sum(news) - 4  # the last token of each is said, not read


def test_frames_that_were_seen_elsewhere_are_not_looked_at_again(model: Any) -> None:
    with serving(*model) as engine:
        engine.reply([user("What?", video=clip(0))], greedy(2))
        frames = engine.counts().frames
        other = engine.reply([user("First this text. What?"), user("And?", video=clip(0))], greedy(2))
        assert other.cached < 20
        assert engine.counts().frames == frames


def test_what_one_scope_read_another_does_not_use(model: Any) -> None:
    question = [QUESTIONS[0]]
    with serving(*model) as engine:
        first = engine.reply(question, greedy(), scope="a")
        second, third = (engine.reply(question, greedy(), scope=scope) for scope in ("b", "a"))
    assert first.text == second.text == third.text
    assert (first.cached, second.cached) == (0, 0)
    assert third.cached == third.prompt - 1


def test_what_is_not_used_is_forgotten_and_read_anew_when_it_is(model: Any) -> None:
    chat, said = [user("What is this?", video=clip(0, 8)), user("Sure?")], list[str]()
    expected = alone(*model, chat)
    row = 4 * 4 * (24 + 8)  # four layers of four bytes
    with serving(*model, cache_bytes=260 * row, stretch_tokens=32) as engine:
        said.append(engine.reply(chat[:1], greedy()).text)
        for number in range(1, 4):
            engine.reply([user("What?", video=clip(20 * number, 8))], greedy())
            assert engine.counts().cache_bytes <= 260 * row
        again = engine.reply([chat[0], assistant(said[0]), chat[1]], greedy())
        said.append(again.text)
        assert said == expected
        assert again.cached < 40  # the video was read again, from pictures of an earlier turn
        with pytest.raises(UsageError, match="ask for fewer tokens or frames"):
            engine.reply([user("What?", video=clip(0))], greedy(1000))
        assert engine.reply(chat[:1], greedy()).text == expected[0]


def test_who_does_not_fit_beside_others_waits_for_them(model: Any) -> None:
    row = 4 * 4 * (24 + 8)
    with serving(*model, cache_bytes=300 * row, stretch_tokens=32) as engine:
        with at_once(engine):
            asked = [engine.ask([user("What?", video=clip(20 * one, 8))], greedy()) for one in range(4)]
        texts = [one.result().text for one in asked]
    assert texts == [alone(*model, [user("What?", video=clip(20 * one, 8))])[0] for one in range(4)]


def _order(monkeypatch: pytest.MonkeyPatch) -> list[Answering]:
    """Note who is told the end, in order."""
    ended, hear = list[Answering](), Answering.hear

    def noting(self: Answering, event: Any) -> None:
        if not isinstance(event, int):
            ended.append(self)
        hear(self, event)

    monkeypatch.setattr(Answering, "hear", noting)
    return ended


def test_a_long_prompt_does_not_hold_up_a_short_one(model: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    ended = _order(monkeypatch)
    with serving(*model, stretch_tokens=8) as engine:
        with at_once(engine):
            asked = [engine.ask([one], greedy(4)) for one in (user("What?", video=clip(0, 40)), user("Who?"))]
        for one in asked:
            one.result()
    assert [asked.index(one) for one in ended] == [1, 0]


def test_who_came_first_is_answered_first(model: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    ended = _order(monkeypatch)
    with serving(*model, running=1) as engine:
        with at_once(engine):
            asked = [engine.ask([one], greedy(2)) for one in QUESTIONS]
        for one in asked:
            one.result()
    assert ended == asked


def test_who_goes_away_makes_room_and_leaves_what_was_read(model: Any) -> None:
    with serving(*model, running=1) as engine:
        first = engine.ask([user("What is this?", video=clip(0))], greedy(100_000))
        _until(engine, said=3)
        waiting = [engine.ask([user(word)], greedy(3)) for word in ("a", "b")]
        waiting[0].cancel()
        first.cancel()
        assert waiting[1].result().text == alone(*model, [user("b")], 3)[0]
        later = engine.reply([user("What is that?", video=clip(0))], greedy(3))
        assert later.cached > 2 * FRAME_TOKENS
        assert (engine.counts().running, engine.counts().waiting) == (0, 0)


def test_who_stops_listening_is_not_answered_on(model: Any) -> None:
    class Enough(Exception):
        pass

    def stop(piece: str) -> None:
        raise Enough

    with serving(*model) as engine:
        with pytest.raises(Enough):
            engine.reply([user("Tell")], greedy(100_000), stop)
        assert engine.reply([user("Who?")], greedy(2)).completion == 2
        assert engine.counts().said_tokens < 100_000


def test_beyond_the_queue_it_says_so_and_later_answers(model: Any) -> None:
    with serving(*model, running=1, waiting=1) as engine:
        asked = [engine.ask([user("Tell")], greedy(100_000)), engine.ask([user("Who?")], greedy(2))]
        with pytest.raises(BusyError, match="2 requests are answered or wait, and no more may"):
            engine.ask([user("Why?")], greedy(2))
        asked[0].cancel()
        asked[1].result()
        assert engine.reply([user("Why?")], greedy(2)).text == alone(*model, [user("Why?")], 2)[0]


def test_a_bad_request_gives_its_place_back(model: Any) -> None:
    with serving(*model, running=1, waiting=0) as engine:
        for _ in range(3):
            with pytest.raises(UsageError, match="schema"):
                engine.ask([user("Why?")], Sampling(2, schema={"type": 3}))
        assert engine.reply([user("Why?")], greedy(2)).completion == 2


def test_drawn_answers_depend_on_their_seed_and_on_nobody_else(model: Any) -> None:
    def sampling(seed: int) -> Sampling:
        return Sampling(10, temperature=1.5, top_p=0.9, seed=seed)

    with serving(*model) as engine:
        single = [engine.reply([QUESTIONS[0]], sampling(seed)).text for seed in range(4)]
        assert len(set(single)) == 4
        with at_once(engine):
            asked = [engine.ask([QUESTIONS[0]], sampling(seed)) for seed in range(4)]
            others = [engine.ask([question], greedy(5)) for question in QUESTIONS]
        assert [one.result().text for one in asked] == single
        assert [one.result().text for one in others] == [alone(*model, [one], 5)[0] for one in QUESTIONS]


def test_forms_are_kept_to_among_others_without(model: Any) -> None:
    schema = {"type": "object", "properties": {"a": {"type": "integer", "maximum": 99}}, "required": ["a"]}
    schema |= {"additionalProperties": False}
    with serving(*model) as engine:
        with at_once(engine):
            formed = engine.ask([user("Give")], Sampling(60, schema=schema))
            free = engine.ask([user("Who?")], greedy())
        jsonschema.validate(json.loads(formed.result().text), schema)
        assert free.result().text == alone(*model, [user("Who?")])[0]


def test_a_model_that_fails_says_so_and_goes_on(model: Any) -> None:
    layer = model[0].model.language_model.layers[2].self_attn
    expected = alone(*model, [user("Who?")])[0]
    with serving(*model, stretch_tokens=16) as engine:
        for saying in (False, True):

            def fail(module: Any, given: Any, saying: bool = saying) -> None:
                if (given[0].shape[1] == 1) == saying:
                    raise RuntimeError("out of luck")

            broken = layer.register_forward_pre_hook(fail)
            for question in QUESTIONS[:2]:
                with pytest.raises(VidenceError, match="the model failed: RuntimeError: out of luck"):
                    engine.reply([question], greedy())
            broken.remove()
            assert engine.reply([user("Who?")], greedy()).text == expected


def test_a_text_model_answers_text_side_by_side_and_refuses_pictures() -> None:
    model, tokenizer = reading()
    chats = [[user("Who?"), user("Why?")], [user("What?"), user("And where?")]]
    expected = [alone(model, tokenizer, chat) for chat in chats]
    with serving(model, tokenizer) as engine:
        with at_once(engine):
            asked = [engine.ask(chat[:1], greedy()) for chat in chats]
        first = [one.result().text for one in asked]
        then = [
            engine.reply([chat[0], assistant(text), chat[1]], greedy()).text
            for chat, text in zip(chats, first, strict=True)
        ]
        assert [list(pair) for pair in zip(first, then, strict=True)] == expected
        with pytest.raises(UsageError, match="text alone"):
            engine.ask([user("See", video=clip(0))], greedy())
