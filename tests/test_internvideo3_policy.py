"""Our own model as the policy: what it writes is understood, and becomes belief, evidence and a checked answer."""

from __future__ import annotations

import importlib
import wave
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

pytest.importorskip("torch")
pytest.importorskip("transformers")

from conftest import MakeVideo
from vidence.errors import UsageError
from vidence.mcr.budget import Budget, Meter
from vidence.models.internvideo3 import protocol
from vidence.models.internvideo3.processing import InternVideo3Processor
from vidence.policies import open_policy
from vidence.policies.internvideo3 import InternVideo3Policy
from vidence.policies.internvideo3.believing import believed, clue, hypothesis
from vidence.policies.internvideo3.rollout import Said
from vidence.timeline import Span
from vidence.video import open as open_video

WHOLE = Span.of(0, 20)


def situation(*choices: str) -> Any:
    return SimpleNamespace(question=SimpleNamespace(choices=choices), shown=[])


def rollout(*clues: Any, choices: tuple[str, ...] = ()) -> Any:
    return SimpleNamespace(situation=situation(*choices), clues=list(clues), answered=True)


def test_a_call_that_is_written_is_read() -> None:
    span = Span.of("2.5", 7)
    assert protocol.calls(protocol.call(span))
    assert protocol.called(protocol.call(span), WHOLE) == span
    assert protocol.called(
        '<tool_call>{"name": "look", "arguments": {"start": 18, "end": 12}}</tool_call>', WHOLE
    ) == (Span.of(12, 18))
    assert protocol.called(protocol.call(Span.of(15, 90)), WHOLE) == Span.of(15, 20)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("<tool_call>look there</tool_call>", "cannot be read"),
        ('<tool_call>{"name": "look"}</tool_call>', "cannot be read"),
        (
            '<tool_call>{"name": "look", "arguments": {"start": 1e999, "end": 2}}</tool_call>',
            "cannot be read",
        ),
        ('<tool_call>{"name": "jump", "arguments": {"start": 1, "end": 2}}</tool_call>', "no tool 'jump'"),
        (protocol.call(Span.of(30, 40)), "nothing lies there"),
    ],
)
def test_a_call_that_cannot_be_followed_says_why(text: str, fault: str) -> None:
    with pytest.raises(UsageError, match=fault):
        protocol.called(text, WHOLE)


def test_citations_are_taken_out_of_an_answer() -> None:
    text = f"B {protocol.citation(Span.of(1, Fraction(5, 2)))} <9.0-3.0 seconds>"
    assert protocol.cited(text) == ("B", (Span.of(1, Fraction(5, 2)),))


@pytest.mark.parametrize(
    ("said", "option"),
    [
        ("B", "jumps"),
        ("(A)", "sits"),
        ("He jumps.", "jumps"),
        ("jumps (B)", "jumps"),
        ("Z", ""),
        ("sits or jumps", ""),
    ],
)
def test_an_answer_names_an_option_or_none(said: str, option: str) -> None:
    assert hypothesis(Said(said, 0.5), situation("sits", "jumps")) == option


@pytest.mark.parametrize("probability", [0.1, 0.4, 0.9])
def test_a_single_answer_is_believed_as_the_model_was_sure_of_it(probability: float) -> None:
    choices = ("sits", "jumps", "waves", "bows")
    said = Said("B", probability)
    belief = believed(rollout(("jumps", clue(said, situation(*choices), "answer", ())), choices=choices))
    assert belief.probabilities()[1] == pytest.approx(probability)
    words = believed(rollout(("a cup", clue(Said("a cup", probability), situation(), "answer", ()))))
    assert words.probabilities() == [pytest.approx(probability)]


def test_a_second_answer_strengthens_the_first_or_takes_its_place() -> None:
    choices = ("sits", "jumps")
    first = ("sits", clue(Said("A", 0.7), situation(*choices), "answer", ()))
    for again, best in ((("A", 0.8), 0), (("B", 0.98), 1)):
        second = (choices["AB".index(again[0])], clue(Said(*again), situation(*choices), "asked anew", ()))
        index, sure = believed(rollout(first, second, choices=choices)).best() or (-1, 0)
        assert index == best
        assert sure > 0.7


