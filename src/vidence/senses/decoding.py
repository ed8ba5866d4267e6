"""What decoders that write token by token share: the likeliest token, and noticing when they loop.

They loop (the same words over and over) on music, noise and cut-off speech.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import exp, log

import numpy as np

LONGEST = 12  # tokens in one round
TIMES = 4  # a person may say a thing three times ("no, no, no"); four times in a row is taken for a loop
SINGLE_TIMES = 6  # one token alone may repeat more often: "ha ha ha ha ha"


def likeliest(logits_V: np.ndarray) -> tuple[int, float]:
    """Return the token with the highest logit, and its probability."""
    token = int(logits_V.argmax())
    return token, probability_of(token, logits_V)


def probability_of(token: int, logits_V: np.ndarray) -> float:
    """Return a token's probability among all."""
    return float(1.0 / np.exp(logits_V - logits_V[token]).sum())


def loop_length(tokens: Sequence[int]) -> int:
    """Return how many tokens at the end only repeat what stands before them, 0 for no loop; one round is kept."""
    for size in range(1, LONGEST + 1):
        times = SINGLE_TIMES if size == 1 else TIMES
        if len(tokens) < size * times:
            continue
        last = list(tokens[-size:])
        if all(list(tokens[-size * (k + 1) : len(tokens) - size * k]) == last for k in range(1, times)):
            return size * (times - 1)
    return 0


def fresh_mean(tokens: Sequence[int], probabilities: Sequence[float]) -> float:
    """Return the geometric mean probability of the tokens that do not complete a triple seen before; 0 for none.

    A recogniser out of its depth is unsure of a phrase once and then sure of repeating it, which must not count.
    """
    seen: set[tuple[int, ...]] = set()
    kept = []
    for at, probability in enumerate(probabilities):
        triple = tuple(tokens[max(0, at - 2) : at + 1])
        if len(triple) < 3 or triple not in seen:
            kept.append(log(max(probability, 1e-9)))
        seen.add(triple)
    return exp(sum(kept) / len(kept)) if kept else 0.0
