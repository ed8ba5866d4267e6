"""How loud it is, and when something suddenly sounds.

Two kinds of observation by `data["kind"]`:
"stretch": a stretch of one loudness; text "silence", "quiet", "sound" or "loud"; {"level_db": RMS over the stretch,
"peak_db", "levels_db": one RMS level a second from its start}.
"onset": a sudden rise out of what was before; text "sudden sound"; span until it has faded to half way back, at most
2 s; {"level_db": its loudest tenth of a second, "rise_db"}.
Levels are dBFS: 0 is the loudest a file can hold, speech lies around -30 to -18, digital silence is written as -100.
"""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from vidence.senses.observation import Observation, Producer
from vidence.senses.sense import Cost
from vidence.timeline import Instant, Span

if TYPE_CHECKING:
    from vidence.media import Media

RATE_HZ = 16_000
TICK = (
    RATE_HZ // 10
)  # samples: a level every tenth of a second, the shortest in which 20 Hz still has two periods
TICK_S = Fraction(1, 10)

FLOOR_DB = -100.0
BOUNDS_DB = (-55.0, -38.0, -14.0)  # below: silence, quiet, sound; above: loud
NAMES = ("silence", "quiet", "sound", "loud")
SHORTEST = 5  # ticks: a shorter change of loudness is a word, a step, a gap between them

RISE_DB = 15.0  # a rise by 15 dB is heard as nearly three times as loud
AUDIBLE_DB = -40.0
BEFORE = 10  # ticks compared with
LONGEST = 20  # ticks


class Sound:
    """Measure loudness, silence and sudden sounds."""

    name = "sound"
    producer = Producer("sound", "1", parameters=f"bounds={BOUNDS_DB},rise={RISE_DB}")
    cost = Cost(cpu_s_per_minute=0.1, memory_mb=10)

    def hear(self, media: Media, segment: Span) -> list[Observation]:
        """Return loudness stretches and onsets in time order; nothing where the medium has no sound."""
        if not media.info.audio:
            return []
        lead = min(BEFORE * TICK_S, max(segment.start - media.info.span.start, Fraction(0)))
        start, audio = media.audio(Span(segment.start - lead, segment.end), rate_hz=RATE_HZ)
        skipped = int(lead / TICK_S)
        levels = levels_db(audio)
        peaks = _peaks_db(audio)
        found = [
            self._stretch(start, levels[a:b], peaks[a:b], a, segment)
            for a, b in loudness_runs(levels, skipped)
        ]
        found += [self._onset(start, levels, at, segment) for at in onsets(levels) if at >= skipped]
        return sorted(found, key=lambda one: (one.span, one.text))

    def join(self, left: Observation, right: Observation) -> Observation | None:
        """Return one stretch where the same loudness goes on over the edge."""
        if left.data["kind"] != "stretch" or right.data["kind"] != "stretch" or left.text != right.text:
            return None
        if left.span.end != right.span.start:
            return None
        weights = [float(left.span.duration), float(right.span.duration)]
        level = _mean_db(np.array([left.data["level_db"], right.data["level_db"]]), weights)
        data = {
            "kind": "stretch",
            "level_db": round(level, 1),
            "peak_db": max(left.data["peak_db"], right.data["peak_db"]),
            "levels_db": [*left.data["levels_db"], *right.data["levels_db"]],
        }
        return replace(left, span=left.span.hull(right.span), data=data)

    def _stretch(
        self, start: Instant, levels: np.ndarray, peaks: np.ndarray, first: int, segment: Span
    ) -> Observation:
        span = Span(start + first * TICK_S, start + (first + len(levels)) * TICK_S).clipped(segment)
        level = _mean_db(levels)
        seconds = [round(_mean_db(levels[at : at + 10]), 1) for at in range(0, len(levels), 10)]
        data = {"kind": "stretch", "level_db": round(level, 1), "peak_db": round(float(peaks.max()), 1)}
        return Observation(span, "audio", self.producer, _name(level), data={**data, "levels_db": seconds})

    def _onset(self, start: Instant, levels: np.ndarray, at: int, segment: Span) -> Observation:
        before = _before_db(levels, at)
        loudest = float(levels[at : at + LONGEST].max())
        faded = np.flatnonzero(levels[at + 1 : at + LONGEST] < (before + loudest) / 2)
        length = int(faded[0]) + 1 if len(faded) else min(LONGEST, len(levels) - at)
        span = Span(start + at * TICK_S, start + (at + length) * TICK_S).clipped(segment)
        data = {"kind": "onset", "level_db": round(loudest, 1), "rise_db": round(loudest - before, 1)}
        return Observation(span, "audio", self.producer, "sudden sound", data=data)


