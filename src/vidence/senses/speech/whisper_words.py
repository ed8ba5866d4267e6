"""Words of a Whisper transcript: where they begin and end among its tokens, and in time."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from vidence.senses.speech.recogniser import Word
from vidence.senses.speech.whisper_text import TIME_STEP_S, Vocabulary

SPACELESS = frozenset({"zh", "yue", "ja", "th", "lo", "my", "km", "bo"})
"""Languages written without spaces between words."""


def phrase_bounds(
    tokens: Sequence[int], kept: Sequence[int], known: Vocabulary, length_s: float
) -> list[tuple[float, float]]:
    """Return for each text token the times between which its phrase lies, as far as they were written."""
    bounds: list[tuple[float, float]] = []
    for i in kept:
        before = [token for token in tokens[:i] if token >= known.first_time]
        after = [token for token in tokens[i:] if token >= known.first_time]
        start_s = (before[-1] - known.first_time) * TIME_STEP_S if before else 0.0
        end_s = (after[0] - known.first_time) * TIME_STEP_S if after else length_s
        bounds.append((min(start_s, length_s), min(max(end_s, start_s), length_s)))
    return bounds


def word_runs(
    known: Vocabulary, tokens: Sequence[int], language: str, bounds: Sequence[tuple[float, float]]
) -> list[range]:
    """Cut text tokens into words: at spaces, or where the language has none, at every whole character."""
    runs: list[range] = []
    for at, token in enumerate(tokens):
        fresh = at == 0 or bounds[at] != bounds[at - 1]
        if language in SPACELESS:
            whole = bool(runs) and "\ufffd" not in known.text(tokens[runs[-1].start : at])
            mark = all(not c.isalnum() and c != "\ufffd" for c in known.text([token]))
            begins = fresh or (whole and not mark)
        else:
            begins = fresh or known.texts[token].startswith(b" ")
        if begins or not runs:
            runs.append(range(at, at + 1))
        else:
            runs[-1] = range(runs[-1].start, at + 1)
    return runs


def timed_word(
    known: Vocabulary, tokens: Sequence[int], kept: Sequence[int], probabilities: Sequence[float], run: range,
    edges_s: np.ndarray, bounds: Sequence[tuple[float, float]],
) -> Word:  # fmt: skip
    low, high = bounds[run.start]
    start_s = float(np.clip(edges_s[run.start], low, high))
    end_s = float(np.clip(edges_s[run.stop], start_s, high))
    probability = float(np.exp(np.mean(np.log(np.maximum(probabilities[run.start : run.stop], 1e-9)))))
    return Word(known.text([tokens[kept[i]] for i in run]).strip(), start_s, end_s, probability)
