"""How the model writes what it does: options by letter, calls that look again, spans that are cited, in seconds.

A call is one line, `<tool_call>{"name": "look", "arguments": {"start": 12, "end": 16}}</tool_call>`, as Qwen's
templates write it; a citation is `<12.0-16.0 seconds>`, as the release writes ranges.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from vidence.errors import UsageError
from vidence.timeline import Span, instant

OFFER = (
    'Look again at a stretch with <tool_call>{"name": "look", "arguments": {"start": 0.0, "end": 1.0}}</tool_call>, '
    "then answer and cite <0.0-1.0 seconds>."
)
_CALL = re.compile(r"<tool_call>(.*?)</tool_call>", re.DOTALL)
_CITED = re.compile(r"<(\d+(?:\.\d+)?)-(\d+(?:\.\d+)?) seconds>")
_NUMBER = re.compile(r"\d+(?:\.\d+)?")
_LETTER = re.compile(r"^\W*([A-Z])\b|\(([A-Z])\)\W*$")


def offered(messages: Sequence[Mapping[str, Any]]) -> tuple[Mapping[str, Any], ...]:
    """Put before a conversation that `look` may be called, unless a system message leads it already."""
    if messages and messages[0].get("role") == "system":
        return tuple(messages)
    return ({"role": "system", "content": OFFER}, *messages)


def call(span: Span) -> str:
    """Write a call that looks at a span."""
    return called_as("look", {"start": round(float(span.start), 1), "end": round(float(span.end), 1)})


def called_as(name: str, arguments: Mapping[str, Any]) -> str:
    """Write a call of any action."""
    return f"<tool_call>{json.dumps({'name': name, 'arguments': dict(arguments)}, ensure_ascii=False)}</tool_call>"


def calls(text: str) -> bool:
    """Tell whether a turn is a call rather than an answer."""
    return _CALL.search(text) is not None


def called(text: str, whole: Span) -> Span:
    """Read the span that a call wants to look at, within the whole of a video.

    Raises:
        UsageError: the call cannot be read, is of something else, or lies outside; told to the model as it is.
    """
    found = _CALL.search(text)
    try:
        given = json.loads(found[1] if found else "")
        name, arguments = given["name"], given["arguments"]
        start, end = instant(float(arguments["start"])), instant(float(arguments["end"]))
    except (json.JSONDecodeError, KeyError, TypeError, ValueError, OverflowError) as fault:
        raise UsageError(f"the call cannot be read: {fault}; give start and end in seconds") from fault
    if name != "look":
        raise UsageError(f"there is no tool {name!r}; there is look")
    span = Span(min(start, end), max(start, end)).clipped(whole)
    if not span.duration:
        first, last = float(whole.start), float(whole.end)
        raise UsageError(f"nothing lies there; the video lasts {first:g} to {last:g} seconds")
    return span


def citation(span: Span) -> str:
    """Write a span as an answer cites it."""
    return f"<{float(span.start):.1f}-{float(span.end):.1f} seconds>"


def cited(text: str) -> tuple[str, tuple[Span, ...]]:
    """Return an answer's words without its citations, and the spans that it cites."""
    spans = tuple(Span.of(*pair) for pair in _CITED.findall(text) if float(pair[0]) < float(pair[1]))
    return _CITED.sub("", text).strip(), spans


def letters(options: Sequence[str]) -> list[str]:
    """Write options as a question lists them."""
    return [f"{chr(ord('A') + at)}. {option}" for at, option in enumerate(options)]


def question(text: str, options: Sequence[str]) -> str:
    """Write a question, then its options by letter."""
    return "\n".join([text, *letters(options)])


def letter(text: str) -> str | None:
    """Read the letter that an answer begins with, "C" or "C. grows"; or ends with, "grows (C)"."""
    found = _LETTER.search(text.strip())
    return found and (found[1] or found[2])


def worded(line: str) -> str:
    """Write an option as an answer whose letter follows its words: "C. grows" as "grows (C)"."""
    return f"{line[3:]} ({line[0]})"


def interval(text: str) -> Span | None:
    """Read the first two numbers of a text as seconds; None if there are none, or they do not follow each other."""
    numbers = _NUMBER.findall(text)[:2]
    if len(numbers) < 2 or float(numbers[0]) >= float(numbers[1]):
        return None
    return Span.of(numbers[0], numbers[1])
