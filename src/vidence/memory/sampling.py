"""Give each visual sense its frames from one decode: at its own rate and size, the same whoever else is watching."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from math import floor
from typing import TYPE_CHECKING

import numpy as np

from vidence.senses.sense import Sampling
from vidence.timeline import Instant, Span, instant

if TYPE_CHECKING:
    from vidence.media import Frame

_EVERY_FRAME_GAP_S = Fraction(
    1, 4
)  # a picture that stands longer than this into a segment is shown at its start


@dataclass(frozen=True, slots=True)
class Plan:
    """What to decode so that every sampling can be served exactly."""

    rate_hz: float | None
    max_side: int
    lead_s: Fraction


def plan(samplings: Iterable[Sampling]) -> Plan:
    """Choose the slowest rate whose grid holds every sense's grid, the largest size, and the longest lead.

    The grid of a rate lies within the grid of its whole multiples; where no sense's rate is a multiple of all others,
    every frame is decoded (that costs no decoding, only the conversion to RGB).
    """
    wanted = list(samplings)
    rates = [s.rate_hz for s in wanted]
    fastest = None if None in rates else max(rate for rate in rates if rate is not None)
    if fastest is not None and any(
        (instant(fastest) / instant(rate)).denominator != 1 for rate in rates if rate
    ):
        fastest = None
    return Plan(fastest, max(s.max_side for s in wanted), max(instant(s.lead_s) for s in wanted))


def falls_on_grid(time: Instant, before: Instant | None, rate_hz: float | None) -> bool:
    """Say whether a frame is the first at or after a point of the grid k / rate, given the time of the frame before."""
    if rate_hz is None or before is None:
        return True
    rate = instant(rate_hz)
    return floor(time * rate) > floor(before * rate)


def distribute(
    frames: Iterable[Frame], segment: Span, samplings: Sequence[Sampling]
) -> Iterator[tuple[int, Frame]]:
    """Yield (index of the sampling, frame reduced to its size) in time order, lead frames included.

    A frame from before the segment that still stands well into it (a slide, a variable frame rate) is shown again with
    the segment's start as its time, so that no segment goes unseen.
    """
    before: Frame | None = None
    began = False
    for frame in frames:
        if frame.time >= segment.end:
            break
        sizes: dict[int, Frame] = {}
        if frame.time >= segment.start and not began:
            began = True
            if before is not None:
                yield from _standing(before, frame.time, segment, samplings)
        for n, sampling in enumerate(samplings):
            early = frame.time < segment.start - instant(sampling.lead_s)
            if not early and falls_on_grid(frame.time, before.time if before else None, sampling.rate_hz):
                yield n, _sized(frame, sampling.max_side, sizes)
        before = frame
    if not began and before is not None:
        yield from _standing(before, segment.end, segment, samplings)


def _standing(
    frame: Frame, until: Instant, segment: Span, samplings: Sequence[Sampling]
) -> Iterator[tuple[int, Frame]]:
    shown = replace(frame, time=segment.start, duration=min(until, segment.end) - segment.start, key=False)
    sizes: dict[int, Frame] = {}
    for n, sampling in enumerate(samplings):
        gap = 1 / instant(sampling.rate_hz) if sampling.rate_hz else _EVERY_FRAME_GAP_S
        if shown.duration > gap:
            yield n, _sized(shown, sampling.max_side, sizes)


def _sized(frame: Frame, max_side: int, sizes: dict[int, Frame]) -> Frame:
    """Reduce by area averaging; senses that want the same size share one picture."""
    if max_side not in sizes:
        sizes[max_side] = replace(frame, image=reduce(frame.image, max_side))
    return sizes[max_side]


def reduce(image: np.ndarray, max_side: int) -> np.ndarray:
    """Make no side longer than `max_side`; smaller pictures stay as they are. Shape (H, W, 3) uint8."""
    height, width = image.shape[:2]
    if max(height, width) <= max_side:
        return image
    import cv2

    scale = max_side / max(height, width)
    size = max(round(width * scale), 1), max(round(height * scale), 1)
    return cv2.resize(image, size, interpolation=cv2.INTER_AREA)
