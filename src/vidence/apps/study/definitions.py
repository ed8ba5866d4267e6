"""Find definitions in sentences and on slides, by patterns of six languages."""

from __future__ import annotations

import re
from dataclasses import dataclass

from vidence.senses.language import fold, stop_words

MOST_WORDS = 5  # of a term
LEAST_WORDS = 3  # of what is said of it
_LEAD = r"(?:(?:so|now|and|well|then|first|here|but|next|again|okay|ok|also|finally|let us say that|remember that),? )*"
_TERM = r"(?P<term>[\w'’/+#.-]+(?: [\w'’/+#.-]+){0,5}?)"
_IS = r"(?:is|are)"
_NO_THING = (
    "(?:so|such|not|very|too|more|less|as|also|clear|true|likely|possible|obvious|known|said|important|sure|certain|"
    "in|on|at|of|for|with|by|from|to|like|there|here|now|only|still|already)"
)
"""What stands after "is" in sentences that go on with "that", and say of nothing what it is."""

_PATTERNS: dict[str, tuple[str, ...]] = {
    "en": (
        rf"^{_LEAD}(?:an? |the |each |every |one )?{_TERM} {_IS} (?:defined as|called|known as)? ?"
        r"(?P<said>(?:an?|the|any|one|when|where|how|what|that|something|simply|just|nothing but) .+)$",
        rf"^{_LEAD}{_TERM} is (?P<said>(?!{_NO_THING}\b)[\w-]+(?: [\w-]+){{0,2}} (?:that|which) .+)$",
        rf"^{_LEAD}(?:an? |the )?{_TERM} (?:means|refers to|stands for|denotes|describes|consists of) (?P<said>.+)$",
        rf"^{_LEAD}(?:we|people|one|you) (?:call|calls|define) (?P<said>.+?) (?:an? |the )?{_TERM}$",
        rf"^{_LEAD}(?P<said>.+?) (?:is|are) (?:called|known as|termed) (?:an? |the )?{_TERM}$",
        rf"^{_LEAD}by (?:an? |the )?{_TERM} we mean (?P<said>.+)$",
    ),
    "de": (
        rf"^(?:ein|eine|der|die|das|unter einem|unter einer)? ?{_TERM} (?:ist|sind) "
        r"(?P<said>(?:ein|eine|einer|der|die|das|wenn|was) .+)$",
        rf"^(?:ein|eine|der|die|das)? ?{_TERM} (?:bedeutet|bezeichnet|heißt|meint|beschreibt) (?P<said>.+)$",
        rf"^unter (?:einem|einer|dem|der)? ?{_TERM} versteht man (?P<said>.+)$",
        rf"^(?P<said>.+?) (?:nennt man|heißt) (?:einen|eine|ein)? ?{_TERM}$",
    ),
    "fr": (
        rf"^(?:une?|le|la|les|l['’])? ?{_TERM} (?:est|sont) (?P<said>(?:une?|le|la|les|l['’]\w*|ce) .+)$",
        rf"^(?:une?|le|la|les|l['’])? ?{_TERM} (?:désigne|signifie|décrit) (?P<said>.+)$",
        rf"^on appelle (?:une?|le|la)? ?{_TERM} (?P<said>(?:une?|le|la|les) .+)$",
    ),
    "es": (
        rf"^(?:una?|el|la|los|las)? ?{_TERM} (?:es|son) (?P<said>(?:una?|el|la|los|las|cuando) .+)$",
        rf"^(?:una?|el|la)? ?{_TERM} (?:significa|se define como|se refiere a|consiste en) (?P<said>.+)$",
        rf"^(?P<said>.+?) se llama (?:una?|el|la)? ?{_TERM}$",
    ),
    "it": (rf"^(?:una?|uno|il|lo|la)? ?{_TERM} (?:è|sono) (?P<said>(?:una?|uno|il|lo|la|i|le) .+)$",),
    "zh": (
        r"^(?:所谓)?(?P<term>[^，。,]{1,12}?)(?:就是|是指|指的是|是一种|是一个|的定义是|叫做|称为)(?P<said>.{3,})$",
    ),
}  # fmt: skip
_COMPILED = {code: [re.compile(p, re.IGNORECASE) for p in patterns] for code, patterns in _PATTERNS.items()}
_LINE = re.compile(r"^(?P<term>[^:–—]{2,48}?)\s*(?::|\s[–—-]\s)\s*(?P<said>\S.{5,})$")
_EMPTY = frozenset({
    "it", "this", "that", "these", "those", "there", "here", "he", "she", "they", "we", "you", "i", "which", "what",
    "who", "one", "all", "both", "each", "some", "something", "nothing", "everything", "thing", "things", "example",
    "reason", "idea", "question", "answer", "problem", "point", "way", "part", "first", "second", "third", "next",
    "last", "result", "goal", "aim", "difference", "same", "other", "another", "following", "slide", "lecture", "topic",
    "today",
})  # fmt: skip
"""Words that stand where a term would and are none."""

_LOOSE_START = re.compile(
    r"^(?:if|when|while|because|as|since|although|in|on|at|for|with|by|from|to|of|let|note)\b", re.I
)


@dataclass(frozen=True, slots=True)
class Definition:
    """A term, and the words that say what it is."""

    term: str
    said: str


def in_sentence(text: str, language: str) -> Definition | None:
    """Return what a sentence defines, or None."""
    plain = " ".join(text.split()).rstrip(" .!;…。")
    if "?" in text or "？" in text:
        return None
    for pattern in _COMPILED.get(language, _COMPILED["en"]):
        found = pattern.match(plain)
        if found and (kept := _kept(found["term"], found["said"], language)):
            return kept
    return None


def in_line(text: str, language: str) -> Definition | None:
    """Return what a line of a slide defines, "term: what it is"; or None."""
    found = _LINE.match(text.strip())
    return _kept(found["term"], found["said"], language) if found else None


def _kept(term: str, said: str, language: str) -> Definition | None:
    words = term.strip(" ,'\"“”").split()
    if not words or len(words) > MOST_WORDS or _LOOSE_START.match(term):
        return None
    if language != "zh" and len(said.split()) < LEAST_WORDS:
        return None
    known = stop_words(language)
    content = [word for word in words if fold(word.lower()) not in known and word.lower() not in _EMPTY]
    if not content or words[-1].lower() in _EMPTY or fold(words[-1].lower()) in known:
        return None
    if sum(c.isalpha() for c in term) < 2 or any(c in term for c in "=<>{}()[]"):
        return None
    return Definition(" ".join(words), said.strip())
