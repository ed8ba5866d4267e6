"""What is put to the test: a policy in its whole loop, a model in a single pass, and either of them shown no video."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Protocol

from vidence.evaluation.item import Frames, Item, Subtitled
from vidence.evaluation.prompts import asked, prompt
from vidence.evaluation.subtitles import shown as said_then
from vidence.mcr.answer import Answer
from vidence.mcr.budget import Budget
from vidence.mcr.concepts import number_in
from vidence.mcr.pictures import enlarged
from vidence.mcr.situation import Shown
from vidence.senses.language import embed
from vidence.timeline import Span

if TYPE_CHECKING:
    from vidence.mcr.policy import Policy
    from vidence.models.internvideo3.conversation import Conversation
    from vidence.policies.chat.endpoint import Endpoint
    from vidence.policies.chat.writing import FramesAs
    from vidence.video import Video


@dataclass(frozen=True, slots=True)
class Frame:
    """A picture that was shown: when, and the SHA-256 of its pixels."""

    time_s: float
    sha256: str


@dataclass(frozen=True, slots=True)
class Reply:
    """What a system said to a question, and what it took. `answer` is that of a loop, None in a single pass."""

    text: str
    frames: tuple[Frame, ...] = ()
    tokens: int = 0
    seconds: float = 0.0
    answer: Answer | None = None


class System(Protocol):
    """Answers the questions of a benchmark."""

    @property
    def name(self) -> str:
        """What it is called in manifests."""
        ...

    def answer(self, item: Item, key: str, video: Video) -> Reply:
        """Answer a question about a video."""
        ...

    def guess(self, item: Item, key: str) -> Reply:
        """Answer it without the video: the control."""
        ...


@dataclass(frozen=True, slots=True)
class Agent:
    """A policy in the closed loop, checks included. Its control is `blind`'s guess, or for rules the nearest option."""

    policy: Policy
    budget: Budget
    blind: SinglePass | None = None

    @property
    def name(self) -> str:
        """Return the policy's name."""
        return f"{self.policy.name}, loop"

    def answer(self, item: Item, key: str, video: Video) -> Reply:
        """Ask through the loop; an option comes back as its letter."""
        start = time.monotonic()
        found = video.ask(asked(item, key), choices=item.options, budget=self.budget, policy=self.policy)
        shown = video.last_situation.shown if video.last_situation else []
        text = found.choice.letter if found.choice else found.text
        if key == "grounding" and found.spans:
            text = f"{float(found.spans[0].start)} to {float(found.spans[0].end)} seconds"
        if key == "number" and (number := number_in(found.text)) is not None:
            text = str(number)  # an answer of the rules may be in words: "four cars"
        return Reply(text, _frames(shown), found.receipt.tokens, time.monotonic() - start, found)

    def guess(self, item: Item, key: str) -> Reply:
        """Guess without the video."""
        if self.blind is not None:
            return self.blind.guess(item, key)
        if not item.options:
            return Reply("")
        vectors = embed([item.question, *item.options])
        return Reply(chr(ord("A") + int((vectors[1:] @ vectors[0]).argmax())))


class Model(Protocol):
    """Answers a prompt about pictures, or about none."""

    @property
    def name(self) -> str:
        """What it is called."""
        ...

    def say(self, shown: Shown | None, start: Fraction, text: str) -> tuple[str, int]:
        """Return what it says, and the tokens that took."""
        ...

    def say_of(self, shown: Sequence[Shown], text: str) -> tuple[str, int]:
        """Say it of several media, each from its own start; what has one frame is a picture."""
        ...


@dataclass(frozen=True, slots=True)
class SinglePass:
    """A model that is shown frames once, as the benchmark's setting has it, and answers.

    `subtitles` says which lines of the medium's it is given with them.
    """

    model: Model
    frames: Frames
    most_frames: int | None = None  # fewer than the setting, for models and machines that hold no more
    subtitles: Subtitled = ""

    @property
    def name(self) -> str:
        """Return the model's name."""
        return f"{self.model.name}, single pass"

    def answer(self, item: Item, key: str, video: Video) -> Reply:
        """Show frames in the middle of equal stretches, then ask."""
        start, shown = time.monotonic(), self.shown(item, video)
        text = prompt(item, key, float(shown.span.duration), self._said(shown, video))
        said, tokens = self.model.say(shown, video.media.info.span.start, text)
        return Reply(said, _frames([shown]), tokens, time.monotonic() - start)

    def answer_of(self, videos: Sequence[Video], item: Item, key: str) -> Reply:
        """Show several videos and pictures, in order, then ask."""
        start, whole = time.monotonic(), sum(video.media.info.span.duration for video in videos)
        shown = [self.shown(item, video, video.media.info.span.duration / whole) for video in videos]
        answer, tokens = self.model.say_of([_rebased(one) for one in shown], prompt(item, key, None))
        return Reply(answer, _frames(shown), tokens, time.monotonic() - start)

    def shown(self, item: Item, video: Video, share: Fraction = Fraction(1)) -> Shown:
        """Return the frames that a question is asked with, or of one of its videos its share."""
        span = item.window or video.media.info.span
        most = min(self.frames.max_frames, self.most_frames or self.frames.max_frames)
        count = max(1, min(int(span.duration * Fraction(self.frames.fps)), int(most * share)))
        height, width = self._size(video)
        found = video.media.frames_at(span.middles(count), max_side=max(height, width), mode="exact")
        return Shown(span, tuple(enlarged(frame, height, width) for frame in found))

    def _said(self, shown: Shown, video: Video) -> list[str]:
        cues = video.media.cues() if self.subtitles else ()
        return said_then(cues, [frame.time for frame in shown.frames], shown.span, self.subtitles)

    def guess(self, item: Item, key: str) -> Reply:
        """Ask without pictures."""
        start = time.monotonic()
        said, tokens = self.model.say(None, Fraction(0), prompt(item, key, None))
        return Reply(said, (), tokens, time.monotonic() - start)

    def _size(self, video: Video) -> tuple[int, int]:
        stream = video.media.info.video
        assert stream is not None  # who runs a benchmark has made sure
        return self.frames.size(stream.height, stream.width)


