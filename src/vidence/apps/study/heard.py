"""Read sentences as they were meant where the recogniser is known to mishear: names, and the "is" of a definition.

A recogniser does not know the names that a lecture brings; its slides do. And a short "is" after a noun is often heard
as "in", or as the plural of the noun. A sentence is changed only where what was heard cannot be a sentence.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from difflib import SequenceMatcher

from vidence.apps.study.passages import Passage, term_stems
from vidence.senses.language import fold

ALIKE = 0.75  # letters of a heard name that a written one shares with it
LONGEST = 4  # words of a name
SHORTEST = 4  # letters of a plural
_LEAD = re.compile(
    r"^(?:(?:so|now|and|well|then|but|next|okay|also) )?(?P<article>(?:an?|the) )?", re.IGNORECASE
)
_ARTICLES = ("a", "an", "the")
_COPULAS = ("is", "in", "means")
_CLAUSE = re.compile(
    r"\b(?:that|which|who|whose|where|when|because|if|to|in which|from which)\b", re.IGNORECASE
)
_FINITE = frozenset({
    "is", "are", "was", "were", "be", "has", "have", "had", "does", "do", "did", "can", "could", "will", "would",
    "may", "might", "must", "shall", "should", "goes", "went", "came", "took", "made", "gave", "held", "ran", "got",
})  # fmt: skip
_BEFORE_NOUNS = frozenset({
    "a", "an", "the", "of", "in", "on", "by", "for", "with", "from", "at", "and", "or", "its", "their", "all", "some",
    "many", "two", "three", "several", "between", "into", "without", "each", "no", "other",
})  # fmt: skip


def mended(passages: Sequence[Passage], names: Sequence[tuple[str, int]], language: str) -> list[Passage]:
    """Return the passages with English sentences read so; `names` are written names, each with its slide's number."""
    if language != "en":
        return list(passages)
    corpus = " . ".join(plain(one.text) for one in passages)
    written = {stem for one in passages if one.how == "written" for stem in one.stems}
    told = []
    for one in passages:
        here = [name for name, slide in names if slide == one.slide]
        text = read(one.text, here, written, corpus) if one.how == "said" else one.text
        changed = text != one.text
        told.append(replace(one, text=text, stems=frozenset(term_stems(text, language))) if changed else one)
    return told


def read(text: str, names: Iterable[str], written: Iterable[str], corpus: str) -> str:
    """Return a sentence as it was meant.

    `names` are those on the slide on screen, `written` the stems of all that is written, `corpus` all that is said and
    written, plain.
    """
    names = sorted(names, key=lambda name: -len(name.split()))
    text = _parted(text, corpus)
    for name in names:
        text = _named(text, name, frozenset(written))
    return next((meant for name in names if (meant := _copula(text, name)) is not None), text)


def _parted(text: str, corpus: str) -> str:
    """Part "Voltages the energy" into "Voltage is the energy", where "voltage" is used besides, and the plural not."""
    lead = _LEAD.match(text)
    assert lead is not None
    words = text[lead.end() :].split()
    article = next((at for at, word in enumerate(words) if word.lower() in _ARTICLES), 0)
    heard = plain(" ".join(words[:article]))
    last = heard.rsplit(" ", 1)[-1]
    plural = 0 < article <= LONGEST and words[article - 1][-1].isalpha() and last.endswith("s")
    if not plural or last in _FINITE or last.endswith("ss") or len(last) < SHORTEST:
        return text
    besides = corpus.replace(f" {plain(text)} ", " ", 1)
    cut, end = (3, "y") if last.endswith("ies") else (1, "")
    if f" {heard} " in besides or not _used(heard[:-cut] + end, besides):
        return text
    return " ".join([text[: lead.end()] + " ".join(words[:article])[:-cut] + end, "is", *words[article:]])


def _used(phrase: str, corpus: str) -> bool:
    """Say whether a phrase is a name in its own right: it heads a line, or an article or preposition goes before."""
    before = [words.rsplit(" ", 1)[-1] for words in f" {corpus} ".split(f" {phrase} ")[:-1]]
    return any(word in _BEFORE_NOUNS or word in (".", "") for word in before)


def _named(text: str, name: str, written: frozenset[str]) -> str:
    """Put a written name in the place of one that sounds like it, at the head of a sentence that says what it is."""
    lead = _LEAD.match(text)
    assert lead is not None
    rest, count = text[lead.end() :].split(), len(plain(name).split())
    if len(rest) <= count or rest[count].lower() not in _COPULAS:
        return text
    heard, meant = plain(" ".join(rest[:count])), plain(name)
    own = set(term_stems(heard, "en"))
    if own == set(term_stems(meant, "en")) or own <= written or heard in meant or meant in heard:
        return text
    if SequenceMatcher(None, heard, meant, autojunk=False).ratio() < ALIKE:
        return text
    kept = name if not lead.end() else name[:1].lower() + name[1:] if name[1:].islower() else name
    return " ".join([text[: lead.end()] + kept, *rest[count:]])


def _copula(text: str, name: str) -> str | None:
    """Read "A path in a sequence of vertices" as "A path is ...": the name of the slide, and no verb in its clause."""
    lead = _LEAD.match(text)
    assert lead is not None
    rest = text[lead.end() :].split()
    for count in {len(name.split()), len(plain(name).split())}:
        if len(rest) < count + 3 or rest[count].lower() != "in" or rest[count + 1].lower() not in _ARTICLES:
            continue
        heard = " ".join(rest[:count])
        if _many(heard) or set(term_stems(heard, "en")) != set(term_stems(name, "en")):
            continue
        clause = plain(_CLAUSE.split(" ".join(rest[count + 1 :]), maxsplit=1)[0]).split()
        if len(clause) >= 2 and not any(map(_finite, clause, ["", *clause])):
            return " ".join([text[: lead.end()] + heard, "is", *rest[count + 1 :]])
    return None


def _many(name: str) -> bool:
    """Say whether a name is of several things: their verb would bear no s to be known by."""
    return name.endswith("s") and not name.endswith(("ss", "us", "is"))


def _finite(word: str, before: str) -> bool:
    """Say whether a word may be the verb of a single thing: these end in s or ed, and follow a noun."""
    return word in _FINITE or (word.endswith(("s", "ed")) and before not in _BEFORE_NOUNS)


def plain(text: str) -> str:
    """Write a text as words of small letters."""
    return " ".join(
        "".join(c if c.isalnum() else "" if c in "'’" else " " for c in fold(text.lower())).split()
    )
