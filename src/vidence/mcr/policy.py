"""The seam between the loop and whoever decides: one method, `decide(context) -> Decision`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from vidence.mcr.belief import Belief

if TYPE_CHECKING:
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

    def decide(self, situation: Situation) -> Decision:
        """Return the next decision; the action "answer" ends the rollout once the gate has let it through."""
        ...