@dataclass(frozen=True, slots=True)
class LocalModel:
    """An InternVideo3 model of this process."""

    model: Any
    processor: Any
    name: str
    max_new_tokens: int = 128

    def say(self, shown: Shown | None, start: Fraction, text: str) -> tuple[str, int]:
        """Put frames and text in one message of a new conversation."""
        said, talk = self._asked(shown, start, text, self.max_new_tokens)
        return said, talk.ids_BT.shape[1]

    def losses(
        self, shown: Shown | None, start: Fraction, text: str, answers: Sequence[str]
    ) -> list[tuple[float, bool]]:
        """Return how little each of several answers was expected, in nats a token, and whether it is what is said."""
        tokenizer = getattr(self.processor, "tokenizer", self.processor)
        counts = [len(tokenizer(answer, add_special_tokens=False)["input_ids"]) for answer in answers]
        said, talk = self._asked(shown, start, text, max(counts))
        likely = talk.likelihoods(answers)
        return [
            (-logprob / count, said.startswith(answer))
            for answer, count, logprob in zip(answers, counts, likely, strict=True)
        ]

    def _asked(self, shown: Shown | None, start: Fraction, text: str, most: int) -> tuple[str, Conversation]:
        from vidence.models.internvideo3.conversation import Conversation
        from vidence.policies.internvideo3.rollout import videos

        talk = Conversation(self.model, self.processor)
        seen = videos([shown], start) if shown else []
        message = {"role": "user", "content": [*seen, {"type": "text", "text": text}]}
        return talk.reply([message], max_new_tokens=most, do_sample=False), talk

    def say_of(self, shown: Sequence[Shown], text: str) -> tuple[str, int]:
        """Put pictures, frames and text in one message of a new conversation."""
        from vidence.models.internvideo3.conversation import Conversation
        from vidence.policies.internvideo3.rollout import videos

        talk = Conversation(self.model, self.processor)
        content = [
            {"type": "image", "image": one.frames[0].image}
            if len(one.frames) == 1
            else videos([one], Fraction(0))[0]
            for one in shown
        ]
        message = {"role": "user", "content": [*content, {"type": "text", "text": text}]}
        said = talk.reply([message], max_new_tokens=self.max_new_tokens, do_sample=False)
        return said, talk.ids_BT.shape[1]


@dataclass(frozen=True, slots=True)
class RemoteModel:
    """A model behind an OpenAI-compatible endpoint."""

    endpoint: Endpoint
    frames_as: FramesAs = "images"

    @property
    def name(self) -> str:
        """Return the model as its server calls it."""
        return self.endpoint.model

    def say(self, shown: Shown | None, start: Fraction, text: str) -> tuple[str, int]:
        """Put frames and text in one message."""
        from vidence.policies.chat.writing import frames

        seen = frames(shown, start, self.frames_as) if shown else []
        reply = self.endpoint.ask([{"role": "user", "content": [*seen, {"type": "text", "text": text}]}])
        return reply.text, reply.tokens

    def say_of(self, shown: Sequence[Shown], text: str) -> tuple[str, int]:
        """Put pictures, frames and text in one message."""
        from vidence.policies.chat.writing import frames

        seen = [
            part
            for one in shown
            for part in frames(one, Fraction(0), self.frames_as if len(one.frames) > 1 else "images")
            if len(one.frames) > 1 or part["type"] != "text"  # a picture has no time
        ]
        reply = self.endpoint.ask([{"role": "user", "content": [*seen, {"type": "text", "text": text}]}])
        return reply.text, reply.tokens


def alone(policy: Policy) -> Model | None:
    """Return the model that a policy runs, to be asked without its loop; None for one that runs none."""
    found: Any = policy
    if policy.name == "internvideo3":
        return LocalModel(found.model, found.processor, f"internvideo3 {found.weights[:12]}")
    if policy.name == "chat":
        return RemoteModel(found.observer, found.frames_as)
    return None


def _rebased(shown: Shown) -> Shown:
    """Count times from where what is shown begins."""
    start = shown.span.start
    return Shown(
        Span(Fraction(0), shown.span.duration),
        tuple(replace(frame, time=max(frame.time - start, Fraction(0))) for frame in shown.frames),
    )


def _frames(shown: Sequence[Shown]) -> tuple[Frame, ...]:
    return tuple(
        Frame(round(float(frame.time), 6), hashlib.sha256(frame.image.tobytes()).hexdigest())
        for each in shown
        for frame in each.frames
    )


def spans_of(reply: Reply) -> tuple[Span, ...]:
    """Return the stretches that a loop's answer cites."""
    if reply.answer is None:
        return ()
    return tuple(dict.fromkeys(e.span for claim in reply.answer.claims for e in claim.evidence))
