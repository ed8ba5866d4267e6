"""Turn what a person asks into full-text queries: words, phrases, and fragments for scripts without spaces."""

from __future__ import annotations

import re
from dataclasses import dataclass

from vidence.senses.language import detect_language, fold, stems, stop_words

_QUOTED = re.compile(r"[\"“”«»]([^\"“”«»]+)[\"“”«»]")
_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")
_UNSPACED = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\u0e00-\u0eff\u1780-\u17ff\u1000-\u109f]+")
_FRAGMENT = 3  # letters of a trigram


@dataclass(frozen=True, slots=True)
class WordQuery:
    """The same question for the three ways of looking: None or empty where a way has nothing to look for."""

    words: str | None  # FTS5 over stemmed words
    pieces: str | None  # FTS5 over trigrams
    short: tuple[str, ...]  # one or two letters of a script without spaces: only a plain scan finds them


def word_query(text: str) -> WordQuery:
    """Read a question: quoted phrases as such, content words in any order, stop words where there is nothing else."""
    phrases = [phrase.strip() for phrase in _QUOTED.findall(text) if phrase.strip()]
    language = detect_language(text)
    spaced = _WORD.findall(_UNSPACED.sub(" ", text))
    known = stop_words(language)
    words = [word for word in spaced if fold(word) not in known] or spaced
    terms = [_quote(phrase) for phrase in phrases] + [_quote(word) for word in words]
    if language != "en":  # the index stems English; elsewhere the stem's beginning finds the other forms
        terms += [f"{_quote(stem)}*" for stem in stems(" ".join(spaced), language) if len(stem) >= 4]
    runs = _UNSPACED.findall(text)
    pieces = [run[i : i + _FRAGMENT] for run in runs for i in range(len(run) - _FRAGMENT + 1)]
    pieces += [word for word in words if len(word) > _FRAGMENT]
    return WordQuery(
        words=" OR ".join(dict.fromkeys(terms)) or None,
        pieces=" OR ".join(dict.fromkeys(_quote(piece) for piece in pieces)) or None,
        short=tuple(dict.fromkeys(run for run in runs if len(run) < _FRAGMENT)),
    )


def _quote(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'
