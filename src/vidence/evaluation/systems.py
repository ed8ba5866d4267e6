"""What is put to the test: a policy in its whole loop, a model in a single pass, and either of them shown no video."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import TYPE_CHECKING, Protocol

from vidence.evaluation.item import Frames, Item, Subtitled
from vidence.evaluation.options import letter
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
    from vidence.evaluation.models import Model
    from vidence.mcr.policy import Policy
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
        return Reply(letter(nearest(item.question, item.options)))


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
        began, shown = time.monotonic(), self.shown(item, video)
        said, tokens = self._put(
            [shown],
            video.media.info.span.start,
            item,
            key,
            float(shown.span.duration),
            self._said(shown, video),
        )
        return Reply(said, _frames([shown]), tokens, time.monotonic() - began)

    def answer_of(self, videos: Sequence[Video], item: Item, key: str) -> Reply:
        """Show several videos and pictures, in order, then ask."""
        began, whole = time.monotonic(), sum(video.media.info.span.duration for video in videos)
        shown = [self.shown(item, video, video.media.info.span.duration / whole) for video in videos]
        said, tokens = self._put([_rebased(one) for one in shown], Fraction(0), item, key)
        return Reply(said, _frames(shown), tokens, time.monotonic() - began)

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
        began = time.monotonic()
        said, tokens = self._put([], Fraction(0), item, key)
        return Reply(said, (), tokens, time.monotonic() - began)

    def _put(
        self,
        shown: Sequence[Shown],
        start: Fraction,
        item: Item,
        key: str,
        duration_s: float | None = None,
        said: Sequence[str] = (),
    ) -> tuple[str, int]:
        """Let the model answer; one that does not read options has them weighed as its answers."""
        if key != "choice" or not self.model.weighs:
            return self.model.say(shown, start, prompt(item, key, duration_s, said))
        losses, tokens = self.model.losses(shown, start, prompt(item, "open", duration_s, said), item.options)
        return letter(min(range(len(losses)), key=losses.__getitem__)), tokens

    def _size(self, video: Video) -> tuple[int, int]:
        stream = video.media.info.video
        assert stream is not None  # who runs a benchmark has made sure
        return self.frames.size(stream.height, stream.width)


def nearest(question: str, options: Sequence[str]) -> int:
    """Return the option that lies nearest to its question in meaning: a guess that needs no video."""
    vectors = embed([question, *options])
    return int((vectors[1:] @ vectors[0]).argmax())


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
