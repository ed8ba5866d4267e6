"""A recorded run done again, action by action: does the video still say what it said?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from vidence.mcr.actions import Actions
from vidence.mcr.budget import Budget, Meter
from vidence.mcr.question import read_question
from vidence.mcr.situation import Situation

if TYPE_CHECKING:
    from vidence.media import Media
    from vidence.memory import Memory
    from vidence.memory.runs import Run
    from vidence.senses.sense import Sense


@dataclass(frozen=True, slots=True)
class Replayed:
    """One action done again: what it brought when it was recorded, and what it brings now."""

    step: int
    action: str
    before: str
    now: str

    @property
    def same(self) -> bool:
        """Whether it brought the same."""
        return self.before == self.now


def replay(run: Run, media: Media, memory: Memory, senses: Sequence[Sense]) -> list[Replayed]:
    """Do the recorded actions again, in order, without whoever decided them; nothing is kept."""
    question = read_question(run.question, media.info.span, run.choices)
    situation = Situation(question, media, memory.coverage(media.hash), Meter(Budget(max_steps=None)))
    actions, found = Actions(situation, memory, senses), list[Replayed]()
    for at, step in enumerate(run.steps):
        if step.kind != "action" or step.data.get("name") == "answer":
            continue
        before = next((later.content for later in run.steps[at:] if later.kind == "feedback"), "")
        now = actions.run(step.data["name"], dict(step.data["arguments"])).text
        found.append(Replayed(step.index, step.content, before, now))
    return found
