"""Which things of a phrase can be seen at all: what is not in the vocabulary must be said, not guessed."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from functools import cache
from itertools import pairwise

import numpy as np

from vidence.senses.language import detect_language, embed, fold, stems, stop_words
from vidence.senses.looks.classes import classes, kinds

NEAR = (
    0.78  # cosine of a word and a name of one meaning in two languages: 0.85 to 0.95; else mostly below 0.7
)
_WORD = re.compile(r"[^\W\d_]+(?:-[^\W\d_]+)*", re.UNICODE)
_LONGEST = 3  # words in a name
_IDEOGRAPH = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]")


@dataclass(frozen=True, slots=True)
class Known:
    """A word of a phrase that names something the classifier can see."""

    words: str  # as the phrase has them
    name: str  # as the classifier has it
    kind: bool  # a kind, else a single class
    nearness: float  # 1 for the same word, less for one of the same meaning in another language


def names_in(phrase: str) -> list[Known]:
    """Find the kinds and classes that a phrase names, in the order of the phrase, the longest names first.

    English words are compared by their stems; others, and English words that fit nothing, by their meaning.
    """
    words = _WORD.findall(phrase)
    if any(_IDEOGRAPH.search(word) for word in words):
        words = _cut_ideographs(phrase)
    skip = stop_words(detect_language(phrase))
    found: list[Known] = []
    place = 0
    while place < len(words):
        for length in range(min(_LONGEST, len(words) - place), 0, -1):
            text = " ".join(words[place : place + length])
            if length == 1 and fold(text) in skip:
                continue
            if known := _same(text) or _near(text, length):
                found.append(known)
                place += length - 1
                break
        place += 1
    return found


def _cut_ideographs(phrase: str) -> list[str]:
    """Cut writing without spaces into overlapping pairs of signs and single signs; names are as short as that."""
    signs = _IDEOGRAPH.findall(phrase)
    return [a + b for a, b in pairwise(signs)] + signs


@cache
def _names() -> tuple[tuple[str, bool], ...]:
    """List every name, kinds first: where both bear a name the kind is meant."""
    return tuple((name, True) for name in kinds().names) + tuple((one.name, False) for one in classes())


@cache
def _by_stem() -> dict[str, tuple[str, bool]]:
    index: dict[str, tuple[str, bool]] = {}
    for name, others in zip(kinds().names, kinds().others, strict=True):
        for word in (name, *others):
            index.setdefault(_key(word), (name, True))
    for one in classes():
        for word in (one.name, *one.others):
            index.setdefault(_key(word), (one.name, False))
    return index


def _key(text: str) -> str:
    return " ".join(stems(text, "en", keep_stop_words=True))


def _same(text: str) -> Known | None:
    name = _by_stem().get(_key(text))
    return Known(text, name[0], name[1], 1.0) if name else None


@cache
def _vectors() -> np.ndarray:
    return embed([name for name, _ in _names()])


def _near(text: str, length: int) -> Known | None:
    """Find a name of the same meaning; single words only, as the vectors of longer texts mix their words."""
    if length > 1 or (len(text) < 2 and not _IDEOGRAPH.search(text)):
        return None
    cosines = _vectors() @ embed([text])[0]
    best = int(cosines.argmax())
    name, kind = _names()[best]
    # A word inside a longer name means something wider: a telescope is not yet a radio telescope.
    if cosines[best] < NEAR or fold(text) in fold(name):
        return None
    return Known(text, name, kind, float(cosines[best]))


def unknown_in(phrase: str, known: Collection[Known] | None = None) -> list[str]:
    """List the content words of a phrase that name nothing the classifier can see."""
    taken = {fold(w) for one in (names_in(phrase) if known is None else known) for w in one.words.split()}
    skip = stop_words(detect_language(phrase))
    return [w for w in _WORD.findall(phrase) if fold(w) not in taken and fold(w) not in skip]
