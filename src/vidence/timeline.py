"""Exact time on one medium.

An instant is a `Fraction` of seconds on the container's clock (so 30000/1001 fps stays exact and a start offset is
kept); a `Span` is a half-open interval of instants. Floats appear only at the edges: JSON, terminals, scores.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction

from vidence.errors import UsageError

Instant = Fraction
"""Seconds since the container's zero, exact. May be negative: some files start before zero."""

TimeLike = Fraction | int | float | str
"""What callers may pass as a time: exact, seconds, or a timecode (see `instant`)."""

_CLOCK = re.compile(r"^(?P<sign>-?)(?:(?P<h>\d+):)?(?P<m>\d{1,2}):(?P<s>\d{1,2})(?P<frac>[.,]\d+)?$")
_SECONDS = re.compile(r"^(?P<value>-?\d+(?:\.\d+)?)\s*s?$")
_RATIO = re.compile(r"^-?\d+/0*[1-9]\d*$")
_FRAME = re.compile(r"^(?P<index>\d+)f$")


def instant(value: TimeLike, fps: Fraction | None = None) -> Instant:
    """Read a time: a number of seconds, "12.5", "12.5s", "49/8", "[H:]MM:SS[.mmm]", or a frame "300f" (needs `fps`).

    Floats are read through their shortest decimal form, so 0.1 is exactly one tenth.

    Raises:
        UsageError: the text is none of these forms, or a frame number came without a frame rate.
    """
    if isinstance(value, Fraction):
        return value
    if isinstance(value, int):
        return Fraction(value)
    if isinstance(value, float):
        return Fraction(repr(value))
    text = value.strip()
    if found := _SECONDS.match(text):
        return Fraction(found["value"])
    if found := _RATIO.match(text):
        return Fraction(text)
    if found := _CLOCK.match(text):
        whole = int(found["h"] or 0) * 3600 + int(found["m"]) * 60 + int(found["s"])
        exact = whole + Fraction("0" + (found["frac"] or ".0").replace(",", "."))
        return -exact if found["sign"] else exact
    if found := _FRAME.match(text):
        if not fps:
            raise UsageError(
                f"time {value!r} is a frame number, but no constant frame rate is known; give seconds"
            )
        return int(found["index"]) / fps
    raise UsageError(
        f"cannot read {value!r} as a time; write seconds (12.5), a clock (MM:SS.mmm) or a frame (300f)"
    )


def clock(time: Instant, *, millis: bool = True, comma: bool = False) -> str:
    """Write a time as H:MM:SS.mmm (or MM:SS.mmm below an hour), rounded half up to the millisecond."""
    sign, total_ms = ("-" if time < 0 else ""), int(abs(time) * 1000 + Fraction(1, 2))
    seconds, ms = divmod(total_ms, 1000)
    minutes, s = divmod(seconds, 60)
    h, m = divmod(minutes, 60)
    head = f"{h}:{m:02d}" if h else f"{m:02d}"
    tail = (("," if comma else ".") + f"{ms:03d}") if millis else ""
    return f"{sign}{head}:{s:02d}{tail}"


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """Half-open interval [start, end) of exact seconds on one medium. An instant is a span of length zero."""

    start: Instant
    end: Instant

    def __post_init__(self) -> None:
        if self.end < self.start:
            raise ValueError(f"span ends at {float(self.end)} s, before its start at {float(self.start)} s")

    @classmethod
    def of(cls, start: TimeLike, end: TimeLike) -> Span:
        """Build a span from anything that `instant` reads."""
        return cls(instant(start), instant(end))

    @property
    def duration(self) -> Fraction:
        """Length in seconds."""
        return self.end - self.start

    @property
    def middle(self) -> Instant:
        """The instant half way."""
        return (self.start + self.end) / 2

    def middles(self, count: int) -> list[Instant]:
        """Return the instants half way through each of `count` equal stretches."""
        return [self.start + self.duration * Fraction(2 * at + 1, 2 * count) for at in range(count)]

    def __contains__(self, time: object) -> bool:
        return isinstance(time, Fraction | int | float) and self.start <= time < self.end

    def overlaps(self, other: Span) -> bool:
        """Say whether the two share at least one instant (an instant span counts as a point)."""
        if self.start == self.end:
            return other.start <= self.start <= other.end
        if other.start == other.end:
            return self.start <= other.start <= self.end
        return self.start < other.end and other.start < self.end

    def intersection(self, other: Span) -> Span | None:
        """Return the shared part, or None."""
        start, end = max(self.start, other.start), min(self.end, other.end)
        return Span(start, end) if start <= end and self.overlaps(other) else None

    def hull(self, other: Span) -> Span:
        """Return the smallest span that holds both."""
        return Span(min(self.start, other.start), max(self.end, other.end))

    def padded(self, before: Fraction | float, after: Fraction | float | None = None) -> Span:
        """Widen by `before` seconds in front and `after` (default: the same) behind."""
        head, tail = instant(before), instant(before if after is None else after)
        return Span(self.start - head, self.end + tail)

    def clipped(self, bounds: Span) -> Span:
        """Cut to `bounds`; a span wholly outside becomes an instant at the nearer edge."""
        start = min(max(self.start, bounds.start), bounds.end)
        return Span(start, min(max(self.end, start), max(bounds.end, start)))

    def widened(self, least: Fraction | float, bounds: Span) -> Span:
        """Widen to `least` seconds, as evenly as `bounds` allow; what is as long, or as long as they are, stays."""
        lacking = max(instant(least) - self.duration, Fraction(0))
        start = max(self.start - lacking / 2, bounds.start)
        end = min(start + self.duration + lacking, bounds.end)
        return self.hull(Span(max(min(start, end - self.duration - lacking), bounds.start), end))

    def iou(self, other: Span) -> float:
        """Temporal intersection over union, 0 to 1."""
        shared = self.intersection(other)
        if shared is None:
            return 0.0
        union = self.duration + other.duration - shared.duration
        return float(shared.duration / union) if union else 1.0

    def to_json(self) -> dict[str, float]:
        """Write as {"start_s", "end_s"}, rounded to the microsecond."""
        return {"start_s": round(float(self.start), 6), "end_s": round(float(self.end), 6)}

    def __str__(self) -> str:
        return clock(self.start) if self.start == self.end else f"{clock(self.start)}–{clock(self.end)}"


def union(spans: Iterable[Span], gap: Fraction | int = 0) -> list[Span]:
    """Merge spans that overlap, touch, or lie at most `gap` seconds apart; sorted."""
    merged: list[Span] = []
    for span in sorted(spans):
        if merged and span.start <= merged[-1].end + gap:
            merged[-1] = Span(merged[-1].start, max(merged[-1].end, span.end))
        else:
            merged.append(span)
    return merged


def subtract(whole: Span, parts: Iterable[Span]) -> list[Span]:
    """Return what of `whole` is in none of `parts`."""
    left, cursor = [], whole.start
    for part in union(parts):
        if part.start > cursor and cursor < whole.end:
            left.append(Span(cursor, min(part.start, whole.end)))
        cursor = max(cursor, part.end)
    if cursor < whole.end:
        left.append(Span(cursor, whole.end))
    return left


def total(spans: Iterable[Span]) -> Fraction:
    """Sum the seconds covered, counting overlaps once."""
    return sum((span.duration for span in union(spans)), Fraction(0))


def windows(whole: Span, length: Fraction | int) -> Iterator[Span]:
    """Cut into consecutive windows of `length` seconds on the grid start + k * length; the last may be shorter."""
    start = whole.start
    while start < whole.end:
        yield Span(start, min(start + length, whole.end))
        start += length
