"""Options as annotations write them: with letters before them or without, in one text with the question or apart."""

from __future__ import annotations

import re
from collections.abc import Sequence

from vidence.errors import UsageError

_LETTERED = re.compile(r"^\s*\(?([A-Z])[.):]\s*", re.DOTALL)
_TELLING = re.compile(
    r"(?:please |only |directly )*(?:answer|respond|reply|select|choose|pick|give|provide|output)\b[^?]*",
    re.I,
)
_HEADING = re.compile(
    r"(?:question|options?|choices|answer|the (?:best|correct) (?:answer|option) is)\s*:?", re.I
)
_LINE = re.compile(r"^[ \t]*\(?([A-Z])[.):][ \t]*", re.MULTILINE)


def bare(options: Sequence[str]) -> tuple[str, ...]:
    """Return options without the letters before them, if those count from A; else as they are."""
    letters = [found[1] if (found := _LETTERED.match(option)) else "" for option in options]
    if letters == [chr(ord("A") + at) for at in range(len(options))]:
        return tuple(_LETTERED.sub("", option).strip() for option in options)
    return tuple(option.strip() for option in options)


def divided(text: str) -> tuple[str, tuple[str, ...]]:
    """Divide "question, then a line an option" into the two; options are the last lines that count from A."""
    marks = list[re.Match[str]]()
    for found in _LINE.finditer(text):
        if found[1] == "A":
            marks = [found]
        elif marks and ord(found[1]) - ord("A") == len(marks):
            marks.append(found)
    if len(marks) < 2:
        return text.strip(), ()
    ends = [*(mark.start() for mark in marks[1:]), len(text)]
    options = tuple(text[mark.end() : end].strip() for mark, end in zip(marks, ends, strict=True))
    return text[: marks[0].start()].strip(), options


def prompted(text: str) -> tuple[str, tuple[str, ...]]:
    """Divide a prompt, as evaluators write it, into question and options; how to answer, and headings, are left out."""
    question, options = divided(text)
    if options:
        options = (*options[:-1], options[-1].split("\n")[0].strip())
    lines = [line.strip().removeprefix("Question:").strip() for line in question.split("\n")]
    lines = [line for line in lines if line]
    asked = [line for line in lines if not _TELLING.fullmatch(line) and not _HEADING.fullmatch(line)]
    return "\n".join(asked or lines), options


def index_of(answer: object, options: Sequence[str], place: str) -> int:
    """Return which option an answer names: by its letter, or by its words.

    Raises:
        UsageError: it names none.
    """
    said = str(answer)
    found = _LETTERED.match(said) or re.fullmatch(r"\s*\(?([A-Z])\)?\s*", said)
    if found and ord(found[1]) - ord("A") < len(options):
        return ord(found[1]) - ord("A")
    return worded(answer, options, place)


def worded(answer: object, options: Sequence[str], place: str) -> int:
    """Return which option has an answer's words; the first, where several do.

    Raises:
        UsageError: none has.
    """
    wanted = str(answer).strip().casefold()
    for at, option in enumerate(options):
        if option.strip().casefold() == wanted:
            return at
    raise UsageError(f"{place}: the answer {answer!r} is none of the options {list(options)}")


def numbered(answer: object, options: Sequence[str], place: str) -> int:
    """Return an answer that is given as an option's index, counted from 0.

    Raises:
        UsageError: it is none.
    """
    said = str(answer).strip()
    if said.isdecimal() and int(said) < len(options):
        return int(said)
    raise UsageError(f"{place}: the answer {answer!r} counts none of the options {list(options)}")


def letter(index: int | None) -> str:
    """Return an option's letter; "" for none."""
    return "" if index is None else chr(ord("A") + index)
