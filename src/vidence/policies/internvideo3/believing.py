"""What the model's answers make of the belief: each is a clue, as strong as the model was sure of it."""

from __future__ import annotations

import math
from collections.abc import Sequence

from vidence.mcr.answer import Choice
from vidence.mcr.belief import Belief, Clue, Hypothesis
from vidence.mcr.draft import Draft, DraftClaim
from vidence.mcr.evidence import Evidence
from vidence.mcr.situation import Situation
from vidence.models.internvideo3 import protocol
from vidence.policies.internvideo3.rollout import Rollout, Said

SURE = 0.98  # no answer counts as more certain than this
AGAIN = 0.5  # what the same model says a second time counts half
FIRST = "answer"  # the channel of the dialogue itself; others are of checks


def hypothesis(said: Said, situation: Situation) -> str:
    """Return the possible answer that was given: an option, or the words; "" where it is neither."""
    choices = situation.question.choices
    if not choices:
        return said.answer
    if said.answer in choices:
        return said.answer
    letter = protocol.letter(said.answer)
    index = ord(letter) - ord("A") if letter else -1
    if 0 <= index < len(choices):
        return choices[index]
    words = said.answer.casefold()
    named = [choice for choice in choices if choice.casefold() in words]
    return named[0] if len(named) == 1 else ""


def clue(said: Said, situation: Situation, channel: str, evidence: Sequence[Evidence]) -> Clue:
    """Weigh an answer so that, alone, it makes its hypothesis as probable as the model found its words."""
    others = max(len(situation.question.choices) - 1, 1)
    sure = min(max(said.probability, 1 - SURE), SURE)
    weight = math.log(sure * others / (1 - sure))
    if channel != FIRST:
        weight *= AGAIN
    why = f"the model answers {said.answer!r} with probability {said.probability:.2f}"
    return Clue(0, weight, channel, why, tuple(evidence))  # whose it is, `believed` knows


def believed(rollout: Rollout) -> Belief:
    """Return the belief that the clues so far lead to."""
    choices = rollout.situation.question.choices
    texts = choices or tuple(dict.fromkeys(text for text, _ in rollout.clues))
    hypotheses = tuple(
        Hypothesis(text, tuple(each for whose, each in rollout.clues if whose == text)) for text in texts
    )
    open_points = () if rollout.answered else ("the model has not answered yet",)
    candidates = tuple(dict.fromkeys(each.span for each in rollout.situation.shown))
    return Belief(hypotheses, open_points, candidates, none_of_these=None if choices else 0.0)


def drafted(rollout: Rollout, belief: Belief) -> Draft:
    """Draft the likeliest answer, with the stretches that it rests on."""
    best, question = belief.best(), rollout.situation.question
    if best is None or not rollout.clues:
        sees = rollout.situation.media.info.video is not None
        lacking = (
            "the model gave no answer that fits the question" if sees else "there is no picture to look at"
        )
        return Draft("", (), 0.0, lacking=lacking)
    index, probability = best
    found = belief.hypotheses[index]
    where = ", ".join(dict.fromkeys(str(each.span) for each in found.evidence))
    return Draft(
        text=found.text,
        claims=(DraftClaim(f"{found.text}: seen at {where}.", found.evidence),) if found.evidence else (),
        confidence=probability,
        choice=Choice(index, found.text) if question.choices else None,
        spans=tuple(dict.fromkeys(each.span for each in found.evidence)),
        lacking="" if found.evidence else "nothing was cited",
    )
