"""SMPTE timecode (ST 12-1): frames to labels and back, exact at 24000/1001, 25, 30000/1001 drop-frame and the rest.

A label counts frames, not seconds. Drop-frame leaves out the labels ;00 and ;01 (at 60000/1001 four) of each minute
but every tenth, so that labels keep up with the clock; no picture is dropped.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction

from vidence.errors import UsageError

STANDARD = tuple(
    Fraction(rate) for rate in ("24000/1001", "24", "25", "30000/1001", "30", "48000/1001", "48", "50")
) + tuple(Fraction(rate) for rate in ("60000/1001", "60", "100", "120000/1001", "120"))
"""Rates that editing programs know, frames a second."""

NEAR = Fraction(
    1, 2000
)  # a rate this near, as a share, is that rate: containers round; 24 and 23.976 lie 1/1000 apart
_LABEL = re.compile(r"^(\d{1,2}):(\d{2}):(\d{2})([:;.,])(\d{2,3})$")
_DAY_S = 24 * 3600


@dataclass(frozen=True, slots=True)
class Rate:
    """Frames a second, exact, and whether labels are counted drop-frame (only 30000/1001 and its multiples)."""

    hz: Fraction
    drop: bool = False

    def __post_init__(self) -> None:
        if self.hz <= 0:
            raise UsageError(f"a rate of {self.hz} frames a second makes no timecode; give one above 0")
        if self.drop and not self.can_drop:
            raise UsageError(
                f"drop-frame timecode is for 29.97 and 59.94 frames a second, not {float(self.hz):g}"
            )

    @property
    def can_drop(self) -> bool:
        """Say whether drop-frame is defined at this rate."""
        return self.hz.denominator == 1001 and self.hz.numerator % 30_000 == 0

    @property
    def base(self) -> int:
        """Labels of one second: 30 at 30000/1001; the next whole number where the rate is not whole."""
        return -(-self.hz.numerator // self.hz.denominator)

    @property
    def name(self) -> str:
        """The rate as people write it: "23.976", "25", "29.97"."""
        return f"{float(self.hz):.3f}".rstrip("0").rstrip(".")

    def label(self, frame: int) -> str:
        """Write a frame number as HH:MM:SS:FF, with ";" before the frames where it is drop-frame; wraps after a day."""
        number = self._labelled(frame) % (_DAY_S * self.base)
        seconds, frames = divmod(number, self.base)
        minutes, second = divmod(seconds, 60)
        hour, minute = divmod(minutes, 60)
        wide = max(2, len(str(self.base - 1)))
        return f"{hour:02d}:{minute:02d}:{second:02d}{';' if self.drop else ':'}{frames:0{wide}d}"

    def frame(self, label: str) -> int:
        """Read a label as a frame number.

        Raises:
            UsageError: it is no timecode, or names a frame that this rate does not have.
        """
        found = _LABEL.match(label.strip())
        if found is None:
            raise UsageError(f"{label!r} is no timecode; write HH:MM:SS:FF, or HH:MM:SS;FF for drop-frame")
        hour, minute, second, frames = (int(found[group]) for group in (1, 2, 3, 5))
        if minute > 59 or second > 59 or frames >= self.base:
            raise UsageError(f"timecode {label!r} does not exist at {self.name} frames a second")
        number = ((hour * 60 + minute) * 60 + second) * self.base + frames
        if not self.drop:
            return number
        if second == 0 and minute % 10 and frames < self._dropped:
            raise UsageError(f"timecode {label!r} is one of those that drop-frame leaves out")
        minutes = hour * 60 + minute
        return number - self._dropped * (minutes - minutes // 10)

    @property
    def _dropped(self) -> int:
        return self.base // 15

    def _labelled(self, frame: int) -> int:
        """Add the labels that drop-frame leaves out before a frame."""
        if not self.drop:
            return frame
        ten_minutes = 600 * self.base - 9 * self._dropped
        tens, rest = divmod(frame, ten_minutes)
        minutes = max(rest - self._dropped, 0) // (60 * self.base - self._dropped)
        return frame + self._dropped * (9 * tens + minutes)


def standard_rate(hz: Fraction) -> Fraction:
    """Return the standard rate that a container's average means, or the average itself where it is none of them."""
    nearest = min(STANDARD, key=lambda rate: abs(rate - hz))
    return nearest if abs(nearest - hz) <= hz * NEAR * Fraction(9, 10) else hz


def at_least(hz: Fraction) -> Fraction:
    """Return the lowest standard rate that is no slower than `hz`; 120 where all are."""
    return next((rate for rate in STANDARD if rate >= hz * (1 - NEAR)), STANDARD[-1])
