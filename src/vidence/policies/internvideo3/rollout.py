"""One question put to the model: its dialogue with a cache that grows, what it was shown, and what it said.

Times that the model reads and writes count from the medium's start; spans elsewhere are on the medium's own clock.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from vidence.errors import StoreError
from vidence.mcr.belief import Clue
from vidence.mcr.question import Question
from vidence.mcr.situation import Shown, Situation
from vidence.models.internvideo3 import protocol
from vidence.models.internvideo3.conversation import Conversation
from vidence.models.internvideo3.video import Clip
from vidence.timeline import Instant, Span

MOST_KEPT = 2 << 30  # bytes of rows of one video that are kept


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
    talk: Conversation
    looks: int  # that may still be asked for
    max_new_tokens: int
    weights: str = ""  # which they are, by hash
    seen: Path | None = None  # folder in which what was seen of a video is kept for the next question
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
            self.waiting = [{"role": "user", "content": written(self.situation.question, self.talk)}]
        elif shown:
            self.waiting.append({"role": "tool", "content": videos(shown, self.start)})
        self.read = len(self.situation.shown)
        said = spoken(self.talk, self.waiting, self.situation, self.max_new_tokens)
        self.waiting = []
        return said

    def _see(self, shown: Sequence[Shown]) -> None:
        """Show the model the video before it is asked; seen once in the same frames, it need not be seen again."""
        opened = [{"role": "user", "content": videos(shown, self.start)}]
        messages = protocol.offered(opened) if self.looks else opened
        path = self.seen and self.seen / f"{self.situation.media.hash.split(':')[-1]}-{self._spec(shown)}.kv"
        if path and path.is_file():
            try:
                self.talk.resume(path, made_by=self.weights, open_turn=True)
            except StoreError:
                path.unlink(missing_ok=True)  # damaged, or another model's: it is seen anew
            else:
                return
        self.talk.see(messages)
        self.situation.meter.tokens += self.talk.prefilled[-1]
        self.situation.meter.model_calls += 1
        if path and self.talk.cache.nbytes <= MOST_KEPT:
            path.parent.mkdir(parents=True, exist_ok=True)
            with suppress(StoreError):  # a full disk costs the next question time, and this one nothing
                self.talk.keep(path, made_by=self.weights)

    def _spec(self, shown: Sequence[Shown]) -> str:
        """Name what is shown, how large, to whom, and whether looks are offered."""
        frames = [(str(frame.time), frame.image.shape) for each in shown for frame in each.frames]
        spec = repr((self.weights, frames, self.looks > 0, self.talk.cache.storage))
        return hashlib.sha256(spec.encode()).hexdigest()[:16]

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


def weighs(talk: Conversation) -> bool:
    """Tell whether the model is asked without options, and they are weighed as its answers."""
    return getattr(talk.processor, "options", "read") == "weighed"


def written(question: Question, talk: Conversation) -> str:
    """Write a question as the model was trained on them."""
    return protocol.question(question.text, () if weighs(talk) else question.choices)


def asking(
    question: Question, talk: Conversation, shown: Sequence[Shown], start: Instant
) -> Mapping[str, Any]:
    """Write a question after what it is about."""
    put = {"type": "text", "text": written(question, talk)}
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
    talk: Conversation, messages: Sequence[Mapping[str, Any]], situation: Situation, max_new_tokens: int
) -> Said:
    """Let the model read messages and answer; tokens and the call go on the question's account."""
    before = talk.ids_BT.shape[1]
    text = talk.reply(messages, max_new_tokens=max_new_tokens, do_sample=False)
    situation.meter.tokens += talk.ids_BT.shape[1] - before
    situation.meter.model_calls += 1
    choices = situation.question.choices
    if choices and weighs(talk) and not protocol.calls(text):
        return _weighed(talk, text, choices)
    return Said(text, _probability(talk, text, chosen=bool(choices)))


def _weighed(talk: Conversation, text: str, choices: Sequence[str]) -> Said:
    """Put the likeliest option in place of an answer, beside what that cites."""
    logprobs = np.array(talk.likelihoods(choices))
    odds = np.exp(logprobs - logprobs.max())
    best = int(odds.argmax())
    spans = [protocol.citation(span) for span in protocol.cited(text)[1]]
    return Said(" ".join([choices[best], *spans]), float(odds[best] / odds.sum()))


def _probability(talk: Conversation, text: str, *, chosen: bool) -> float:
    """Return how likely the model found its answer, citations left out."""
    words = protocol.cited(text)[0]
    count = max(len(talk.tokenizer(words, add_special_tokens=False)["input_ids"]), 1)
    if chosen and protocol.letter(words) == words[:1]:
        count = 1  # the letter decides
    logprobs = talk.logprobs[:count]
    return math.exp(sum(logprobs) if chosen else sum(logprobs) / max(len(logprobs), 1))
