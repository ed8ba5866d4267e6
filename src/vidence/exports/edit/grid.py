"""The grid of frames of a medium: which frame a time is, at a constant rate or at one that varies.

A program that edits lays a medium on a grid of constant rate: cell n shows what is on screen at n / rate. Where the
medium's own frames lie on such a grid (to a quarter of a frame: containers round to the millisecond), a time is the
nearest cell. Where its rate varies, a stretch [start, end) is the cells whose beginning lies in it, so that not one of
them shows a picture from outside of it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

from vidence.errors import UsageError
from vidence.exports.edit.clip import Clip, Reel
from vidence.exports.edit.timecode import STANDARD, Rate, at_least, standard_rate
from vidence.timeline import Instant, Span

if TYPE_CHECKING:
    from vidence.media import Media

JITTER = Fraction(1, 4)  # of a frame
SHORTEST_S = Fraction(1, 1000)  # between two pictures: less is a fault of the clock
SOUND_ALONE = Rate(Fraction(25))  # for a medium without pictures


@dataclass(frozen=True, slots=True)
class Grid:
    """A reel with the time of its first frame; `constant` says that its frames lie on the grid."""

    reel: Reel
    zero: Instant
    constant: bool

    @classmethod
    def of(cls, media: Media, *, rate: Rate | None = None, drop: bool | None = None) -> Grid:
        """Lay out a medium. `rate`: another than its own. `drop`: drop-frame or not (default: as the file's own
        timecode is written, else where the rate allows it).

        Raises:
            UsageError: drop-frame is asked for at a rate that has none.
        """
        info = media.info
        times = media.frame_times() if info.video else []
        zero = times[0] if times else info.span.start
        average = info.video.fps if info.video else None
        hz, constant = (rate.hz, _lies_on(times, zero, rate.hz)) if rate else _rate(times, average)
        label = info.metadata.get("timecode", "")
        may_drop = Rate(hz).can_drop
        dropped = rate.drop if rate else may_drop and (";" in label or not label) if drop is None else drop
        chosen = Rate(hz, dropped)
        frames = max(_cell(info.span.end - zero, hz, constant), 1)
        size = (info.video.width, info.video.height) if info.video else (0, 0)
        name = Path(media.path).name
        begin = _begin(label, chosen)
        reel = Reel(name, str(media.path), chosen, frames, begin, size, bool(info.audio))
        return cls(reel, zero, constant)

    def cells(self, span: Span) -> tuple[int, int]:
        """Return (first frame, frames) of a span, at least one frame, within the reel."""
        hz = self.reel.rate.hz
        first = _cell(span.start - self.zero, hz, self.constant)
        end = _cell(span.end - self.zero, hz, self.constant)
        first = min(max(first, 0), self.reel.frames - 1)
        return first, max(min(end, self.reel.frames) - first, 1)

    def time(self, frame: int) -> Instant:
        """Return the time at which a frame of the grid begins."""
        return self.zero + frame / self.reel.rate.hz


def cut(grid: Grid, span: Span, name: str, notes: Mapping[str, str] | None = None) -> Clip:
    """Make a clip of a span."""
    first, frames = grid.cells(span)
    return Clip(grid.reel, first, frames, name, dict(notes or {}))


def _cell(after: Fraction, hz: Fraction, constant: bool) -> int:
    if constant:
        return int((after * hz + Fraction(1, 2)) // 1)
    return -int(-(after * hz) // 1)


def _rate(times: Sequence[Instant], average: Fraction | None) -> tuple[Fraction, bool]:
    """Return the rate of the grid, and whether all frames lie on it."""
    if len(times) < 2:
        return _lifted(standard_rate(average) if average else SOUND_ALONE.hz), True
    spread = (len(times) - 1) / (times[-1] - times[0])
    usual = 1 / median(max(later - earlier, SHORTEST_S) for earlier, later in pairwise(times))
    tried = [standard_rate(hz) for hz in (average, spread, usual) if hz]
    tried += sorted(STANDARD, key=lambda rate: abs(rate - usual))[:3]
    for hz in dict.fromkeys(_lifted(hz) for hz in tried):
        if _lies_on(times, times[0], hz):
            return hz, True
    return at_least(standard_rate(usual)), False


def _lifted(hz: Fraction) -> Fraction:
    """Return the lowest standard rate of which `hz` is a whole part (10 → 30, 12.5 → 25), else `hz` itself."""
    return next((rate for rate in STANDARD if (rate / hz).denominator == 1), hz)


def _lies_on(times: Sequence[Instant], zero: Instant, hz: Fraction) -> bool:
    """Say whether every time is a cell of its own, to `JITTER` of a frame."""
    last = None
    for time in times:
        place = (time - zero) * hz
        cell = int((place + Fraction(1, 2)) // 1)
        if abs(place - cell) > JITTER or cell == last:
            return False
        last = cell
    return True


def _begin(label: str, rate: Rate) -> int:
    """Read the timecode that a file gives its first frame; 0 where it gives none that its rate has."""
    if not label:
        return 0
    mark = max(label.rfind(":"), label.rfind(";"))
    try:
        return rate.frame(label[:mark] + (";" if rate.drop else ":") + label[mark + 1 :])
    except UsageError:
        return 0
