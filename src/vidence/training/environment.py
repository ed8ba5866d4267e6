"""What a policy acts in while it learns: it may look again at a stretch of the medium, and answers, citing spans.

A call is one line, `<tool_call>{"name": "look", "arguments": {"start": 12, "end": 16}}</tool_call>`, as Qwen's
templates write it; a citation is `<12.0-16.0 seconds>`, as the release writes ranges.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, Protocol

from vidence.errors import UsageError
from vidence.models.internvideo3.video import Clip
from vidence.timeline import Span, instant
from vidence.training.chat import Message
from vidence.training.config import SeeingPart
from vidence.training.rewards import Outcome

_CALL = re.compile(r"<tool_call>(.*?)</tool_call>", re.DOTALL)
_CITED = re.compile(r"<(\d+(?:\.\d+)?)-(\d+(?:\.\d+)?) seconds>")


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
        call = _CALL.search(text)
        if call is None or last or not ended:
            return Reply(
                outcome=answered(text, self.calls, ended=ended and call is None, well_formed=not self.faults)
            )
        self.calls += 1
        try:
            span = self._wanted(call[1])
        except UsageError as fault:
            self.faults += 1
            return Reply(({"role": "tool", "content": str(fault)},))
        self.looked.append(span)
        return Reply((seen_again(self.medium, span, self.seeing),))

    def _wanted(self, text: str) -> Span:
        try:
            call = json.loads(text)
            name, given = call["name"], call["arguments"]
            start, end = instant(float(given["start"])), instant(float(given["end"]))
        except (json.JSONDecodeError, KeyError, TypeError, ValueError) as fault:
            raise UsageError(f"the call cannot be read: {fault}; give start and end in seconds") from fault
        if name != "look":
            raise UsageError(f"there is no tool {name!r}; there is look")
        span = Span(min(start, end), max(start, end)).clipped(self.medium.span)
        if not span.duration:
            whole = self.medium.span
            raise UsageError(
                f"nothing lies there; the video lasts {float(whole.start):g} to {float(whole.end):g} seconds"
            )
        return span


def answered(text: str, calls: int, *, ended: bool, well_formed: bool = True) -> Outcome:
    """Read an answer: its words, and the spans that it cites."""
    cited = tuple(Span.of(*pair) for pair in _CITED.findall(text) if float(pair[0]) < float(pair[1]))
    return Outcome(_CITED.sub("", text).strip(), cited, calls, well_formed, ended)


def demonstration(medium: Medium, evidence: Sequence[Span], said: str, seeing: SeeingPart) -> list[Message]:
    """Write what a good agent does: look where the evidence lies, then answer and cite it."""
    span = evidence[0]
    call = {
        "name": "look",
        "arguments": {"start": round(float(span.start), 1), "end": round(float(span.end), 1)},
    }
    return [
        {"role": "assistant", "content": f"<tool_call>{json.dumps(call)}</tool_call>"},
        seen_again(medium, span, seeing),
        {"role": "assistant", "content": f"{said} {citation(span)}"},
    ]


def citation(span: Span) -> str:
    """Write a span as an answer cites it."""
    return f"<{float(span.start):.1f}-{float(span.end):.1f} seconds>"


def seen_again(medium: Medium, span: Span, seeing: SeeingPart) -> Message:
    """Write what a look brings back."""
    clip = evenly(medium, span, seeing.look_frames)
    return {"role": "tool", "content": [{"type": "video", "video": clip}]}


def evenly(medium: Medium, span: Span, count: int) -> Clip:
    """Take pictures in the middle of `count` equal stretches of a span."""
    times = tuple(span.start + span.duration * Fraction(2 * at + 1, 2 * count) for at in range(count))
    return Clip(medium.frames(times), times)
