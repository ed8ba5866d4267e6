"""Answer "What is said after X?" by finding X among the words spoken and quoting what stands beside it."""

from __future__ import annotations

import re
from collections.abc import Sequence

from vidence.mcr.belief import Clue, Hypothesis
from vidence.mcr.situation import Situation
from vidence.senses.language import normalise
from vidence.senses.observation import Observation

_BESIDE = re.compile(
    r"\b(?P<side>right after|just after|after|following|right before|just before|before)\b(?P<phrase>.+)",
    re.I,
)
_FEW_WORDS = 4  # words of the rest of a sentence below which the neighbouring sentence is quoted as well


def beside_hypothesis(situation: Situation, spoken: Sequence[Observation]) -> Hypothesis | None:
    """Return what is said right after (or before) the words the question quotes; None where it quotes none."""
    question = situation.question
    found = _BESIDE.search(question.text)
    phrase = normalise(question.quoted[0] if question.quoted else found["phrase"] if found else "")
    if not found or len(phrase.split()) < 2:
        return None
    after = "before" not in found["side"].lower()
    for place, o in enumerate(spoken):
        head, match, tail = normalise(o.text).partition(phrase)
        if not match:
            continue
        rest = (tail if after else head).split()
        words = o.text.split()
        near = words[len(words) - len(rest) :] if after else words[: len(rest)]
        neighbour = spoken[place + 1 : place + 2] if after else spoken[max(place - 1, 0) : place]
        cited = [o] if rest else []
        if len(rest) < _FEW_WORDS:
            cited += neighbour
            near = (
                near + neighbour[0].text.split()
                if after and neighbour
                else [w for n in neighbour for w in n.text.split()] + near
            )
        if not cited:
            return None
        evidence = tuple(situation.cite(c) for c in cited)
        clue = Clue(0, 3.0, "beside the quoted words", f"said {found['side'].lower()} “{phrase}”", evidence)
        return Hypothesis(" ".join(near), (clue,), tuple(c.span for c in cited))
    return None
