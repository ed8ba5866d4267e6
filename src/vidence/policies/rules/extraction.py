"""Open questions about words: propose what is written or said as the answer, and weigh each proposal."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from difflib import SequenceMatcher

from vidence.mcr.belief import Clue, Hypothesis
from vidence.mcr.question import Question, telling_words
from vidence.mcr.situation import Situation
from vidence.policies.rules.answer_types import AnswerType, types_asked
from vidence.policies.rules.quoting import beside_hypothesis
from vidence.policies.rules.tracks import SIDE, in_window
from vidence.senses.language import embed, normalise, stems
from vidence.senses.observation import Observation
from vidence.timeline import total

_KEEP = 12  # proposals kept: the belief is read by people

_TITLE = re.compile(r"\b(titled?|headline|heading|name of the (film|movie|video|show)|called)\b", re.I)
_NAME = re.compile(r"\b(name[ds]?|who|whose|called|titled?|which (user|school|company|city|person))\b", re.I)


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
    windows = situation.question.windows
    found = [o for o in situation.observations("speech") if in_window(o, windows) and o.text.strip()]
    if not found:
        return []
    beside = beside_hypothesis(situation, found)
    return [beside] if beside else _propose(situation, found, _speech_clues)


def _speech_clues(question: Question, o: Observation) -> list[tuple[str, float, str]]:
    if telling_words(question.text, question.language):
        return []
    return [("any speech", 1.5, "the question asks for anything that is said")]


def clock_hypotheses(situation: Situation) -> list[Hypothesis]:
    """Propose a clock time that is written or said: "At what time does the train leave?" may be answered by a board."""
    question = situation.question
    if "time" not in {kind.name for kind in types_asked(question.text)}:
        return []
    time = next(kind for kind in types_asked(question.text) if kind.name == "time")
    wanted = telling_words(question.text, question.language)
    lines = [
        o for o in situation.observations("text", "speech")
        if in_window(o, question.windows) and time.extract(o.text) != o.text and wanted & set(stems(o.text))
    ]  # fmt: skip
    return _propose(situation, lines, lambda q, o: []) if lines else []


ClueMaker = Callable[[Question, Observation], list[tuple[str, float, str]]]


def _propose(situation: Situation, found: Sequence[Observation], extra: ClueMaker) -> list[Hypothesis]:
    question = situation.question
    asked = types_asked(question.text)[:2]
    texts = [o.text for o in found]
    of_kind = [kind.scores(texts) for kind in asked]
    cosine = embed([question.text])[0] @ embed(texts).T
    shared = _shared_words(question, found)
    proposals: dict[str, Hypothesis] = {}
    for i, o in enumerate(found):
        reasons = [
            ("meaning", max(0.0, 3.0 * (float(cosine[i]) - 0.2)), "near the question in meaning"),
            ("reading", math.log(max(o.confidence, 0.05) / 0.8), f"read with confidence {o.confidence:.2f}"),
            *shared[i],
            *(
                (f"kind: {k.name}", 1.6 * scores[i], f"looks like a {k.name}")
                for k, scores in zip(asked, of_kind, strict=True)
            ),
            *extra(question, o),
        ]
        evidence = (situation.cite(o),)
        clues = tuple(Clue(0, w, channel, why, evidence if w > 0 else ()) for channel, w, why in reasons)
        text = _extract(asked, o.text)
        _keep_best(proposals, Hypothesis(text, clues, (o.span,)))
    ranked = sorted(_whole_lines(list(proposals.values())), key=lambda h: -h.support)
    return ranked[:_KEEP]


def _shared_words(question: Question, found: Sequence[Observation]) -> list[list[tuple[str, float, str]]]:
    """Weigh the question's own words in a line: rare ones point to it, but a line of nothing else says nothing new."""
    wanted = telling_words(question.text, question.language)
    bags = [set(stems(o.text)) for o in found]
    frequency = Counter(root for bag in bags for root in bag)
    out = []
    for bag in bags:
        shared, reasons = wanted & bag, []
        if shared:
            rarity = sum(1 / (1 + math.log(frequency[r])) for r in shared)
            reasons.append(("shared words", min(1.2 * rarity, 2.4), f"shares {', '.join(sorted(shared))}"))
        if bag and bag <= wanted:
            reasons.append(("repeats the question", -3.0, "says no more than the question"))
        out.append(reasons)
    return out


