"""Find when each piece of a transcript was said, from where the decoder looked while writing it."""

from __future__ import annotations

import numpy as np


def onsets(attention_TN: np.ndarray) -> np.ndarray:
    """Cut N steps of sound into T consecutive runs, one a token, so that the attention inside the runs is largest.

    Dynamic time warping with two moves: stay with the token, or go on to the next (Giorgino 2009). A diagonal is
    computed at a time, so that the work is T + N vector operations.

    Args:
        attention_TN: how much token t looked at step n; T at most N.

    Returns:
        Index of the first step of each token, shape (T,), strictly increasing, the first 0.
    """
    tokens, steps = attention_TN.shape
    if tokens > steps:
        raise ValueError(f"{tokens} tokens cannot be laid along {steps} steps of sound")
    best = np.full(tokens, -np.inf)
    entered = np.zeros((steps, tokens), dtype=bool)  # whether the best path enters token t at step n
    best[0] = attention_TN[0, 0]
    for step in range(1, steps):
        arrived = np.concatenate(([-np.inf], best[:-1]))
        entered[step] = arrived > best
        best = np.where(entered[step], arrived, best) + attention_TN[:, step]
    return _walk_back(entered, tokens, steps)


def _walk_back(entered: np.ndarray, tokens: int, steps: int) -> np.ndarray:
    first = np.zeros(tokens, dtype=np.int64)
    token = tokens - 1
    for step in range(steps - 1, 0, -1):
        if token and entered[step, token]:
            first[token] = step
            token -= 1
    return first
