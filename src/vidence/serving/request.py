"""A request as the scheduler has it: its prompt, how its answer is drawn, and how far it has come."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import torch

from vidence.serving.answering import Event
from vidence.serving.constraint import Constraint
from vidence.serving.prefixes import Node
from vidence.serving.prompt import Prompt
from vidence.serving.sampling import Dice, Sampling


@dataclass(slots=True, eq=False)
class Request:
    """What is asked, and its state. Tokens of the prompt but the last are read into `leaf`; the last is said as the
    answer's are, one a pass with all others.

    copied: (start, stop) of the tokens of its path that its slot begins with; first: the row in its slot after them.
    said: tokens whose rows are in the slot after those. read: tokens of the prompt that were run for it.
    """

    prompt: Prompt
    sampling: Sampling
    constraint: Constraint | None
    scope: str
    hear: Callable[[Event], None]
    gone: Callable[[], bool]
    number: int = 0  # in the order they were let in
    dice: Dice = field(init=False)
    leaf: Node | None = None
    reserved: int = 0  # bytes
    read: int = 0
    next_token: int = field(init=False)
    next_position: int = field(init=False)
    after_prompt: int = field(init=False)  # position
    count: int = 0  # tokens of the answer
    copied: list[tuple[int, int]] = field(default_factory=list)
    first: int = 0
    said: list[int] = field(default_factory=list)
    frozen: int = 0  # tokens that went from the slot into runs of their own

    def __post_init__(self) -> None:
        self.dice = Dice(self.sampling.seed)
        self.next_token = int(self.prompt.keys_T[-1])
        self.next_position = int(self.prompt.positions_3T[:, -1].max())
        self.after_prompt = int(self.prompt.positions_3T.max()) + 1

    def allowed(self, logits_W: torch.Tensor) -> torch.Tensor:
        """Forbid what the answer's form does not allow next."""
        if self.constraint is None:
            return logits_W
        last = torch.tensor([[self.next_token]])
        return self.constraint(last, logits_W[None])[0]
