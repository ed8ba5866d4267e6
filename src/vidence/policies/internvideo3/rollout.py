"""One question put to the model: its dialogue with a cache that grows, what it was shown, and what it said.

Times that the model reads and writes count from the medium's start; spans elsewhere are on the medium's own clock.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from vidence.mcr.belief import Clue
from vidence.mcr.question import Question
from vidence.mcr.situation import Shown, Situation
from vidence.models.internvideo3 import protocol
from vidence.models.internvideo3.video import Clip
from vidence.policies.internvideo3.host import Talk
from vidence.timeline import Instant, Span

WEIGHED = "weighed"  # the model is asked without options, and how likely each is as its answer decides


@dataclass(frozen=True, slots=True)
class Said:
    """A turn of the model, with how likely it was: an option's probability, or a word's on geometric average."""

    text: str
    probability: float

    @property
    def answer(self) -> str:
        """Return the words without citations."""
        return protocol.cited(self.text)[0]


@dataclass(slots=True)
class Rollout:
    """The dialogue about one question."""

    situation: Situation
    talk: Talk
    options: str  # what the model does with them
    looks: int  # that may still be asked for
    max_new_tokens: int
    waiting: list[Mapping[str, Any]] = field(default_factory=list)  # messages that the model has not read
    read: int = 0  # of what was shown
    clues: list[tuple[str, Clue]] = field(default_factory=list)  # each with the hypothesis that it speaks for
    answered: bool = False

    @property
    def start(self) -> Instant:
        """When the medium's clock starts."""
        return self.situation.whole.start

    def turn(self) -> Said:
        """Let the model read what is new and say its turn."""
        shown = self.situation.shown[self.read :]
        if not self.talk.started:
            self._see(shown)
            self.waiting = [{"role": "user", "content": written(self.situation.question, self.options)}]
        elif shown:
            self.waiting.append({"role": "tool", "content": videos(shown, self.start)})
        self.read = len(self.situation.shown)
        said = spoken(self.talk, self.waiting, self.situation, self.options, self.max_new_tokens)
        self.waiting = []
        return said

    def _see(self, shown: Sequence[Shown]) -> None:
        """Show the model the video before it is asked; seen once in the same frames, it need not be seen again."""
        opened = [{"role": "user", "content": videos(shown, self.start)}]
        messages = protocol.offered(opened) if self.looks else opened
        before = self.talk.tokens
        self.talk.see(messages, f"{self.situation.media.hash} {self._spec(shown)}")
        if read := self.talk.tokens - before:
            self.situation.meter.tokens += read
            self.situation.meter.model_calls += 1

    def _spec(self, shown: Sequence[Shown]) -> str:
        """Name what is shown, how large, and whether looks are offered."""
        frames = [(str(frame.time), frame.image.shape) for each in shown for frame in each.frames]
        return repr((frames, self.looks > 0))

    def told(self, text: str) -> None:
        """Tell the model what came of a call that brought no frames."""
        self.waiting.append({"role": "tool", "content": text})

    def called(self, text: str) -> Span:
        """Read where the model wants to look, on the medium's clock.

        Raises:
            UsageError: the call cannot be followed.
        """
        self.looks -= 1
        wanted = protocol.called(text, _shifted(self.situation.whole, -self.start))
        return _shifted(wanted, self.start)

    def cited(self, said: Said) -> tuple[Span, ...]:
        """Return the spans that an answer rests on: those it cites, an interval it names, else all that was shown."""
        _, spans = protocol.cited(said.text)
        found = spans or tuple(filter(None, [protocol.interval(said.answer)]))
        whole = self.situation.whole
        clipped = (_shifted(span, self.start).clipped(whole) for span in found)
        kept = tuple(span for span in clipped if span.duration)
        return kept or tuple(dict.fromkeys(shown.span for shown in self.situation.shown[-1:]))


def _shifted(span: Span, by: Instant) -> Span:
    return Span(span.start + by, span.end + by)


def written(question: Question, options: str) -> str:
    """Write a question as the model was trained on them."""
    return protocol.question(question.text, () if options == WEIGHED else question.choices)


def asking(question: Question, options: str, shown: Sequence[Shown], start: Instant) -> Mapping[str, Any]:
    """Write a question after what it is about."""
    put = {"type": "text", "text": written(question, options)}
    return {"role": "user", "content": [*videos(shown, start), put]}


def videos(shown: Sequence[Shown], start: Instant) -> list[dict[str, Any]]:
    """Write what is shown as parts of a message."""
    return [
        {
            "type": "video",
            "video": Clip(
                np.stack([frame.image for frame in each.frames]),
                tuple(max(frame.time - start, Instant(0)) for frame in each.frames),
            ),
        }
        for each in shown
    ]


def spoken(
    talk: Talk,
    messages: Sequence[Mapping[str, Any]],
    situation: Situation,
    options: str,
    max_new_tokens: int,
) -> Said:
    """Let the model read messages and answer; tokens and the call go on the question's account."""
    before = talk.tokens
    text = talk.reply(messages, max_new_tokens)
    situation.meter.tokens += talk.tokens - before
    situation.meter.model_calls += 1
    choices = situation.question.choices
    if choices and options == WEIGHED and not protocol.calls(text):
        return _weighed(talk, text, choices)
    return Said(text, _probability(talk, text, chosen=bool(choices)))


def _weighed(talk: Talk, text: str, choices: Sequence[str]) -> Said:
    """Put the likeliest option in place of an answer, beside what that cites."""
    logprobs = np.array(talk.likelihoods(choices))
    odds = np.exp(logprobs - logprobs.max())
    best = int(odds.argmax())
    spans = [protocol.citation(span) for span in protocol.cited(text)[1]]
    return Said(" ".join([choices[best], *spans]), float(odds[best] / odds.sum()))


def _probability(talk: Talk, text: str, *, chosen: bool) -> float:
    """Return how likely the model found its answer, citations left out."""
    words = protocol.cited(text)[0]
    count = max(talk.spelled(words), 1)
    if chosen and protocol.letter(words) == words[:1]:
        count = 1  # the letter decides
    logprobs = talk.logprobs[:count]
    return math.exp(sum(logprobs) if chosen else sum(logprobs) / max(len(logprobs), 1))
