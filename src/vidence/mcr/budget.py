"""What a question may cost, and what it did cost."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Budget:
    """Limits of one question; None means no limit. Indexing that a question needs first counts as well."""

    time_limit_s: float | None = None
    max_frames: int | None = None  # frames opened while answering (indexing has its own rates)
    max_steps: int | None = 12
    token_limit: int | None = None  # only policies that run a language model spend tokens


@dataclass(frozen=True, slots=True)
class Receipt:
    """What an answer cost. `money` is None where no price is known."""

    wall_s: float
    index_s: float
    seconds_decoded: float
    frames: int
    model_calls: int
    tokens: int
    steps: int
    actions: dict[str, int]
    money: float | None = None

    def to_json(self) -> dict[str, Any]:
        """Write as JSON values."""
        return {
            "wall_s": round(self.wall_s, 3), "index_s": round(self.index_s, 3),
            "seconds_decoded": round(self.seconds_decoded, 3), "frames": self.frames,
            "model_calls": self.model_calls, "tokens": self.tokens, "steps": self.steps,
            "actions": self.actions, "money": self.money,
        }  # fmt: skip


@dataclass(slots=True)
class Meter:
    """Counts what is spent on one question and says when a limit is reached."""

    budget: Budget
    started: float = field(default_factory=time.monotonic)
    index_s: float = 0.0
    seconds_decoded: float = 0.0
    frames: int = 0
    model_calls: int = 0
    tokens: int = 0
    steps: int = 0
    actions: Counter[str] = field(default_factory=Counter)

    @property
    def wall_s(self) -> float:
        """Seconds since the question was asked."""
        return time.monotonic() - self.started

    def exhausted(self) -> str | None:
        """Name the first limit that is reached, or None."""
        limits = (
            ("time limit", self.wall_s, self.budget.time_limit_s),
            ("frame limit", self.frames, self.budget.max_frames),
            ("step limit", self.steps, self.budget.max_steps),
            ("token limit", self.tokens, self.budget.token_limit),
        )
        return next((name for name, spent, limit in limits if limit is not None and spent >= limit), None)

    def frames_left(self, wanted: int) -> int:
        """Return how many of `wanted` frames may still be opened."""
        limit = self.budget.max_frames
        return wanted if limit is None else max(0, min(wanted, limit - self.frames))

    def receipt(self) -> Receipt:
        """Close the account."""
        return Receipt(
            self.wall_s, self.index_s, self.seconds_decoded, self.frames, self.model_calls, self.tokens, self.steps,
            dict(self.actions),
        )  # fmt: skip
