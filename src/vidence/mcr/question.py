"""Read a question: what kind it is, what it is about, which stretch of time it names, what would answer it.

English is read by patterns; a question in another language by its nearest prototype in the multilingual text space, so
that the same kinds are known in every language the encoder knows. The kind routes the search as a soft prior only
(paper, section 3.4): it decides what is looked at first, never what may be found.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cache
from typing import Literal

import numpy as np

from vidence.mcr.concepts import NUMBERS, ORDINALS, mentions
from vidence.senses.language import detect_language, embed, stems
from vidence.timeline import Span, instant

Kind = Literal[
    "written", "said", "when", "count", "order", "colour", "direction", "place", "yes-no", "change", "camera", "what"
]  # fmt: skip
"""What would answer the question: words on screen, words spoken, a time, a number, a sequence, a colour, a direction
of movement, a side of the picture, yes or no, what was taken away or put down, how the camera or distance changes, or
a thing, action or property."""

Route = Literal["global", "speech", "knowledge", "temporal", "fine-grained"]

ROUTES: dict[Kind, Route] = {
    "written": "fine-grained", "said": "speech", "when": "temporal", "count": "temporal", "order": "temporal",
    "colour": "fine-grained", "direction": "temporal", "place": "fine-grained", "yes-no": "global",
    "change": "temporal", "camera": "temporal", "what": "global",
}  # fmt: skip

_WORDS: tuple[tuple[Kind, str], ...] = (
    (
        "written",
        r"(text|sign|label|caption|subtitle|title|screen|headline|slide)s? (on \w+ )?(say|show|read|give|state)s?",
    ),
    ("said", r"say|says|said|saying|speak(s|er)?|spoken|talk(s|ed|ing)?|mention(s|ed)?|speech|narrat\w+"),
    ("said", r"voice|hear|heard|lyrics|transcript|words? .*(use|spoken)"),
    (
        "written",
        r"writ(e|ten)|text|titled?|captions?|subtitles?|label(s|led)?|sign (say|read)s?|read(s|able)?|(user ?)?named?",
    ),
    (
        "written",
        r"logo|inscription|printed|displayed|spell(s|ed)?|url|web ?site|address|e-?mail|date|year|price",
    ),
    ("written", r"headline|slogan|credit(s|ed)?|heading|button|menu|ticked|checked|selected"),
    ("written", r"(which|what) (code ?)?(words?|letters?)"),
    ("count", r"how many|how often|number of|count|total number"),
    ("order", r"order|sequence|chronolog\w+|(which|what happens) (.* )?(first|last|before|after)"),
    ("when", r"when|(at )?what time|from when|how long|which (part|moment|second)|find the moment|timestamp"),
    ("colour", r"(what|which) colou?rs?|colou?rs? (is|are|of|do|does|has|have)"),
    ("direction", r"which way|(in )?(which|what) direction|where does .* (go|move|come|drive|run|walk)"),
    ("direction", r"from where|come from|head(s|ing)? (to|for)"),
    (
        "camera",
        r"(camera|zoom\w*|distance|shot (size|scale)|framing) .*(move|change|do|over|pan|zoom|end|nearer|closer)\w*",
    ),
    (
        "place",
        r"(which|what) side|where (is|are|does|do|did)|which (cup|box|hand|bottle|position)|(on|under) which",
    ),
    ("yes-no", r"^(is|are|was|were|do|does|did|has|have|can|could|will)"),
)
_PATTERNS: tuple[tuple[Kind, re.Pattern[str]], ...] = tuple(
    (kind, re.compile(rf"(?<!\w)(?:{words})(?!\w)")) for kind, words in _WORDS
)
"""Tried in this order: the first that is found names the kind."""

_PROTOTYPES: dict[Kind, tuple[str, ...]] = {
    "written": (
        "What is written on the sign?",
        "What is the title shown on screen?",
        "What does the text say?",
    ),
    "said": (
        "What does the speaker say?",
        "What is said about it?",
        "What do they talk about?",
        "他说了什么？",
    ),
    "when": (
        "When does it happen?",
        "At what time does he appear?",
        "From when to when is it visible?",
        "什么时候出现？",
        "狗什么时候出现？",
    ),
    "count": (
        "How many are there?",
        "How many times does it happen?",
        "有几个？",
        "视频里有多少人？",
        "有几只狗？",
    ),
    "order": ("In which order do things happen?", "Which comes first?"),
    "colour": ("What colour is it?", "Which colour does the car have?", "是什么颜色？"),
    "direction": ("In which direction does it move?", "Which way does the person go?"),
    "place": ("Where is it?", "On which side does it stand?"),
    "yes-no": ("Is there a dog?", "Does the car drive away?"),
    "camera": ("How does the camera move?", "Does the camera zoom in?"),
    "what": (
        "What is shown?",
        "Who is in the video?",
        "What animal is it?",
        "What is he doing?",
        "这是什么？",
        "他在做什么？",
    ),
}

_CLOCKS = r"(?:\d+:)?\d{1,2}:\d{2}(?:\.\d+)?|\d+(?:\.\d+)?(?=\s*(?:s\b|sec))"
_AT = re.compile(rf"\b(?:at|around|about|near)\s+(?:about\s+)?({_CLOCKS})", re.I)
_BETWEEN = re.compile(
    rf"\b(?:between|from)\s+({_CLOCKS})\s*(?:s|sec\w*)?\s*(?:and|to|until|-|–)\s*({_CLOCKS})", re.I
)
_EDGE_S = re.compile(r"\b(first|last)\s+(\w+)\s+(seconds?|minutes?)\b", re.I)
_MINUTE = re.compile(
    r"\b(?:in|during|within)\s+(?:minute\s+(?:number\s+)?(\d+)|the\s+(\d+)(?:st|nd|rd|th)\s+minute)\b"
    r"|第\s*(\d+)\s*分钟|\ben el minuto (?:número )?(\d+)\b",
    re.I,
)
_START = re.compile(r"\b(very start|start|beginning|opening|begins|at first|initially)\b", re.I)
_END = re.compile(r"\b(very end|at the end|in the end|end(s)? up|finally|ending|closing)\b", re.I)
_NEGATED = re.compile(
    r"\b(out of (the )?(picture|frame|sight|view)|not (visible|seen|there|in the picture)|disappear\w*|absent|gone"
    r"|empty|nobody|no one)\b",
    re.I,
)
_QUOTED = re.compile(r"[\"“”«»]([^\"“”«»]{2,})[\"“”«»]|(?<!\w)['‘]([^'’]{3,})['’](?!\w)")


_OF_ANY_VIDEO = frozenset(
    stems(
        "video film movie clip picture screen scene frame show shown showing see seen visible appear appears display"
        " displayed read written write text sign label say says said speaker happen happens moment part time first last"
        " word words letter letters look looks camera board slide card page banner poster panel",
        "en",
        keep_stop_words=True,
    )
)
"""Stems that any question about any video may hold: they tell nothing of what is looked for."""


def telling_words(text: str, language: str) -> set[str]:
    """Return the stems of a question or phrase that say what is looked for; empty for "What is written?"."""
    return set(stems(text, language)) - _OF_ANY_VIDEO


@dataclass(frozen=True, slots=True)
class Question:
    """A question as read. `windows` are the stretches it names ("at the start", "at about 42 s"); empty: anywhere."""

    text: str
    language: str
    kind: Kind
    choices: tuple[str, ...] = ()
    windows: tuple[Span, ...] = ()
    ordinal: int | None = None  # 0 first, 1 second, -1 last
    absent: bool = False  # asks for when something is NOT there
    things: tuple[str, ...] = ()  # concepts of `concepts.THINGS` it names
    colours: tuple[str, ...] = ()
    places: tuple[str, ...] = ()
    quoted: tuple[str, ...] = ()
    routes: dict[str, float] = field(default_factory=dict)

    @property
    def route(self) -> str:
        """Return the likeliest route."""
        return max(self.routes, key=lambda name: self.routes[name])


def read_question(text: str, whole: Span, choices: tuple[str, ...] = (), language: str = "auto") -> Question:
    """Read a question about a medium that spans `whole`. `language`: ISO 639-1, or "auto"."""
    code = detect_language(text) if language == "auto" else language
    kind = _kind(text, choices, code)
    ordinals = [ORDINALS[w] for w in re.findall(r"[a-z]+", text.lower()) if w in ORDINALS]
    return Question(
        text=text,
        language=code,
        kind=kind,
        choices=choices,
        windows=_windows(text, whole),
        ordinal=ordinals[0] if ordinals else None,
        absent=bool(_NEGATED.search(text)),
        things=tuple(dict.fromkeys(m.concept for m in mentions(text, "things", code))),
        colours=tuple(dict.fromkeys(m.concept for m in mentions(text, "colours", code))),
        places=tuple(dict.fromkeys(m.concept for m in mentions(text, "places", code))),
        quoted=tuple(a or b for a, b in _QUOTED.findall(text)),
        routes=_routes(kind),
    )


def _kind(text: str, choices: tuple[str, ...], language: str) -> Kind:
    by_choices = _kind_of_choices(text, choices, language)
    if by_choices:
        return by_choices
    if language == "en":
        lowered = text.lower().strip()
        # "when" at the head of the question asks for a time, whatever else is named in it.
        if re.match(r"^(when|at what time|from when)\b", lowered):
            return "when"
        matching: list[Kind] = [kind for kind, pattern in _PATTERNS if pattern.search(lowered)]
        return matching[0] if matching else "what"
    names, vectors = _prototypes()
    scores = vectors @ embed([text])[0]
    return names[int(scores.argmax())] if scores.max() > 0.3 else "what"


def _kind_of_choices(text: str, choices: tuple[str, ...], language: str) -> Kind | None:
    """Tell the kind from what the options have in common: the surest sign there is."""
    if len(choices) < 2:
        return None

    def share(table: str) -> float:
        return sum(bool(mentions(choice, table, language)) for choice in choices) / len(choices)

    if all(re.fullmatch(r"\W*\d+\W*", c) or c.strip().lower() in NUMBERS for c in choices):
        return "count"
    if sum(_parts(c) > 2 for c in choices) >= len(choices) / 2 or (
        re.search(r"\border\b|\bsequence\b", text, re.I) and sum(_parts(c) > 1 for c in choices) >= 2
    ):
        return "order"
    if share("colours") >= 0.75 and re.search(r"colou?r", text, re.I):
        return "colour"
    if sum(bool(re.match(r"(yes|no)\b", c.strip(), re.I)) for c in choices) >= len(choices) / 2:
        return "yes-no"
    if re.search(r"\b(which way|direction|where does .* (go|move|come)|from where)\b", text, re.I):
        return "direction"
    if (
        re.search(r"\b(taken|removed|put|placed|left standing|remain\w*|added)\b", text, re.I)
        and share("places") >= 0.5
    ):
        return "change"
    if share("places") >= 0.75:
        return "place"
    return None


def _parts(choice: str) -> int:
    return len(re.split(r"\s*(?:,|;|→|->|\bthen\b)\s*", choice.strip()))


@cache
def _prototypes() -> tuple[list[Kind], np.ndarray]:
    rows: list[tuple[Kind, str]] = [
        (kind, sentence) for kind, sentences in _PROTOTYPES.items() for sentence in sentences
    ]
    kinds: list[Kind] = [kind for kind, _ in rows]
    return kinds, embed([sentence for _, sentence in rows])


def _routes(kind: Kind) -> dict[str, float]:
    """Spread the prior: most on the kind's own route, the rest even."""
    names = ("global", "speech", "knowledge", "temporal", "fine-grained")
    return {name: 0.6 if name == ROUTES[kind] else 0.1 for name in names}