def test_a_policy_is_opened_by_name() -> None:
    assert open_policy().name == "rules"
    for name, model, fault in (
        ("oracle", None, "no policy"),
        ("internvideo3", None, "needs a model"),
        ("rules", "nano", "no model"),
    ):
        with pytest.raises(UsageError, match=fault):
            open_policy(name, model)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model that has learned nothing, with the words of worlds: what it says is noise, and how it is asked is not."""
    pytest.importorskip("pydantic")
    pytest.importorskip("tokenizers")
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(Path(__file__).parent / "training"))
        toy = importlib.import_module("toy")
        folder = tmp_path_factory.mktemp("model")
        toy.write_start(folder / "start")
        toy.write_converted(folder / "latent", folder / "start", 0.5)
    processor = InternVideo3Processor.from_pretrained(folder / "latent")
    processor.video_limits |= {"fps": 2.0, "min_frames": 4, "max_frames": 8, "max_frame_pixels": 1024}
    processor.save_pretrained(folder / "latent")
    return folder / "latent"


def brief(model: Path, **how: Any) -> Any:
    """Open the policy, and let it say no more than a few words."""
    policy = open_policy("internvideo3", model, device="cpu", **how)
    assert isinstance(policy, InternVideo3Policy)
    policy.max_new_tokens = 6
    return policy


def test_the_next_question_starts_from_what_was_seen(
    model: Path, make_video: MakeVideo, tmp_path: Path
) -> None:
    path = make_video("clip.mp4", frames=75)
    policy = brief(model, seen=tmp_path / "seen")
    cold = brief(model)
    with open_video(path, memory=tmp_path / "memory.sqlite") as video:
        assert video.memory.seen == tmp_path / "seen"
        first = video.ask("What is it?", choices=["a", "b"], policy=policy)
        (kept,) = (tmp_path / "seen").iterdir()
        again = video.ask("What is it?", choices=["a", "b"], policy=policy)
        other = video.ask("What is it?", choices=["a", "b"], policy=cold)
        assert again.receipt.tokens < first.receipt.tokens == other.receipt.tokens
        assert (again.text, again.choice, again.confidence) == (other.text, other.choice, other.confidence)
        kept.write_bytes(b"damaged")
        assert (
            video.ask("What is it?", choices=["a", "b"], policy=policy).receipt.tokens == first.receipt.tokens
        )
        video.memory.forget(video.media.hash)
        assert not list((tmp_path / "seen").iterdir())


def test_frames_are_shown_as_the_model_was_trained_to_take_them(
    model: Path, make_video: MakeVideo, tmp_path: Path
) -> None:
    policy = brief(model)
    with open_video(make_video("clip.mp4", frames=75), memory=tmp_path / "memory.sqlite") as video:
        answer = video.ask("What is it?", policy=policy, budget=Budget(max_steps=2))
        assert video.last_situation is not None
        (shown,) = video.last_situation.shown[:1]
        assert (len(shown.frames), max(shown.frames[0].image.shape[:2])) == (4, 32)  # half of eight
        assert answer.receipt.model_calls >= 2  # seeing, and answering
        assert answer.coverage.senses == ()


def test_sound_alone_cannot_be_seen(model: Path, make_video: MakeVideo, tmp_path: Path) -> None:
    path = tmp_path / "sound.wav"
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, 16_000, 0, "NONE", ""))
        file.writeframes(bytes(64_000))
    with open_video(path, memory=tmp_path / "memory.sqlite") as video:
        answer = video.ask("What is it?", policy=brief(model))
    assert answer.status == "insufficient evidence"
    assert answer.lacking == "there is no picture to look at"


def test_of_what_another_sense_perceived_it_is_asked_whether_the_claim_is_true(
    model: Path, make_video: MakeVideo, tmp_path: Path
) -> None:
    from vidence.apps.checking import Checker
    from vidence.senses.colour import Colour

    policy = brief(model)
    with open_video(make_video("clip.mp4", frames=75), memory=tmp_path / "memory.sqlite") as video:
        video.index([Colour()])
        grey = video.observations("colour")[0]
        checker = Checker(video, Meter(Budget()), "catalogue the shots", policy)
        verdict, _ = checker.verdict("a bell rings", (checker.cite(grey),))
        rollout = policy.rollout
    assert "asked if it is true" in verdict.checked_by
    assert verdict.kind in ("supported", "unsupported")  # what it says is noise, but never that it is denied
    assert rollout is None or not rollout.clues  # no belief about a question that nobody asked


def test_a_model_that_does_not_read_options_is_asked_without_them(
    model: Path, make_video: MakeVideo, tmp_path: Path
) -> None:
    policy = brief(model)
    policy.processor.options = "weighed"
    with open_video(make_video("clip.mp4", frames=75), memory=tmp_path / "memory.sqlite") as video:
        answer = video.ask("What does it do?", choices=["grows", "jumps", "moves upwards"], policy=policy)
        rollout = policy.rollout
        assert rollout is not None
        read = rollout.talk.tokenizer.decode(rollout.talk.ids_BT[0])
    assert answer.choice is not None
    assert "What does it do?" in read
    assert "A. grows" not in read