def levels_db(audio: np.ndarray) -> np.ndarray:
    """Return the RMS level of every tenth of a second of 16 kHz sound, in dBFS, never under -100."""
    ticks = -(-len(audio) // TICK)
    whole = np.zeros(ticks * TICK, np.float64)
    whole[: len(audio)] = audio
    counts = np.minimum(TICK, len(audio) - TICK * np.arange(ticks))
    power = (whole.reshape(ticks, TICK) ** 2).sum(axis=1) / np.maximum(counts, 1)
    return np.maximum(10 * np.log10(np.maximum(power, 1e-10)), FLOOR_DB)


def loudness_runs(levels: np.ndarray, first: int = 0) -> list[tuple[int, int]]:
    """Cut ticks from `first` on into runs of one loudness; runs under half a second go to the nearer neighbour."""
    kinds = np.digitize(levels[first:], BOUNDS_DB)
    edges = [0, *(np.flatnonzero(np.diff(kinds)) + 1).tolist(), len(kinds)]
    runs = [(a, b) for a, b in pairwise(edges) if b > a]
    while len(runs) > 1:
        at = min(range(len(runs)), key=lambda n: runs[n][1] - runs[n][0])
        if runs[at][1] - runs[at][0] >= SHORTEST:
            break
        runs = _absorbed(runs, at, levels[first:])
    return [(a + first, b + first) for a, b in _same_joined(runs, levels[first:])]


def onsets(levels: np.ndarray) -> list[int]:
    """Return the ticks where the level rises by 15 dB over the second before, and is audible; one a second at most."""
    found: list[int] = []
    for at in range(3, len(levels)):
        rise = levels[at] - _before_db(levels, at)
        if levels[at] >= AUDIBLE_DB and rise >= RISE_DB and (not found or at - found[-1] > BEFORE):
            found.append(at)
    return found


def _before_db(levels: np.ndarray, at: int) -> float:
    return float(np.median(levels[max(0, at - BEFORE) : at]))


def _peaks_db(audio: np.ndarray) -> np.ndarray:
    ticks = -(-len(audio) // TICK)
    whole = np.zeros(ticks * TICK, np.float32)
    whole[: len(audio)] = np.abs(audio)
    return 20 * np.log10(np.maximum(whole.reshape(ticks, TICK).max(axis=1), 1e-5))


def _mean_db(levels: np.ndarray, weights: list[float] | None = None) -> float:
    """The level of the mean power."""
    return float(10 * np.log10(np.average(10 ** (levels / 10), weights=weights)))


def _name(level: float) -> str:
    return NAMES[int(np.digitize(level, BOUNDS_DB))]


def _absorbed(runs: list[tuple[int, int]], at: int, levels: np.ndarray) -> list[tuple[int, int]]:
    """Give a short run to the neighbour whose level is nearer."""
    level = _mean_db(levels[slice(*runs[at])])
    beside = [n for n in (at - 1, at + 1) if 0 <= n < len(runs)]
    other = min(beside, key=lambda n: abs(_mean_db(levels[slice(*runs[n])]) - level))
    low, high = sorted((at, other))
    return [*runs[:low], (runs[low][0], runs[high][1]), *runs[high + 1 :]]


def _same_joined(runs: list[tuple[int, int]], levels: np.ndarray) -> list[tuple[int, int]]:
    joined: list[tuple[int, int]] = []
    for run in runs:
        name = _name(_mean_db(levels[slice(*run)]))
        if joined and name == _name(_mean_db(levels[slice(*joined[-1])])):
            joined[-1] = (joined[-1][0], run[1])
        else:
            joined.append(run)
    return joined
