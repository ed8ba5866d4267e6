"""Options as annotations write them: with letters before them or without, in one text with the question or apart."""

from __future__ import annotations

import re
from collections.abc import Sequence

from vidence.errors import UsageError

_LETTERED = re.compile(r"^\s*\(?([A-Z])[.):]\s*", re.DOTALL)
_LINE = re.compile(r"^\s*\(?([A-Z])[.)]\s+", re.MULTILINE)


def bare(options: Sequence[str]) -> tuple[str, ...]:
    """Return options without the letters before them, if those count from A; else as they are."""
    letters = [found[1] if (found := _LETTERED.match(option)) else "" for option in options]
    if letters == [chr(ord("A") + at) for at in range(len(options))]:
        return tuple(_LETTERED.sub("", option).strip() for option in options)
    return tuple(option.strip() for option in options)


def divided(text: str) -> tuple[str, tuple[str, ...]]:
    """Divide "question, then a line an option" into the two."""
    first = _LINE.search(text)
    if first is None:
        return text.strip(), ()
    question, rest = text[: first.start()].strip(), text[first.start() :]
    return question, bare([line for line in re.split(r"\n(?=\s*\(?[A-Z][.)]\s)", rest) if line.strip()])


def index_of(answer: str, options: Sequence[str], place: str) -> int:
    """Return which option an answer names: by its letter, or by its words.

    Raises:
        UsageError: it names none.
    """
    found = _LETTERED.match(answer) or re.fullmatch(r"\s*\(?([A-Z])\)?\s*", answer)
    if found and ord(found[1]) - ord("A") < len(options):
        return ord(found[1]) - ord("A")
    wanted = answer.strip().casefold()
    for at, option in enumerate(options):
        if option.strip().casefold() == wanted:
            return at
    raise UsageError(f"{place}: the answer {answer!r} is none of the options {list(options)}")
