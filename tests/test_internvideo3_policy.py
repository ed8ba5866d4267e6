"""Our own model as the policy: what it writes is understood, and becomes belief, evidence and a checked answer."""

from __future__ import annotations

from fractions import Fraction
from types import SimpleNamespace
from typing import Any

import pytest

pytest.importorskip("torch")
pytest.importorskip("transformers")

from vidence.errors import UsageError
from vidence.models.internvideo3 import protocol
from vidence.policies import open_policy
from vidence.policies.internvideo3.believing import believed, clue, hypothesis
from vidence.policies.internvideo3.rollout import Said
from vidence.timeline import Span

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
