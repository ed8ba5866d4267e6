"""The rules policy: recall what is known, look again where it is uncertain, then hand a draft to the gate."""

from __future__ import annotations

from dataclasses import dataclass

from vidence.mcr.actions import Actions
from vidence.mcr.belief import Belief
from vidence.mcr.evidence import Evidence, Verdict
from vidence.mcr.policy import Decision
from vidence.mcr.situation import Situation
from vidence.mcr.verify import recheck
from vidence.policies.rules.looking import next_look
from vidence.policies.rules.weigh import weigh
from vidence.policies.rules.wording import draft

SETTLED = 0.75
"""Above this probability no further look is worth its cost."""


@dataclass(frozen=True, slots=True)
class RulesPolicy:
    """Decides without a language model. Stateless: everything it knows is in the situation."""

    name: str = "rules"
    identity: str = "rules"  # what it checks with are the senses, which evidence names by itself
    recalls: bool = True

    def decide(self, situation: Situation) -> Decision:
        """Recall first; then look while it is uncertain and a look is left; then answer."""
        question = situation.question
        if "recall" not in situation.meter.actions:
            reasoning = f"A question of kind {question.kind!r} ({question.route}): recall all that is known."
            return Decision(reasoning, "recall", {}, Belief())
        belief = weigh(situation)
        best = belief.best()
        settled = best is not None and best[1] >= SETTLED
        look = None if settled or situation.stopped else next_look(situation, belief)
        if look is not None:
            action, arguments, why = look
            return Decision(why, action, arguments, belief)
        return Decision(_conclusion(belief), "answer", {"draft": draft(situation, belief)}, belief)

    def check(
        self, claim: str, evidence: Evidence, situation: Situation, actions: Actions
    ) -> tuple[Verdict, str | None]:
        """Let the sense that perceived it look harder than the first time, and compare."""
        del claim  # it says no more than its evidence
        return recheck(evidence, situation, actions)


def _conclusion(belief: Belief) -> str:
    best = belief.best()
    if best is None:
        return "Nothing perceived bears on the question."
    index, p = best
    reasons = sorted(belief.hypotheses[index].clues, key=lambda c: -c.weight)[:3]
    return f"{belief.hypotheses[index].text!r} at {p:.2f}: " + "; ".join(
        f"{c.channel}: {c.why}" for c in reasons
    )
