"""Open questions about words: propose what is written or said as the answer, and weigh each proposal."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Sequence

from vidence.mcr.belief import Clue, Hypothesis
from vidence.mcr.question import Question
from vidence.mcr.situation import Situation
from vidence.policies.rules.tracks import SIDE, in_window
from vidence.senses.language import embed, stems
from vidence.senses.observation import Observation

_KEEP = 12  # proposals kept: the belief is read by people

_TYPES: tuple[tuple[str, str], ...] = (
    (r"\b(length|distance|height|width|size|how (long|tall|far|wide|big)|weight|speed|temperature|scale)\b",
     r"\d+([.,]\d+)?\s*(mm|cm|m|km|in|inch|ft|\"|kg|g|°|%|mph|km/h|px|s|ms|min|h)?\b"),
    (r"\byear\b", r"\b(1[5-9]|20)\d\d\b"),
    (r"\b(date|day|month)\b",
     r"\b(\d{1,2}[./ -]\d{1,2}[./ -]\d{2,4}|(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)\w*)\b"),
    (r"\b(time|clock|hour)\b", r"\b\d{1,2}[:.h]\d{2}\b"),
    (r"\b(price|cost|how much)\b", r"[$€£¥]\s?\d|\d\s?(€|\$|usd|eur)"),
    (r"\b(url|web ?site|address|e-?mail|link)\b", r"(www\.|https?:|@|\.\w{2,3}\b)"),
    (r"\b(number|score|result|version|percent\w*|phone)\b", r"\d"),
)  # fmt: skip
"""What the question asks for → what such an answer looks like."""

_NAME = re.compile(
    r"\b(name[ds]?|who|whose|called|school|company|brand|author|director"
    r"|user|person|organi[sz]ation|institut\w+|city|place|film|movie|title)\b",
    re.I,
)
_TITLE = re.compile(r"\b(title|headline|heading|name of the (film|movie|video|show)|called)\b", re.I)


def written_hypotheses(situation: Situation) -> list[Hypothesis]:
    """Propose the lines on screen that could answer, each with the reasons."""
    found = [
        o
        for o in situation.observations("text")
        if in_window(o, situation.question.windows) and o.text.strip()
    ]
    return _propose(situation, found, _screen_clues) if found else []


def said_hypotheses(situation: Situation) -> list[Hypothesis]:
    """Propose the sentences spoken that could answer."""
    found = [
        o
        for o in situation.observations("speech")
        if in_window(o, situation.question.windows) and o.text.strip()
    ]
    return _propose(situation, found, lambda q, o: []) if found else []


ClueMaker = Callable[[Question, Observation], list[tuple[str, float, str]]]


def _propose(situation: Situation, found: Sequence[Observation], extra: ClueMaker) -> list[Hypothesis]:
    question = situation.question
    wanted = set(stems(question.text, question.language))
    bags = [set(stems(o.text)) for o in found]
    frequency = Counter(root for bag in bags for root in bag)
    cosine = embed([question.text])[0] @ embed([o.text for o in found]).T
    hypotheses = []
    for o, bag, near in zip(found, bags, cosine, strict=True):
        shared = wanted & bag
        rarity = sum(1 / (1 + math.log(frequency[r])) for r in shared)
        reasons = [("meaning", 3.0 * (float(near) - 0.2), "near the question in meaning")]
        if shared:
            reasons.append(("shared words", min(1.2 * rarity, 2.4), f"shares {', '.join(sorted(shared))}"))
        if bag and bag <= wanted:
            reasons.append(("repeats the question", -1.5, "says no more than the question"))
        reasons.append(
            ("reading", math.log(max(o.confidence, 0.05) / 0.8), f"read with confidence {o.confidence:.2f}")
        )
        reasons += extra(question, o)
        evidence = (situation.cite(o),)
        clues = tuple(Clue(0, w, channel, why, evidence if w > 0 else ()) for channel, w, why in reasons)
        hypotheses.append(Hypothesis(o.text, clues, (o.span,)))
    hypotheses.sort(key=lambda h: -h.support)
    return hypotheses[:_KEEP]


def _screen_clues(question: Question, o: Observation) -> list[tuple[str, float, str]]:
    """Weigh a line by what it looks like: its kind of content, ink, place, size."""
    text, out = question.text, []
    for asked, shape in _TYPES:
        if re.search(asked, text, re.I):
            fits = re.search(shape, o.text, re.I)
            out.append(
                (
                    "kind of answer",
                    1.6 if fits else -0.8,
                    "has the form asked for" if fits else "lacks the form asked for",
                )
            )
            break
    if question.colours and o.data.get("colour"):
        match = o.data["colour"] in question.colours
        out.append(("ink", 1.5 if match else -1.0, f"written in {o.data['colour']}"))
    if question.places and o.track:
        x, y = o.track[0][1].centre
        fit = max(((x - 0.5) * SIDE[p][0] + (y - 0.5) * SIDE[p][1]) * 2 for p in question.places)
        out.append(("place", 1.5 * fit, f"stands at ({x:.2f}, {y:.2f})"))
    if _TITLE.search(text):
        out.append(("size", 25 * (float(o.data.get("height", 0.03)) - 0.05), "size of the letters"))
    if _NAME.search(text):
        words = [w for w in re.findall(r"[^\W\d_]+", o.text) if len(w) > 1]
        capitals = sum(w[0].isupper() for w in words) / len(words) if words else 0.0
        out.append(("name", 1.2 * (capitals - 0.5) if len(words) > 1 else -0.3, "written like a name"))
    if len(o.text.strip()) < 3:
        out.append(("too short", -1.5, "hardly a word"))
    return out
