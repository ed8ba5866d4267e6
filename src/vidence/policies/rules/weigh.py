"""Turn all that was perceived into a belief: hypotheses, and every reader's clues for and against them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from vidence.mcr.belief import Belief, Clue, Hypothesis
from vidence.mcr.concepts import COLOURS
from vidence.mcr.grounding import ground
from vidence.mcr.situation import Situation
from vidence.policies.rules.appearance import looks_clues, thing_clues
from vidence.policies.rules.camera import camera_clues
from vidence.policies.rules.changes import change_clues
from vidence.policies.rules.colours import colour_clues, monochrome_clues
from vidence.policies.rules.counting import MOST, count_clues
from vidence.policies.rules.extraction import clock_hypotheses, said_hypotheses, written_hypotheses
from vidence.policies.rules.movement import direction_clues, place_clues
from vidence.policies.rules.ordering import order_clues
from vidence.policies.rules.presence import presence_clues, what_hypotheses
from vidence.policies.rules.setting import setting_clues
from vidence.policies.rules.shots import in_its_shots
from vidence.policies.rules.words import meaning_clues, word_clues

Reader = Callable[[Situation, Sequence[str]], list[Clue]]

OF_SHOTS: tuple[Reader, ...] = (
    colour_clues, direction_clues, place_clues, change_clues, count_clues, camera_clues, thing_clues, looks_clues,
    setting_clues,
)  # fmt: skip
OF_ALL: tuple[Reader, ...] = (monochrome_clues, order_clues, word_clues, meaning_clues, presence_clues)
"""Each weighs the options it can judge and is silent on the rest; the former where the things asked about are seen."""

VOCABULARY: dict[str, tuple[str, ...]] = {
    "colour": tuple(COLOURS),
    "direction": (
        "to the left",
        "to the right",
        "upwards",
        "downwards",
        "towards the camera",
        "away from the camera",
    ),
    "place": ("left", "right", "top", "bottom", "middle"),
    "count": tuple(str(n) for n in range(MOST + 1)),
    "yes-no": ("Yes", "No"),
    "change": ("left", "middle", "right"),
    "camera": ("nearer", "farther", "the same"),
}
"""What can be answered to a question without options: such questions are weighed as if these were the options."""


NOTHING = {"written": 0.9, "said": 0.9, "when": 0.0, "order": 0.0}
"""Support of "none of these" for proposals taken from the video, in log odds: what the best of them must beat."""


def weigh(situation: Situation) -> Belief:
    """Weigh everything known, leaving out evidence that failed its check."""
    question = situation.question
    options = question.choices or VOCABULARY.get(question.kind, ())
    if options:
        shots = in_its_shots(situation)
        clues = [clue for reader in OF_SHOTS for clue in reader(shots, options)]
        clues += [clue for reader in OF_ALL for clue in reader(situation, options)]
        belief = Belief(tuple(Hypothesis(option) for option in options)).with_clues(clues)
    else:
        kind = situation.question.kind
        belief = Belief(_open(situation), exclusive=kind != "what", none_of_these=NOTHING.get(kind))
    return _uncertainties(_standing(belief, situation), situation)


def _open(situation: Situation) -> tuple[Hypothesis, ...]:
    kind = situation.question.kind
    if kind == "written":
        return tuple(written_hypotheses(situation))
    if kind == "said":
        return tuple(said_hypotheses(situation) or written_hypotheses(situation))
    if kind in ("when", "order"):
        return tuple(clock_hypotheses(situation) or _grounded(situation))
    return tuple(what_hypotheses(situation))


def _grounded(situation: Situation) -> list[Hypothesis]:
    out = []
    for found in ground(situation.question.text, situation, limit=8):
        quote = f"no {found.source.text}" if found.absent and found.source else ""
        evidence = (
            (situation.cite(found.source, span=found.span, quote=quote, absent=found.absent),)
            if found.source
            else ()
        )
        out.append(
            Hypothesis(
                str(found.span),
                (Clue(0, 5 * (found.score - 0.5), "grounding", found.why, evidence),),
                (found.span,),
            )
        )
    return out


def _standing(belief: Belief, situation: Situation) -> Belief:
    """Take out clues whose evidence did not hold when it was opened again."""
    failed = situation.failed
    if not failed:
        return belief

    # The clues of a channel are weighed against one another: where one falls, the others mean nothing.
    fallen = {
        clue.channel
        for h in belief.hypotheses for clue in h.clues
        if clue.evidence and all(e.id in failed for e in clue.evidence)
    }  # fmt: skip
    whole = belief.exclusive and belief.none_of_these is None

    def holds(clue: Clue) -> bool:
        return clue.channel not in fallen if whole else not any(e.id in failed for e in clue.evidence)

    return replace(
        belief,
        hypotheses=tuple(replace(h, clues=tuple(c for c in h.clues if holds(c))) for h in belief.hypotheses),
    )


def _uncertainties(belief: Belief, situation: Situation) -> Belief:
    """Say what is open, and where a look could settle it."""
    best = belief.best()
    if best is None:
        return replace(
            belief,
            uncertainties=("nothing perceived bears on the question",),
            candidates=situation.question.windows,
        )
    index, p = best
    if p >= 0.8:
        return replace(belief, candidates=tuple(e.span for e in belief.hypotheses[index].evidence[:3]))
    rivals = sorted(zip(belief.probabilities(), belief.hypotheses, strict=True), key=lambda pair: -pair[0])[
        :2
    ]
    spans = situation.question.windows or tuple(e.span for _, h in rivals for e in h.evidence[:2])
    return replace(
        belief,
        uncertainties=(f"{' or '.join(h.text for _, h in rivals)}: {rivals[0][0]:.2f} for the first",),
        candidates=spans,
    )
