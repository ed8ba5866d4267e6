"""Give each visual sense its frames from one decode: at its own rate and size, the same whoever else is watching."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cache
from math import floor, gcd, lcm
from typing import TYPE_CHECKING

from vidence.senses.sense import Sampling
from vidence.timeline import Instant, Span, instant

if TYPE_CHECKING:
    from vidence.media import Frame, Media, Picture

FASTEST_HZ = 20
_EVERY_FRAME_GAP_S = Fraction(1, 4)  # a picture that stands longer is shown at the segment's start


@dataclass(frozen=True, slots=True)
class Plan:
    """Which frames to decode so that every sampling can be served exactly."""

    rate_hz: float | None
    lead_s: Fraction


def plan(samplings: Iterable[Sampling]) -> Plan:
    """Choose the slowest rate whose grid holds every sense's grid, and the longest lead.

    Where that rate is above `FASTEST_HZ`, every frame is taken (that costs nothing: only wanted pixels are made).
    """
    wanted = list(samplings)
    rates = [instant(s.rate_hz) for s in wanted if s.rate_hz]
    common = None
    if len(rates) == len(wanted):
        common = Fraction(lcm(*(r.numerator for r in rates)), gcd(*(r.denominator for r in rates)))
    rate_hz = float(common) if common is not None and common <= FASTEST_HZ else None
    return Plan(rate_hz, max(instant(s.lead_s) for s in wanted))


@dataclass(frozen=True, slots=True)
class _Share:
    """What one sense gets of a segment, worked out once: reading a rate exactly costs more than comparing with it."""

    name: str
    max_side: int
    rate_hz: Fraction | None
    start: Instant  # of its lead
    tail: Instant  # from here on its frames are the next segment's lead

    @classmethod
    def of(cls, name: str, sampling: Sampling, segment: Span) -> _Share:
        lead_s = instant(sampling.lead_s)
        rate_hz = instant(sampling.rate_hz) if sampling.rate_hz else None
        return cls(name, sampling.max_side, rate_hz, segment.start - lead_s, segment.end - lead_s)

    def wants(self, time: Instant, before: Instant | None) -> bool:
        """Say whether a frame is its: the first at or after a point of the grid k / rate, given the frame before."""
        if time < self.start:
            return False
        if self.rate_hz is None or before is None:
            return True
        return floor(time * self.rate_hz) > floor(before * self.rate_hz)


class Reel:
    """Shows a medium segment after segment from one running decode; seeks only where a segment does not follow on.

    The frames that the next segment wants as its lead are kept, at the size of the sense that wants them, so that going
    on costs no second decoding.
    """

    def __init__(self, media: Media, plan: Plan) -> None:
        self._media, self.plan = media, plan
        self._pictures: Iterator[Picture] = iter(())
        self._at: Instant | None = None  # where the running decode stands: the end of the segment last shown
        self._before: Picture | None = None  # the last frame that began before it
        self._upcoming: Picture | None = None  # the first that did not
        self._tails: dict[str, list[Frame]] = {}

    def show(self, segment: Span, samplings: Mapping[str, Sampling]) -> Iterator[tuple[str, Frame]]:
        """Yield (name of the sense, frame reduced to its size) in time order for each sense, lead frames first.

        A frame from before the segment that still stands well into it (a slide, a variable frame rate) is shown
        again with the segment's start as its time, so that no segment goes unseen.
        """
        if self._at == segment.start and samplings.keys() <= self._tails.keys():
            tails, self._tails = self._tails, {name: [] for name in samplings}
            yield from ((name, frame) for name in samplings for frame in tails[name])
        else:
            self._start(segment, samplings)
        shares = [_Share.of(name, sampling, segment) for name, sampling in samplings.items()]
        began, self._at = False, None  # left so when a decoder's error or the caller ends this early
        while (picture := self._next()) is not None and picture.time < segment.end:
            if not began and picture.time >= segment.start:
                began = True
                yield from self._standing(picture.time, segment, shares)
            yield from self._deal(picture, shares)
            self._before = picture
        self._upcoming = picture
        if not began:
            yield from self._standing(segment.end, segment, shares)
        self._at = segment.end

    def _start(self, segment: Span, samplings: Mapping[str, Sampling]) -> None:
        whole, lead_s = self._media.info.span, self.plan.lead_s
        span = Span(segment.start - lead_s, max(whole.end, segment.end))
        self._pictures = self._media.pictures(span, rate_hz=self.plan.rate_hz)
        self._before = self._upcoming = None
        self._tails = {name: [] for name in samplings}

    def _next(self) -> Picture | None:
        waiting, self._upcoming = self._upcoming, None
        return waiting or next(self._pictures, None)

    def _deal(self, picture: Picture, shares: Iterable[_Share]) -> Iterator[tuple[str, Frame]]:
        before = self._before.time if self._before else None
        sized = cache(picture.at)  # senses that want the same size share it
        for share in shares:
            if share.wants(picture.time, before):
                frame = sized(share.max_side)
                if frame.time >= share.tail:
                    self._tails[share.name].append(frame)
                yield share.name, frame

    def _standing(
        self, until: Instant, segment: Span, shares: Iterable[_Share]
    ) -> Iterator[tuple[str, Frame]]:
        if self._before is None:
            return
        duration = min(until, segment.end) - segment.start
        sized = cache(replace(self._before, time=segment.start, duration=duration, key=False).at)
        for share in shares:
            gap_s = 1 / share.rate_hz if share.rate_hz else _EVERY_FRAME_GAP_S
            if duration > gap_s:
                yield share.name, sized(share.max_side)