def _windows(text: str, whole: Span) -> tuple[Span, ...]:
    """Find the stretches of time a question names, clipped to the medium."""
    found: list[Span] = []
    for start, end in _BETWEEN.findall(text):
        first, last = sorted((instant(start), instant(end)))
        found.append(Span(first, last))
    if not found:
        found = [Span(instant(at), instant(at)).padded(1) for at in _AT.findall(text)]
    for numbers in _MINUTE.findall(text):
        minute = int(next(filter(None, numbers)))
        if minute > 0 and 60 * (minute - 1) < whole.duration:  # the first is from 0 to 1
            found.append(Span(whole.start + 60 * (minute - 1), whole.start + 60 * minute))
    for side, amount, unit in _EDGE_S.findall(text):
        number = int(amount) if amount.isdigit() else NUMBERS.get(amount.lower(), 0)
        seconds = number * (60 if unit.lower().startswith("minute") else 1)
        if seconds:
            edge = (
                (whole.start, whole.start + seconds)
                if side.lower() == "first"
                else (whole.end - seconds, whole.end)
            )
            found.append(Span(*edge))
    if not found:
        # "The start" of a film is no exact place: a tenth of it, at least one second and at most ten.
        edge_s = min(max(whole.duration / 10, instant(1)), instant(10))
        if _START.search(text):
            found.append(Span(whole.start, whole.start + edge_s))
        elif _END.search(text):
            found.append(Span(whole.end - edge_s, whole.end))
    return tuple(span.clipped(whole) for span in found)
