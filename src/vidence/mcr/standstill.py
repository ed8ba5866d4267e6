"""Stop rules besides the budget: an action done twice brings nothing, and steps that change nothing come to an end."""

from __future__ import annotations

import json

from vidence.mcr.policy import Decision
from vidence.mcr.situation import Situation

MAX_IDLE = 4  # steps in a row after which nothing new was perceived and the belief stayed as it was
MAX_HEEDLESS = 2  # actions that a policy may still ask for once it was told to stop
MOVED = 0.02  # of probability, or more: the belief has changed


class Standstill:
    """Watches one rollout."""

    def __init__(self, situation: Situation) -> None:
        self.situation = situation
        self._done = dict[str, int]()  # what was done already, by name and arguments, and at which step
        self._idle = self._stops = 0
        self._before = self._state()

    def repeated(self, decision: Decision) -> str | None:
        """Say that an action was done before with the same arguments; None for a new one, which is noted."""
        key = json.dumps([decision.action, decision.arguments], sort_keys=True, default=str)
        if key in self._done:
            return f"the same was done at step {self._done[key]}; nothing new would come of it"
        self._done[key] = self.situation.meter.steps
        return None

    def look_back(self) -> None:
        """Note after a step whether it changed anything; several that did not bring the rollout to its end."""
        state = self._state()
        self._idle = self._idle + 1 if self._same(state) else 0
        self._before = state
        if self._idle >= MAX_IDLE:
            self.situation.idle = f"{MAX_IDLE} steps brought nothing new"

    def heedless(self) -> bool:
        """Tell whether a policy goes on although it was told to stop."""
        self._stops += self.situation.stopped is not None
        return self._stops > MAX_HEEDLESS

    def _state(self) -> tuple[int, list[float]]:
        situation = self.situation
        perceived = (
            len(situation.recalled) + len(situation.looked) + len(situation.shown) + len(situation.notes)
        )
        return perceived, situation.belief.probabilities()

    def _same(self, state: tuple[int, list[float]]) -> bool:
        (count, odds), (before, odds_before) = state, self._before
        if count != before or len(odds) != len(odds_before):
            return False
        return all(abs(one - other) < MOVED for one, other in zip(odds, odds_before, strict=True))
