"""Where someone speaks: Silero VAD, in one pass over the sound, and the utterances to be transcribed."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np

from vidence.catalogue import weights
from vidence.senses.runtime import Graph
from vidence.senses.speech.recogniser import RATE_HZ

STEP = 512  # samples: one probability for every 32 ms
CONTEXT = 64  # samples of the step before, which the model sees in front of each
BLOCK = 512  # steps a call: 16 s; more only takes memory
STEP_S = STEP / RATE_HZ

ENTER, LEAVE = (
    0.5,
    0.35,
)  # the model authors' thresholds: speech begins above the one and ends below the other
SHORTEST_S = 0.2  # shorter bursts are clicks and breaths
PAUSE_S = 0.2  # silences shorter than this lie inside words
PAD_S = 0.15  # kept around an utterance: soft consonants rise late and fade late
APART_S = 1.5  # a silence this long always parts two utterances
LONGEST_S = 15.0


@dataclass(frozen=True, slots=True)
class Stretch:
    """Sound from `start` to `end`, in samples."""

    start: int
    end: int


def speech_probabilities(audio: np.ndarray) -> np.ndarray:
    """Return how likely there is speech, one number for every 512 samples (32 ms) of 16 kHz mono sound."""
    count = -(-len(audio) // STEP)
    padded = np.zeros(CONTEXT + count * STEP, np.float32)
    padded[CONTEXT : CONTEXT + len(audio)] = audio
    # rows overlap: each step with the 64 samples before it
    rows = np.lib.stride_tricks.sliding_window_view(padded, CONTEXT + STEP)[::STEP] if count else padded[:0]
    h = c = np.zeros((1, 1, 128), np.float32)
    found = [np.zeros(0, np.float32)]
    for at in range(0, count, BLOCK):
        inputs = {"input": np.ascontiguousarray(rows[at : at + BLOCK]), "h": h, "c": c}
        probabilities, h, c = _detector().run(["speech_probs", "hn", "cn"], inputs)
        found.append(probabilities.reshape(-1))
    return np.concatenate(found)


def stretches(probabilities: np.ndarray) -> list[Stretch]:
    """Find the runs of speech by hysteresis; short gaps are closed, short runs dropped."""
    runs: list[Stretch] = []
    start: int | None = None
    for at, probability in enumerate([*probabilities, 0.0]):
        if start is None and probability >= ENTER:
            start = at * STEP
        elif start is not None and probability < LEAVE:
            runs.append(Stretch(start, at * STEP))
            start = None
    joined: list[Stretch] = []
    for run in runs:
        if joined and run.start - joined[-1].end < PAUSE_S * RATE_HZ:
            joined[-1] = Stretch(joined[-1].start, run.end)
        else:
            joined.append(run)
    return [run for run in joined if run.end - run.start >= SHORTEST_S * RATE_HZ]


def utterances(probabilities: np.ndarray, samples: int) -> list[Stretch]:
    """Group the runs of speech into utterances of at most 15 s, cut where the pause is longest, and pad them."""
    parts = [part for run in stretches(probabilities) for part in _shortened(run, probabilities)]
    groups = _grouped(parts)
    pad = int(PAD_S * RATE_HZ)
    padded = []
    for index, group in enumerate(groups):
        before = groups[index - 1][-1].end if index else 0
        after = groups[index + 1][0].start if index + 1 < len(groups) else samples
        start, end = group[0].start, min(group[-1].end, samples)
        padded.append(
            Stretch(max(start - pad, (before + start) // 2, 0), min(end + pad, max(end, (end + after) // 2)))
        )
    return padded


def quietest(probabilities: np.ndarray, first: int, past: int) -> int:
    """Return the step in [first, past) where a cut does the least harm: the middle of the longest, deepest pause."""
    window = probabilities[first:past]
    smooth = np.convolve(np.pad(window, 4, mode="edge"), np.hanning(11)[1:-1] / np.hanning(11).sum(), "valid")
    lowest = np.flatnonzero(smooth <= smooth.min() + 0.02)
    runs = np.split(lowest, np.flatnonzero(np.diff(lowest) > 1) + 1)
    longest = max(runs, key=len)
    return first + int(longest[len(longest) // 2])


def _shortened(run: Stretch, probabilities: np.ndarray) -> list[Stretch]:
    """Cut a run without any pause that is longer than an utterance may be."""
    parts, limit = [], int(LONGEST_S * RATE_HZ)
    while run.end - run.start > limit:
        first, past = (run.start + limit // 2) // STEP, (run.start + limit) // STEP
        cut = quietest(probabilities, first, past) * STEP
        parts.append(Stretch(run.start, cut))
        run = Stretch(cut, run.end)
    return [*parts, run]


def _grouped(parts: list[Stretch]) -> list[list[Stretch]]:
    groups: list[list[Stretch]] = []
    for part in parts:
        group = groups[-1] if groups else []
        if not group or part.start - group[-1].end > APART_S * RATE_HZ:
            groups.append([part])
        elif part.end - group[0].start <= LONGEST_S * RATE_HZ:
            group.append(part)
        else:
            groups[-1:] = _split(group, part)
    return groups


def _split(group: list[Stretch], part: Stretch) -> list[list[Stretch]]:
    """End a full group at its longest pause past the middle; what follows the pause goes with the new part."""
    everything = [*group, part]
    middle, limit = group[0].start + LONGEST_S * RATE_HZ / 2, LONGEST_S * RATE_HZ
    late = [at for at in range(1, len(everything)) if everything[at - 1].end >= middle]
    cuts = [at for at in late if part.end - everything[at].start <= limit] or [len(group)]
    best = max(cuts, key=lambda at: everything[at].start - everything[at - 1].end)
    return [everything[:best], everything[best:]]


@cache
def _detector() -> Graph:
    return Graph(weights("silero-vad"))
