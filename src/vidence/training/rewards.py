"""Rewards by rule: small named functions of what was said and what is true, each from 0 to 1."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from vidence.errors import UsageError
from vidence.models.internvideo3.protocol import interval, letter
from vidence.timeline import Span


@dataclass(frozen=True, slots=True)
class Truth:
    """What a question's answer is judged by: words or a letter, a true interval, and where the evidence lies."""

    answer: str
    letter: str | None = None
    span: Span | None = None
    evidence: tuple[Span, ...] = ()
    kind: str = ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a rollout came to: its answer's words, the spans it cites, tool calls made, whether it kept form."""

    text: str
    cited: tuple[Span, ...] = ()
    calls: int = 0
    well_formed: bool = True
    ended: bool = True


Reward = Callable[[Outcome, Truth], float]


def correct(outcome: Outcome, truth: Truth) -> float:
    """Return 1 for the right letter, or where there are no options for the right words."""
    if truth.letter is not None:
        return float(letter(outcome.text) == truth.letter)
    return float(normal(outcome.text) == normal(truth.answer))


def iou(outcome: Outcome, truth: Truth) -> float:
    """Return intersection over union of the first two numbers said, in seconds, with the true interval."""
    said = interval(outcome.text)
    return 0.0 if said is None or truth.span is None else said.iou(truth.span)


def form(outcome: Outcome, truth: Truth) -> float:
    """Return 1 if every call could be read and the answer ended by itself."""
    del truth
    return float(outcome.well_formed and outcome.ended)


def evidence(outcome: Outcome, truth: Truth) -> float:
    """Return the best overlap of a cited span with a true one, counting a citation within the evidence as right."""
    hits = [_within(cited, true) for cited in outcome.cited for true in truth.evidence]
    return max(hits, default=0.0)


def thrift(outcome: Outcome, truth: Truth) -> float:
    """Return 1 for no tool call, a half for one, and so on: 1 / (1 + calls)."""
    del truth
    return 1 / (1 + outcome.calls)


REWARDS: Mapping[str, Reward] = {each.__name__: each for each in (correct, iou, form, evidence, thrift)}


@dataclass(frozen=True, slots=True)
class Rubric:
    """Rewards with weights. A question with a true interval is judged by `iou` where others are by `correct`."""

    weights: Mapping[str, float] = field(default_factory=lambda: {"answer": 1.0})

    def __post_init__(self) -> None:
        for name in self.weights:
            if name != "answer" and name not in REWARDS:
                raise UsageError(f"reward {name!r} is not known; there are answer, {', '.join(REWARDS)}")

    def judge(self, outcome: Outcome, truth: Truth) -> tuple[float, dict[str, float]]:
        """Return the weighted sum, and each part."""
        parts = {
            name: (iou if truth.span is not None else correct)(outcome, truth)
            if name == "answer"
            else REWARDS[name](outcome, truth)
            for name in self.weights
        }
        return sum(self.weights[name] * value for name, value in parts.items()), parts


def normal(text: str) -> str:
    """Write a text in small letters without marks around it, as answers are compared."""
    return " ".join(re.sub(r"[^\w\s.:-]", " ", text.casefold()).split()).strip(".: -")


def _within(cited: Span, true: Span) -> float:
    """Return how much of a cited span lies in a true one; of a longer one, which says less, their overlap."""
    shared = cited.intersection(true)
    if shared is None or not cited.duration:
        return 0.0
    return float(shared.duration / cited.duration) if cited.duration <= true.duration else cited.iou(true)
