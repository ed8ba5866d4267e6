"""How answers are drawn: for each sequence of a batch by its own settings and its own numbers.

B sequences, W vocabulary.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor


@dataclass(frozen=True, slots=True)
class Sampling:
    """How an answer is drawn. `temperature` 0 takes the likeliest token each time."""

    max_tokens: int = 1024
    temperature: float = 0.0
    top_p: float = 1.0
    seed: int | None = None
    schema: Mapping[str, Any] | None = None  # JSON schema that the answer must fit


class Dice:
    """The numbers that one answer is drawn with: from a seed the same, whoever else is answered meanwhile."""

    def __init__(self, seed: int | None) -> None:
        self._generator = torch.Generator()
        if seed is None:
            self._generator.seed()
        else:
            self._generator.manual_seed(seed % 2**63)

    def throw(self) -> float:
        """Return the next number in [0, 1)."""
        return float(torch.rand((), generator=self._generator, dtype=torch.float64))


def drawn(logits_BW: Tensor, samplings: Sequence[Sampling], dice: Sequence[Dice]) -> list[int]:
    """Draw the next token of each sequence; logits are float32, minus infinity where a token is forbidden."""
    tokens = logits_BW.argmax(-1).tolist()
    warm = [at for at, one in enumerate(samplings) if one.temperature > 0]
    if warm:
        thrown = _thrown(logits_BW[warm], [samplings[at] for at in warm], [dice[at].throw() for at in warm])
        for at, token in zip(warm, thrown, strict=True):
            tokens[at] = token
    return tokens


def _thrown(logits_BW: Tensor, samplings: Sequence[Sampling], numbers: Sequence[float]) -> list[int]:
    """Find where a number between 0 and 1 falls among the likeliest tokens, which share it out by probability.

    One number a token, rather than one for each word of the vocabulary, so that another rounding of the logits (in a
    batch of another size) changes what is drawn only where the number falls on a border.
    """
    device = logits_BW.device
    temperature_B1, top_p_B1, number_B1 = (
        torch.tensor(values, device=device, dtype=torch.float32)[:, None]
        for values in ([one.temperature for one in samplings], [one.top_p for one in samplings], numbers)
    )
    likely_BW, order_BW = (logits_BW / temperature_B1).softmax(-1).sort(dim=-1, descending=True, stable=True)
    sums_BW = likely_BW.cumsum(-1)
    # The token that reaches top_p is the last that is kept.
    last_B1 = ((sums_BW < top_p_B1).sum(-1, keepdim=True)).clamp_max(logits_BW.shape[1] - 1)
    kept_B1 = sums_BW.gather(1, last_B1)
    at_B1 = torch.searchsorted(sums_BW, number_B1 * kept_B1, right=True).minimum(last_B1)
    return order_BW.gather(1, at_B1)[:, 0].tolist()
