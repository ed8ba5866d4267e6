"""Gradual changes of picture: dissolves, and fades through black, told from camera movement and changing light.

While picture A dissolves into B every frame is a mixture aA + (1 - a)B with a falling steadily; a pan or a moving thing
shows pictures that are no such mixture, and a change of light keeps the structure. A dissolve is dated at its middle.
A stretch of black up to `BLACK_S` is one cut at its middle; a longer one is a shot of its own.

Legend: N frames, Y X thumbnail rows and columns, C colour; thumbnails are float32, 0 to 255.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import floor, lcm

import numpy as np

from vidence.timeline import Instant, Span

GRID_HZ = 10  # dissolves are dated to a tenth of a second at first, then to the frame nearest a = 1/2
HALF_WIDTHS_S = (Fraction(1, 4), Fraction(1, 2), Fraction(1))
LEAST_APART = 12.0  # root mean square of 255 between A and B
MOST_RESIDUE = 0.22  # share of that distance which the mixture may leave unexplained
MOST_ALIKE = 0.7  # correlation of A's and B's luminance: above, the light changed, not the picture
LEAST_SHARE = 0.5  # of the picture must change
LEAST_DIP = 0.5  # see `_dip`
BLACK_MEAN, BLACK_PEAK = 14.0, 40.0  # of 255; video black is 16 in limited range and 0 after conversion
BLACK_S = Fraction(3, 2)
FADE_S = Fraction(2)  # around black: what mixes there fades, it does not dissolve


@dataclass(frozen=True, slots=True)
class Cut:
    """A boundary: `time` is the first frame of the new shot."""

    time: Instant
    kind: str
    score: float


@dataclass(frozen=True, slots=True)
class Run:
    """Consecutive frames that share something; `opens` or `closes` the film when nothing lies beyond."""

    span: Span
    opens: bool
    closes: bool


def black_runs(times: Sequence[Instant], thumbs_NYXC: np.ndarray) -> list[Run]:
    """Return the stretches of black, in time order."""
    flat = thumbs_NYXC.reshape(len(times), -1)
    black = flat.mean(axis=1) < BLACK_MEAN
    black[black] = np.percentile(flat[black], 98, axis=1) < BLACK_PEAK if black.any() else False
    edges = np.flatnonzero(np.diff(np.concatenate([[0], black.astype(np.int8), [0]])))
    last = len(times) - 1
    return [
        Run(Span(times[a], times[min(b, last)]), bool(a == 0), bool(b > last))
        for a, b in zip(edges[::2], edges[1::2], strict=True)
    ]


def fades(times: Sequence[Instant], dark: Sequence[Run]) -> Iterator[Cut]:
    """Yield one cut in the middle of each short stretch of black, two around a long one."""
    for run in dark:
        if run.span.duration > BLACK_S:
            if not run.opens:
                yield Cut(run.span.start, "fade", 0.9)
            if not run.closes:
                yield Cut(run.span.end, "fade", 0.9)
        elif not run.opens and not run.closes:
            yield Cut(times[bisect_left(times, run.span.middle)], "fade", 0.9)


def dissolves(times: Sequence[Instant], thumbs_NYXC: np.ndarray, taken: Sequence[Span]) -> list[Cut]:
    """Return dissolves, dated at their middle, none across a span already taken by another kind."""
    if not times:
        return []
    found: list[Cut] = []
    flat = thumbs_NYXC.reshape(len(times), -1)
    clock = _Clock.of(times)
    closed = [(clock.ticks(span.start), clock.ticks(span.end)) for span in taken]
    for middle in clock.grid():
        for half in map(clock.ticks, HALF_WIDTHS_S):
            if middle - 2 * half < clock.times[0] or middle + 2 * half > clock.times[-1]:
                continue
            if any(_meet(middle - half, middle + half, *span) for span in closed):
                continue
            if cut := _mixture(times, flat, *clock.around(middle, half)):
                found.append(cut)
    # One dissolve answers at several middles and widths: the best fit within its reach stands for it.
    best = [cut for cut in found if not any(_beats(other, cut) for other in found)]
    return list({cut.time: cut for cut in best}.values())


@dataclass(frozen=True, slots=True)
class _Clock:
    """Exact times as whole numbers of one unit, `per_s` to the second: fractions took a third of the sense's time."""

    per_s: int
    times: list[int]

    @classmethod
    def of(cls, times: Sequence[Instant]) -> _Clock:
        per_s = lcm(GRID_HZ, *(half.denominator for half in HALF_WIDTHS_S), *{t.denominator for t in times})
        return cls(per_s, [time.numerator * (per_s // time.denominator) for time in times])

    def ticks(self, time: Instant) -> int:
        return floor(time * self.per_s)

    def grid(self) -> Iterator[int]:
        """Yield the ticks of the absolute grid, so that they do not depend on where a segment begins."""
        step = self.per_s // GRID_HZ
        return iter(range(-(-self.times[0] // step) * step, -(-self.times[-1] // step) * step, step))

    def around(self, middle: int, half: int) -> tuple[int, ...]:
        """Return the frames at or after `half` before, at, and `half` after a tick."""
        last = len(self.times) - 1
        return tuple(min(bisect_left(self.times, middle + step * half), last) for step in (-1, 0, 1))


def _meet(start: int, end: int, other_start: int, other_end: int) -> bool:
    """Say whether two stretches overlap; the other may be a point."""
    if other_start == other_end:
        return start <= other_start <= end
    return start < other_end and other_start < end


def _beats(other: Cut, cut: Cut) -> bool:
    return abs(other.time - cut.time) < 1 and (other.score, -other.time) > (cut.score, -cut.time)


def _mixture(times: Sequence[Instant], flat_NP: np.ndarray, a: int, m: int, b: int) -> Cut | None:
    """Fit the frames around frame `m` as mixtures of frames `a` and `b`."""
    first, between, second = flat_NP[a], flat_NP[m], flat_NP[b]
    gap = first - second
    norm = float(gap @ gap)
    apart = (norm / len(gap)) ** 0.5
    if apart < LEAST_APART or b - a < 4:
        return None
    # The cheap tests on the middle alone come first: most windows fail them, and nothing else costs as much.
    share = float((between - second) @ gap) / norm
    if not 0.25 < share < 0.75 or _residue(between, second, gap, share) > MOST_RESIDUE * apart:
        return None
    if np.mean(np.abs(gap) > 8) < LEAST_SHARE or _alike(first, second) > MOST_ALIKE:
        return None
    share_N = (flat_NP[a : b + 1] - second) @ gap / norm
    if not _steady(share_N) or _dip(first, second, between, share) < LEAST_DIP:
        return None
    window = zip(flat_NP[a : b + 1], share_N, strict=True)
    residue = max(_residue(picture, second, gap, float(part)) for picture, part in window) / apart
    if residue > MOST_RESIDUE:
        return None
    at = a + int(np.argmin(np.abs(share_N - 0.5)))
    return Cut(times[at], "dissolve", round(0.9 - residue, 4))


def _residue(between_P: np.ndarray, second_P: np.ndarray, gap_P: np.ndarray, share: float) -> float:
    """Root mean square of what a mixture of the two pictures leaves unexplained."""
    rest = between_P - second_P - share * gap_P
    return float(rest @ rest / len(rest)) ** 0.5


def _dip(first_P: np.ndarray, second_P: np.ndarray, between_P: np.ndarray, share: float) -> float:
    """Say how much of the contrast that mixing costs is lost half way: 1 in a dissolve, 0 in a slow pan.

    A small shift of a soft picture is nearly a mixture of the pictures around it, but keeps its contrast.
    """
    a, b, m = (picture - picture.mean() for picture in (first_P, second_P, between_P))
    kept = share * a.std() + (1 - share) * b.std()
    mixed = (share * a + (1 - share) * b).std()
    return float((kept - m.std()) / (kept - mixed)) if kept - mixed > 0.5 else 0.0


def _steady(share_N: np.ndarray) -> bool:
    """Say whether the first picture's share falls all the way and nowhere at once."""
    steps = np.diff(share_N)
    return bool(steps.max() < 0.1 and steps.min() > -0.5)


def _alike(first_P: np.ndarray, second_P: np.ndarray) -> float:
    """Correlation of two pictures' grey structure; 1 when one is flat and could be the other in another light."""
    a, b = (picture.reshape(-1, 3).mean(axis=1) for picture in (first_P, second_P))
    a, b = a - a.mean(), b - b.mean()
    norm = float(np.sqrt((a @ a) * (b @ b)))
    return float(a @ b) / norm if norm > 1e-6 else 1.0
