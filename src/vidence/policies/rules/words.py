"""Clues from words: what is written on screen, said or described, compared with each option."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence

from vidence.mcr.belief import Clue
from vidence.mcr.evidence import Evidence
from vidence.mcr.situation import Situation
from vidence.policies.rules.options import contrast, telling_stems
from vidence.policies.rules.tracks import in_window
from vidence.senses.language import embed, stems
from vidence.senses.observation import Observation

_NOT_BY_WORDS = ("order", "count", "colour", "direction", "change", "camera")
"""Kinds that a word's mere presence tells nothing of: "3" on a sign does not count cars, nor "red" on it paint them."""


_STRENGTHS = {"written": {"on screen": 3.0, "said": 0.75}, "said": {"said": 3.0, "on screen": 0.75}}
"""What the question asks for counts; what contradicts it in the other sense is a conflict, and no answer."""
_ASKED_IN = {"on screen": "written", "said": "said"}
_OTHERWISE = 1.5
_NONE = re.compile(r"(no such|none|nothing|no one|nobody|it is not|there (is|are) (no|none))\b", re.I)
_OTHER_COLOUR = 0.5  # share that is left to words in another colour than the question names


def word_clues(situation: Situation, options: Sequence[str]) -> list[Clue]:
    """Weigh options by their telling words among what is written or said."""
    if situation.question.kind in _NOT_BY_WORDS:
        return []
    clues: list[Clue] = []
    asked_words = situation.question.kind in ("written", "said")  # a caption tells what is shown, not these
    described = () if asked_words else (("captions", "described"),)
    for sense, channel in (("text", "on screen"), ("speech", "said"), *described):
        found = [
            o for o in situation.observations(sense) if in_window(o, situation.question.windows) and o.text
        ]
        if found:
            clues += _lexical(situation, options, found, channel)
    return clues


def _lexical(
    situation: Situation, options: Sequence[str], found: Sequence[Observation], channel: str
) -> list[Clue]:
    language = situation.question.language
    bags = [set(stems(o.text)) for o in found]
    frequency = Counter(root for bag in bags for root in bag)
    scores: list[float | None] = []
    evidence: list[tuple[Evidence, ...]] = []
    for roots in telling_stems(options, language):
        weights = {r: 1 / (1 + math.log1p(frequency[r])) for r in roots}
        whole = sum(weights.values()) or 1.0
        shares = [
            _coloured(situation, o) * sum(weights[r] for r in roots & bag) / whole
            for o, bag in zip(found, bags, strict=True)
        ]
        top = max(range(len(found)), key=shares.__getitem__)
        scores.append(shares[top] * found[top].confidence)
        evidence.append((situation.cite(found[top]),) if shares[top] > 0 else ())
    if situation.question.kind == _ASKED_IN.get(channel):
        scores = _with_none(scores, options)
    strength = _STRENGTHS.get(situation.question.kind, {}).get(channel, _OTHERWISE)
    return contrast(scores, strength, channel, [f"its words are {channel}"] * len(options), evidence)


def _with_none(scores: Sequence[float | None], options: Sequence[str]) -> list[float | None]:
    """Let an option that says none of the others is there stand as high as the best of them stands low."""
    none = [bool(_NONE.match(option.strip())) for option in options]
    top = max((score or 0.0 for score, one in zip(scores, none, strict=True) if not one), default=0.0)
    return [1 - top**2 if one else score for score, one in zip(scores, none, strict=True)]


def _coloured(situation: Situation, o: Observation) -> float:
    """Return how well a line's letters or ground fit the colours that the question names."""
    own = {o.data.get("colour"), o.data.get("background")} - {None}
    named = situation.question.colours
    return _OTHER_COLOUR if named and own and not own & set(named) else 1.0


def meaning_clues(situation: Situation, options: Sequence[str]) -> list[Clue]:
    """Weigh options by the nearest sentence in meaning: for speech, where the words may differ."""
    spoken = [o for o in situation.observations("speech") if in_window(o, situation.question.windows)]
    if not spoken:
        return []
    question = situation.question.text
    cosine = embed([f"{question} {option}" for option in options]) @ embed([o.text for o in spoken]).T
    tops = cosine.argmax(axis=1)
    evidence = [(situation.cite(spoken[int(t)]),) for t in tops]
    scores = [float(cosine[i, t]) for i, t in enumerate(tops)]
    strength = {"said": 4.0, "written": 0.5}.get(situation.question.kind, 2.0)
    return contrast(
        scores, strength, "meaning of speech", ["near in meaning to what is said"] * len(options), evidence
    )