def _extract(asked: Sequence[AnswerType], text: str) -> str:
    """Answer "what length" with the length alone; a question for two things gets the whole line."""
    return asked[0].extract(text) if len(asked) == 1 else text


def _keep_best(proposals: dict[str, Hypothesis], new: Hypothesis) -> None:
    """Count one text once, however often it is read; its spans are all the times it is there."""
    key = normalise(new.text)
    twin = key if key in proposals else next((k for k in proposals if _misread(k, key)), None)
    if twin is None:
        proposals[key] = new
        return
    old = proposals.pop(twin)
    # Of two readings of one line the one that stood longer is right: the other was covered or blurred.
    better, other = (new, old) if _length(new) > _length(old) else (old, new)
    spans = tuple(dict.fromkeys(better.spans + other.spans))
    stronger = better if better.support >= other.support else replace(better, clues=other.clues)
    proposals[normalise(better.text)] = replace(stronger, spans=spans)


def _misread(left: str, right: str) -> bool:
    """Say whether two texts are readings of one: nearly the same letters, and the same digits."""
    if min(len(left), len(right)) < 6 or [c for c in left if c.isdigit()] != [
        c for c in right if c.isdigit()
    ]:
        return False
    return SequenceMatcher(None, left, right, autojunk=False).ratio() >= 0.85


def _length(h: Hypothesis) -> float:
    return float(total(h.spans))


def _whole_lines(proposals: list[Hypothesis]) -> list[Hypothesis]:
    """Drop a line that is only part of a block nearly as good: "BUNNY" where "Big Buck BUNNY" stands."""

    def part_of_better(h: Hypothesis) -> bool:
        return any(
            normalise(h.text) in normalise(k.text) and k.support > h.support - 1.0 and len(k.text) < 4 * len(h.text)
            for k in proposals if k is not h and len(k.text) > len(h.text)
        )  # fmt: skip

    return [h for h in proposals if not part_of_better(h)]


def _screen_clues(question: Question, o: Observation) -> list[tuple[str, float, str]]:
    """Weigh a line by what it looks like: ink, place, size, capitals."""
    text, out = question.text, []
    if question.colours and o.data.get("colour"):
        ink, ground = o.data["colour"], o.data.get("background")
        match = ink in question.colours or ground in question.colours
        on = f" on {ground}" if ground else ""
        out.append(("ink", 1.5 if match else -1.0, f"written in {ink}{on}"))
    if question.places and o.track:
        x, y = o.track[0][1].centre
        fit = max(((x - 0.5) * SIDE[p][0] + (y - 0.5) * SIDE[p][1]) * 2 for p in question.places)
        out.append(("place", 1.5 * fit, f"stands at ({x:.2f}, {y:.2f})"))
    if _TITLE.search(text):
        size = 25 * (float(o.data.get("height", 0.03)) - 0.05)
        out.append(("size", max(-1.5, min(size, 2.5)), "size of the letters"))
    if _NAME.search(text):
        words = [w for w in re.findall(r"[^\W\d_]+", o.text) if len(w) > 1]
        capitals = sum(w[0].isupper() for w in words) / len(words) if words else 0.0
        out.append(("name", 1.2 * (capitals - 0.5) if len(words) > 1 else -0.3, "written like a name"))
    if not telling_words(text, question.language):
        # "What is written?": whatever is, the larger and longer the likelier it is meant.
        out.append(
            (
                "any text",
                1.2 + min(float(o.data.get("height", 0.03)) * 10, 1.5),
                "the question asks for any text",
            )
        )
    if len(o.text.strip()) < 3:
        out.append(("too short", -1.5, "hardly a word"))
    return out
