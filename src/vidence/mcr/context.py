"""The append-only context C_i of a rollout: typed steps, C_{i+1} = C_i ⊕ (R_i, A_{i+1}, F_{i+1}).

Source: the paper, section 3.1."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

StepKind = Literal["instruction", "observation", "reasoning", "action", "feedback", "belief", "memory"]


@dataclass(frozen=True, slots=True)
class Step:
    """One entry of the context. `content` is for people and models; `data` holds JSON values for machines."""

    index: int
    kind: StepKind
    content: str
    data: dict[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Write as JSON values."""
        return {"index": self.index, "kind": self.kind, "content": self.content, "data": self.data}


def tokens(text: str) -> int:
    """Estimate how many tokens a text is to a model that is not at hand: one for four bytes, in any language."""
    return -(-len(text.encode()) // 4)


@dataclass(slots=True)
class Context:
    """Steps in order. Nothing is ever changed or removed; `folded` shortens only what a reader is shown.

    `told` hears of each step as it is appended.
    """

    steps: list[Step] = field(default_factory=list)
    told: Callable[[Step], None] | None = field(default=None, repr=False)

    def append(self, kind: StepKind, content: str, **data: Any) -> Step:
        """Add a step and return it."""
        step = Step(len(self.steps), kind, content, data)
        self.steps.append(step)
        if self.told is not None:
            self.told(step)
        return step

    def folded(self, max_tokens: int) -> list[Step]:
        """Return the steps with old ones folded into one memory step, so that all fit `max_tokens` tokens.

        The instruction stays, evidence ids named in folded steps are listed in the memory step, and the newest steps
        stay whole.
        """
        if sum(tokens(step.content) for step in self.steps) <= max_tokens or len(self.steps) < 3:
            return list(self.steps)
        kept: list[Step] = []
        room = max_tokens - tokens(self.steps[0].content)
        for step in reversed(self.steps[1:]):
            room -= tokens(step.content)
            if room < 0 and kept:
                break
            kept.append(step)
        kept.reverse()
        folded = self.steps[1 : kept[0].index]
        evidence = sorted({e for step in folded for e in step.data.get("evidence", ())})
        actions = [step.content for step in folded if step.kind == "action"]
        done, found = "; ".join(actions) or "none", ", ".join(evidence) or "none"
        summary = f"{len(folded)} earlier steps folded. Actions: {done}. Evidence: {found}."
        return [self.steps[0], Step(folded[-1].index, "memory", summary, {"evidence": evidence}), *kept]

    def to_jsonl(self) -> str:
        """Write one JSON object a step."""
        return "".join(json.dumps(step.to_json(), ensure_ascii=False) + "\n" for step in self.steps)
