"""What kind of words would answer a question: a length, a year, a person's name, the name of a product.

Kinds with a fixed form are known by a pattern; names by their nearness in meaning to a few examples of the kind, which
works for names never seen before ("Tiffany Antopolski" lies near "Anna Kowalska", "System Settings" does not).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from vidence.senses.language import embed


@dataclass(frozen=True, slots=True)
class AnswerType:
    """A kind of answer: words in the question that ask for it, and its form or examples."""

    name: str
    asked: re.Pattern[str]
    form: re.Pattern[str] | None = None
    examples: tuple[str, ...] = ()

    def scores(self, texts: Sequence[str]) -> list[float]:
        """Score each text from about -1 (not of this kind) to 1 (plainly of this kind)."""
        if self.form is not None:
            return [1.0 if self.form.search(text) else -0.5 for text in texts]
        nearest = (embed(texts) @ embed(self.examples).T).max(axis=1)
        return [float(np.clip((cosine - 0.2) * 4, -0.6, 1.0)) for cosine in nearest]

    def extract(self, text: str) -> str:
        """Take the one part of a line that has the form; the whole line where there is no form or several parts."""
        found = [match.group().strip() for match in self.form.finditer(text)] if self.form else []
        return found[0] if len(found) == 1 else text


def _form(name: str, asked: str, form: str) -> AnswerType:
    return AnswerType(name, re.compile(rf"\b({asked})\b", re.I), re.compile(form, re.I))


def _named(name: str, asked: str, *examples: str) -> AnswerType:
    return AnswerType(name, re.compile(rf"\b({asked})\b", re.I), None, examples)


_UNIT = r"(mm|cm|km|m|inches|inch|in|feet|ft|kg|g|mph|km/h|px|ms|s|min|h|fps|Hz|MB|GB|V|W|°C|°F|°|%|\")"

TYPES: tuple[AnswerType, ...] = (
    _form("quantity", "length|distance|height|width|how (long|tall|far|wide|big|heavy|fast)|weight|speed|temperature",
          rf"\d+([.,]\d+)?\s*{_UNIT}(?!\w)"),
    _form("year", "years?", r"\b(1[5-9]|20)\d\d\b"),
    _form("date", "dates?|which day|what day|month",
          r"\b(\d{1,2}[./ -]\d{1,2}[./ -]\d{2,4}"
          r"|(\d{1,2} )?(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)\w*( \d{1,4})*"
          r"|(mon|tue|wed|thu|fri|sat|sun)\w*)\b"),
    _form("time", "what time|clock", r"\b\d{1,2}[:.]\d{2}([:.]\d{2})?\b"),
    _form("price", "price|cost|costs|how much", r"[$€£¥]\s?\d[\d.,]*|\d[\d.,]*\s?(€|\$|usd|eur|gbp)"),
    _form("address", "url|web ?site|e-?mail|link|web address",
          r"(https?://\S+|www\.\S+|\S+@\S+|\b[\w-]+\.(com|org|net|io|edu|gov|\w\w)\b\S*)"),
    _form("resolution", "resolution", r"\d{3,4}\s*[x×]\s*\d{3,4}"),
    _form("percentage", "percent|percentage", r"\d+([.,]\d+)?\s*%"),
    _form("number", "what number|which number|score|result|version|phone number", r"\d[\d.,:-]*"),
    _named("person", "user ?name|who|whose|person|author|actor|actress|director|speaker|player|presenter|man|woman",
           "John Smith", "Maria Garcia", "Anna Kowalska", "Peter Müller", "Wei Zhang", "James O'Connor"),
    _named("product", "monitor|screen|display|device|product|model|brand|phone|laptop|computer|camera|machine",
           'Samsung SyncMaster 24"', "Dell U2412", "Canon EOS 500", "ThinkPad X1", "iPhone 12", "Sony Bravia"),
    _named("organisation",
           r"school|company|organi[sz]ation|university|college|institut\w+|club|team|agency|studio|channel",
           "University of Oslo", "Acme Corporation", "St Mary's High School", "Ministry of Health", "Real Madrid"),
    _named("place", "city|town|country|street|station|airport|place|location",
           "Paris, France", "Main Street", "New York City", "Berlin Hauptbahnhof", "Japan"),
)  # fmt: skip


def types_asked(question: str) -> list[AnswerType]:
    """Return the kinds of answer a question asks for, in the order in which it names them."""
    found = [(match.start(), kind) for kind in TYPES if (match := kind.asked.search(question))]
    return [kind for _, kind in sorted(found, key=lambda pair: pair[0])]
