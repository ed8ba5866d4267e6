"""Find words in what is said or written: in any of their forms, disguised letters read, in their context."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, lru_cache

from vidence.apps.moderate.taxonomy import read_data
from vidence.senses.language import fold, stems

_TOKEN = re.compile(r"(?:[@$](?=\w))?[^\W_](?:[\w@$!*'’]*[\w$*])?", re.UNICODE)
_CLAUSE = re.compile(r"[.!?;:,…\n]")
_SPACELESS = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]")
_DISGUISE = str.maketrans(
    {"@": "a", "$": "s", "!": "i", "0": "o", "1": "i", "3": "e", "4": "a", "5": "s", "7": "t"}
)
_QUOTES = ('"“”„«»', "‘’‚")
NEGATED_WITHIN, QUOTED_WITHIN = 5, 6  # words before it, in the same clause


@cache
def turning(kind: str) -> frozenset[str]:
    """Return words that change what follows them: "negations" or "reporting"."""
    return frozenset(read_data("context.yaml")[kind])


@dataclass(frozen=True, slots=True)
class Token:
    """One word of a text, with where it stands (characters)."""

    text: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class WordMatch:
    """A phrase found: the words as they stand, the phrase of the rule, where, and in what context."""

    words: str
    phrase: str
    start: int  # characters
    end: int
    first: int  # tokens
    last: int
    disguised: bool = False
    negated: bool = False
    quoted: bool = False


def tokens(text: str) -> list[Token]:
    """Cut a text into words; letters put for others ("sh1t", "f*ck") stay within them."""
    return [Token(m.group(), m.start(), m.end()) for m in _TOKEN.finditer(text)]


def find(text: str, phrases: Sequence[str], language: str) -> list[WordMatch]:
    """Find phrases in a text, the longest first; each word of the text is in one match at most."""
    cut = tokens(text)
    found: list[WordMatch] = []
    used: set[int] = set()
    for phrase, parts in _ordered(tuple(phrases), language):
        if _SPACELESS.search(phrase):
            found += [
                WordMatch(phrase, phrase, m.start(), m.end(), -1, -1)
                for m in re.finditer(re.escape(phrase), text)
            ]
            continue
        for first in range(len(cut) - len(parts) + 1):
            here = range(first, first + len(parts))
            if used.intersection(here):
                continue
            fits = [_fits(cut[at].text, part, language) for at, part in zip(here, parts, strict=True)]
            if all(fits) and _unbroken(text, cut, first, first + len(parts) - 1):
                used.update(here)
                last = first + len(parts) - 1
                found.append(_in_context(text, cut, phrase, first, last, "disguised" in fits))
    return sorted(found, key=lambda match: match.start)


def near_counter(text: str, match: WordMatch, counters: Sequence[str], language: str) -> str | None:
    """Return the counter-example that a match is part of, or None."""
    for counter in find(text, counters, language):
        if counter.start < match.end and match.start < counter.end:
            return counter.phrase
    lowered = text.casefold()
    for counter in counters:  # such as "support@", which is no words
        at = lowered.find(counter.casefold())
        while at >= 0 and not (at < match.end and match.start < at + len(counter)):
            at = lowered.find(counter.casefold(), at + 1)
        if at >= 0:
            return counter
    return None


def _in_context(
    text: str, cut: list[Token], phrase: str, first: int, last: int, disguised: bool
) -> WordMatch:
    start, end = cut[first].start, cut[last].end
    clause = [
        token.text.casefold().replace("’", "'")
        for token in cut[max(0, first - QUOTED_WITHIN) : first]
        if not _CLAUSE.search(text[token.end : start])
    ]
    reported = [t.text.casefold() for t in cut[max(0, first - 2) : first]]
    return WordMatch(
        text[start:end], phrase, start, end, first, last, disguised,
        negated=any(word in turning("negations") for word in clause[-NEGATED_WITHIN:]),
        quoted=_within_quotes(text, start, end) or any(word in turning("reporting") for word in reported),
    )  # fmt: skip


def _within_quotes(text: str, start: int, end: int) -> bool:
    """Say whether a quotation opens before and closes after; all of a text in quotes is a title, and counts too."""
    before = sum(text[:start].count(mark) for mark in _QUOTES[0])
    after = any(mark in text[end:] for mark in _QUOTES[0])
    return before % 2 == 1 and after


def _unbroken(text: str, cut: list[Token], first: int, last: int) -> bool:
    """Say whether no sentence ends between the words of a phrase."""
    return first == last or not re.search(r"[.!?;]\s", text[cut[first].end : cut[last].start])


def _fits(word: str, part: str, language: str) -> str:
    """Say how a word fits: "same", "disguised", or "" not at all."""
    exact, bare = part.startswith("="), part.removeprefix("=")
    if exact:
        return "same" if word == bare else ""
    plain = fold(word.replace("’", "'"))
    if plain == fold(bare) or _stem(plain, language) == _stem(fold(bare), language):
        return "same"
    if not re.search(r"[@$!*\d]", word) or not re.search(r"[^\W\d_]", word):
        return ""
    if "*" in word:
        pattern = "".join("." if c == "*" else re.escape(c) for c in fold(word))
        return "disguised" if len(word) > 2 and re.fullmatch(pattern, fold(bare)) else ""
    read = fold(word.translate(_DISGUISE))
    return "disguised" if read == fold(bare) or _stem(read, language) == _stem(fold(bare), language) else ""


@lru_cache(maxsize=50_000)
def _stem(word: str, language: str) -> str:
    found = stems(word, language, keep_stop_words=True)
    return found[0] if found else word


@cache
def _ordered(phrases: tuple[str, ...], language: str) -> list[tuple[str, list[str]]]:
    """Return phrases with their words, the longest first so that "kill the lights" comes before "kill"."""
    del language
    rows = []
    for phrase in phrases:
        exact = "=" if phrase.startswith("=") else ""
        words = [exact + token.text for token in tokens(phrase.removeprefix("="))]
        if words or _SPACELESS.search(phrase):
            rows.append((phrase.removeprefix("="), words))
    return sorted(rows, key=lambda row: -len(row[1]))
