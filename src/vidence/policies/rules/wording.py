"""Put a belief into words: the answer, its claims with their evidence, conflicts, and what is lacking."""

from __future__ import annotations

from vidence.mcr.answer import Choice
from vidence.mcr.belief import Belief, Clue
from vidence.mcr.draft import Draft, DraftClaim
from vidence.mcr.evidence import Conflict
from vidence.mcr.situation import Situation
from vidence.senses.language import embed

_GUESS = 0.22  # below this an answer taken from the video is not given at all
_FLOOR = 0.2  # below this neither is a number, colour or direction
_TELLING = 0.4  # log odds: weaker clues are not worth a claim
_SHARP = 1.0  # log odds on both sides: a contradiction worth showing

EDGE = (
    "The embedded senses see 80 kinds of things, 1000 classes, colours, movement, faces and text; "
    "finer meaning of pictures needs the standard tier or a model."
)
"""Said when a question about pictures cannot be answered."""


def draft(situation: Situation, belief: Belief) -> Draft:
    """Draft the answer that the gate will check."""
    best = belief.best()
    question = situation.question
    if best is None or not any(h.clues for h in belief.hypotheses):
        return _guess(situation)
    index, p = best
    hypothesis = belief.hypotheses[index]
    if not question.choices and p < (
        _GUESS if belief.none_of_these is not None or not belief.exclusive else _FLOOR
    ):
        return Draft("", (), p, spans=hypothesis.spans[:1], lacking=_lacking(situation))
    claims = _claims(situation, belief, index)
    return Draft(
        text=_text(situation, belief, index),
        claims=claims,
        confidence=p,
        choice=Choice(index, hypothesis.text) if question.choices else None,
        spans=hypothesis.spans or tuple(dict.fromkeys(e.span for e in hypothesis.evidence)),
        conflicts=_conflicts(belief, index),
        lacking="" if claims else _lacking(situation),
    )


def _guess(situation: Situation) -> Draft:
    """Say that nothing bears on the question; with options, name the one nearest to the question's words as a guess."""
    question = situation.question
    if not question.choices:
        return Draft("", (), 0.0, lacking=_lacking(situation))
    vectors = embed([question.text, *question.choices])
    index = int((vectors[1:] @ vectors[0]).argmax())
    return Draft(
        "", (), 1 / len(question.choices), Choice(index, question.choices[index]), lacking=_lacking(situation)
    )


def _text(situation: Situation, belief: Belief, index: int) -> str:
    kind, hypothesis = situation.question.kind, belief.hypotheses[index]
    if situation.question.choices:
        return hypothesis.text
    if kind == "when" and hypothesis.text == str(hypothesis.spans[0]):
        return f"From {str(hypothesis.spans[0]).replace('–', ' to ')}."
    if kind == "what":
        odds = belief.probabilities()
        also = [
            h.text for h, p in zip(belief.hypotheses, odds, strict=True) if p >= 0.5 and h is not hypothesis
        ][:4]
        return ", ".join([hypothesis.text, *also])
    return hypothesis.text


def _claims(situation: Situation, belief: Belief, index: int) -> tuple[DraftClaim, ...]:
    """Make one claim of each channel that speaks for the answer, the strongest first."""
    best: dict[str, Clue] = {}
    for clue in belief.hypotheses[index].clues:
        if (
            clue.weight > _TELLING * 0.25
            and clue.evidence
            and clue.weight > best.get(clue.channel, clue).weight - 1e-9
        ):
            best[clue.channel] = clue
    ordered = sorted(best.values(), key=lambda c: -c.weight)
    # One piece of evidence makes one claim, however many channels point to it.
    claims: list[DraftClaim] = []
    used: set[str] = set()
    for clue in ordered:
        evidence = tuple(e for e in clue.evidence if e.id not in used)
        if evidence:
            used.update(e.id for e in evidence)
            claims.append(DraftClaim(_sentence(clue), evidence[:4], belief.hypotheses[index].against[:2]))
    return tuple(claims[:3])


def _sentence(clue: Clue) -> str:
    first = clue.evidence[0]
    times = " and ".join(str(e.span) for e in clue.evidence if e.quote == first.quote)
    if first.modality == "speech":
        return f"“{first.quote}” is said at {times}."
    if first.sense == "text":
        return f"“{first.quote}” is on screen at {times}."
    return f"{first.quote or first.sense} at {times}: {clue.why}."


def _conflicts(belief: Belief, index: int) -> tuple[Conflict, ...]:
    """Show strong clues of different channels that point to different answers."""
    if not belief.exclusive:
        return ()
    mine = [c for c in belief.hypotheses[index].clues if c.weight >= _SHARP and c.evidence]
    out = []
    for i, other in enumerate(belief.hypotheses):
        for clue in other.clues if i != index else ():
            rival = next((c for c in mine if c.channel != clue.channel), None)
            if clue.weight >= _SHARP and clue.evidence and rival:
                left, right, answer = rival.evidence[0], clue.evidence[0], belief.hypotheses[index].text
                note = f"{left.sense} speaks for “{answer}”, {right.sense} for “{other.text}”"
                out.append(Conflict(answer, left, right, note))
    return tuple(out[:3])


def _lacking(situation: Situation) -> str:
    """Say what was missing: nothing perceived, unseen time, or a meaning beyond the senses."""
    kind = situation.question.kind
    if kind == "said":
        return (
            "Nothing that answers this is said."
            if situation.observations("speech")
            else "No speech was found."
        )
    if kind == "written":
        return (
            "No text on screen answers this."
            if situation.observations("text")
            else "No text was found on screen."
        )
    if situation.media.info.video is None:
        return "The file has no picture."
    edge = "" if situation.observations("captions") else f" {EDGE}"
    return f"Nothing perceived bears on the question.{edge}"
