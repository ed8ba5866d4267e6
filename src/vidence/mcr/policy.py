"""The seam between the loop and whoever decides: `decide` the next action, and `check` what an answer cites."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from vidence.mcr.belief import Belief

if TYPE_CHECKING:
    from vidence.mcr.actions import Actions
    from vidence.mcr.evidence import Evidence, Verdict
    from vidence.mcr.situation import Situation


@dataclass(frozen=True, slots=True)
class Decision:
    """Reasoning R_i, the belief it led to, and the next action A_{i+1} with its arguments."""

    reasoning: str
    action: str
    arguments: dict[str, Any] = field(default_factory=dict)
    belief: Belief = field(default_factory=Belief)


class Policy(Protocol):
    """Decides the next action from the situation: the question, the context so far, and what the actions brought."""

    @property
    def name(self) -> str:
        """What the policy is called in traces and receipts."""
        ...

    @property
    def identity(self) -> str:
        """Exactly who checks, its model included: what one found is not kept for another."""
        ...

    @property
    def recalls(self) -> bool:
        """Whether it draws on memory, so that a video is indexed before it is asked about."""
        ...

    def decide(self, situation: Situation) -> Decision:
        """Return the next decision; the action "answer" ends the rollout once the gate has let it through."""
        ...

    def check(
        self, claim: str, evidence: Evidence, situation: Situation, actions: Actions
    ) -> tuple[Verdict, str | None]:
        """Open the evidence of a claim again, with no regard to how it was found.

        Returns the verdict, and the hash of a frame where one was opened.
        """
        ...
