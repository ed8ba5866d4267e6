"""Take pauses out of word times: a recogniser's words follow on each other, a speaker's do not."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from vidence.senses.speech.recogniser import Word
from vidence.senses.speech.vad import LEAVE, PAUSE_S, STEP_S

_STOPS = '.,;:?!…"”’)'


def trimmed(words: tuple[Word, ...], probabilities: np.ndarray) -> tuple[Word, ...]:
    """Shrink words to the speech inside them; what lies beyond a pause inside a word belongs to its neighbour.

    With 269 words by three synthetic voices that tell their phone times this leaves a median error of 34 ms at
    either edge (90 %: under 105 ms).

    Args:
        words: timed from where `probabilities` begin.
        probabilities: of speech, one for every 32 ms.
    """
    times = [[word.start_s, word.end_s] for word in words]
    for at, word in enumerate(words):
        pause = _pause_inside(times[at][0], times[at][1], probabilities)
        if pause is None:
            continue
        before_s, after_s = pause[0] - times[at][0], times[at][1] - pause[1]
        if word.text[-1:] in _STOPS or before_s >= after_s:  # full stops are "said" where the speaker rests
            times[at][1] = pause[0]
            if at + 1 < len(times):
                times[at + 1][0] = pause[1]
        else:
            times[at][0] = pause[1]
            if at:
                times[at - 1][1] = max(pause[0], times[at - 1][0])
    spoken = [_spoken(start_s, end_s, probabilities) for start_s, end_s in times]
    return tuple(replace(w, start_s=a, end_s=b) for w, (a, b) in zip(words, spoken, strict=True))


def _pause_inside(start_s: float, end_s: float, probabilities: np.ndarray) -> tuple[float, float] | None:
    """The longest silence with speech on both sides of it, if it is long enough to be a pause."""
    first, past = int(start_s / STEP_S), int(np.ceil(end_s / STEP_S))
    spoken = np.flatnonzero(probabilities[first:past] >= LEAVE)
    gaps = np.diff(spoken)
    if not len(gaps) or (gaps.max() - 1) * STEP_S < PAUSE_S:
        return None
    at = int(gaps.argmax())
    return (first + int(spoken[at]) + 1) * STEP_S, (first + int(spoken[at + 1])) * STEP_S


def _spoken(start_s: float, end_s: float, probabilities: np.ndarray) -> tuple[float, float]:
    """Shrink an interval to the first and last speech inside it; leave it where there is none."""
    first, past = int(start_s / STEP_S), int(np.ceil(end_s / STEP_S))
    spoken = np.flatnonzero(probabilities[first:past] >= LEAVE)
    if not len(spoken):
        return start_s, end_s
    begin_s = max(start_s, (first + int(spoken[0])) * STEP_S)
    return begin_s, max(begin_s, min(end_s, (first + int(spoken[-1]) + 1) * STEP_S))
