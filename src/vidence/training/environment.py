"""What a policy acts in while it learns: it may look again at a stretch of the medium, and answers, citing spans."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, Protocol

from vidence.errors import UsageError
from vidence.models.internvideo3 import protocol
from vidence.models.internvideo3.video import Clip
from vidence.timeline import Span
from vidence.training.chat import Message
from vidence.training.config import SeeingPart
from vidence.training.rewards import Outcome


class Medium(Protocol):
    """What can be looked at: pictures at any times of its span."""

    @property
    def span(self) -> Span:
        """Its whole extent."""
        ...

    def frames(self, times: Sequence[Fraction]) -> Any:
        """Return uint8 pictures (T, H, W, 3)."""
        ...


@dataclass(frozen=True, slots=True)
class Reply:
    """What an environment says to a turn: messages to read on, or nothing more, and then how it came out."""

    messages: tuple[Message, ...] = ()
    outcome: Outcome | None = None


class Environment(Protocol):
    """One dialogue's surroundings."""

    def reply(self, text: str, *, ended: bool, last: bool) -> Reply:
        """Act on a turn; `ended` tells whether it ended by itself, `last` that no further turn is allowed."""
        ...


class Asking:
    """Every turn is an answer."""

    def reply(self, text: str, *, ended: bool, last: bool) -> Reply:
        """Take the answer."""
        del last
        return Reply(outcome=answered(text, 0, ended=ended))


@dataclass(slots=True)
class Looking:
    """Calls of `look` are followed; anything else is an answer."""

    medium: Medium
    seeing: SeeingPart
    calls: int = 0
    faults: int = 0
    looked: list[Span] = field(default_factory=list)

    def reply(self, text: str, *, ended: bool, last: bool) -> Reply:
        """Look again, or take the answer."""
        calling = protocol.calls(text)
        if not calling or last or not ended:
            return Reply(
                outcome=answered(text, self.calls, ended=ended and not calling, well_formed=not self.faults)
            )
        self.calls += 1
        try:
            span = protocol.called(text, self.medium.span)
        except UsageError as fault:
            self.faults += 1
            return Reply(({"role": "tool", "content": str(fault)},))
        self.looked.append(span)
        return Reply((seen_again(self.medium, span, self.seeing),))


def answered(text: str, calls: int, *, ended: bool, well_formed: bool = True) -> Outcome:
    """Read an answer: its words, and the spans that it cites."""
    words, spans = protocol.cited(text)
    return Outcome(words, spans, calls, well_formed, ended)


def demonstration(medium: Medium, evidence: Sequence[Span], said: str, seeing: SeeingPart) -> list[Message]:
    """Write what a good agent does: look where the evidence lies, if not all was seen; then answer and cite it."""
    span = evidence[0]
    answer = {"role": "assistant", "content": f"{said} {protocol.citation(span)}"}
    if (
        medium.span.duration * seeing.fps <= seeing.max_frames
    ):  # each picture that the rate asks for was shown
        return [answer]
    return [{"role": "assistant", "content": protocol.call(span)}, seen_again(medium, span, seeing), answer]


def seen_again(medium: Medium, span: Span, seeing: SeeingPart) -> Message:
    """Write what a look brings back."""
    clip = evenly(medium, span, seeing.look_frames)
    return {"role": "tool", "content": [{"type": "video", "video": clip}]}


def evenly(medium: Medium, span: Span, count: int) -> Clip:
    """Take pictures in the middle of `count` equal stretches of a span."""
    times = tuple(span.middles(count))
    return Clip(medium.frames(times), times)
