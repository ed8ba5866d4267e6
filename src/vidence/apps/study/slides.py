"""Slides and screens: what stands still and is written on, each once, with all the times it is shown.

The picture is cut into stretches in which it does not change, but for cells that change all along (a speaker in a
corner, a clock). What is written during a stretch makes it a state. States that follow one another are one slide when
the later shows all lines of the earlier in their places (a list that grows); a state that comes back later is the
slide that it was.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from difflib import SequenceMatcher
from fractions import Fraction
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from vidence.senses.language import normalise
from vidence.senses.observation import Box, Observation
from vidence.timeline import Instant, Span, total, union

if TYPE_CHECKING:
    from vidence.media import Media
    from vidence.senses.picture import Sample

CHANGED = 6.0  # grey levels of 255 in one cell: less is noise and coding
RESTLESS = 0.35  # share of the samples between which a cell changes, from which it does not count
MOST_RESTLESS = 0.5  # share of such cells from which it is no slide but a scene
SHORTEST_S = Fraction(3, 2)
WORTH_READING = 0.6  # confidence
SAME_LINE = 0.8  # of letters
SAME_TEXT = 0.85  # share of lines that two showings of one slide have in common
GROWN = 0.75  # share of the earlier lines that a grown slide still has
NEAR = 0.04  # of the picture: a line that grew stays where it was
FURNITURE = 0.7  # share of the slides on which a line stands, from which it is no content
SNAP_S = Fraction(3, 5)  # a slide begins with the cut that lies so near; else with a frame so near
EXACT_SIDE = 240  # px at which its frames are compared
LEAST_CHANGE = 0.3  # grey levels of 255 that a slide differs by from the one before, on average
TITLE_FROM_TOP = 0.45


@dataclass(frozen=True, slots=True)
class SlideLine:
    """One line: its words, its box, and the observation it was read by."""

    text: str
    box: Box
    source: Observation


@dataclass(frozen=True, slots=True)
class Slide:
    """One slide. `appearances` are the spans in which it is on screen; `shown` is a time at which it is complete."""

    number: int
    title: str
    lines: tuple[SlideLine, ...]
    appearances: tuple[Span, ...]
    shown: Instant
    again: float | None = None  # share of its lines that were read again when it was complete

    @property
    def first(self) -> Instant:
        """When it is first seen."""
        return self.appearances[0].start

    @property
    def seconds(self) -> float:
        """How long it is on screen, all times together."""
        return float(total(self.appearances))

    @property
    def body(self) -> list[SlideLine]:
        """Its lines but the title, from the top."""
        return [line for line in self.lines if line.text != self.title]

    @property
    def text(self) -> str:
        """All its lines."""
        return "\n".join(line.text for line in self.lines)

    def to_json(self) -> dict[str, Any]:
        """Write as JSON values."""
        return {
            "number": self.number,
            "title": self.title,
            "lines": [line.text for line in self.lines],
            "first_s": round(float(self.first), 6),
            "shown_s": round(float(self.shown), 6),
            "appearances": [span.to_json() for span in self.appearances],
        }


Reader = Callable[[Instant], Sequence[Observation]]
"""Reads what is on screen at a time, anew; nothing where that cannot be afforded."""


@dataclass(frozen=True, slots=True)
class _State:
    span: Span
    lines: tuple[SlideLine, ...]
    layout: np.ndarray


def find_slides(
    seen: Sequence[Observation], samples: Sequence[Sample], whole: Span, read: Reader | None = None
) -> list[Slide]:
    """Return the slides of a video in the order in which they first appear; none where nothing stands still.

    `read` reads each slide anew when it is complete; what was read before is then only what it is compared with.
    """
    lines = [o for o in seen if o.sense == "text" and o.data.get("kind") == "line" and _readable(o)]
    if len(samples) < 2 or not lines:
        return []
    steady = _steady_cells(samples)
    if (~steady).mean() > MOST_RESTLESS:
        return []
    states = [
        state
        for span, layout in _stretches(samples, steady, lines, whole)
        if (state := _state(span, layout, lines))
    ]
    cuts = [o.span.start for o in seen if o.sense == "shots" and o.data.get("cut")]
    slides = [_snapped(slide, cuts) for slide in _joined(states, steady)]
    slides = [_read_again(slide, read) for slide in slides] if read else slides
    furniture = _furniture(slides)
    named = [_named(slide, furniture) for slide in slides]
    kept = [slide for slide in named if slide.lines]
    return [replace(slide, number=n) for n, slide in enumerate(sorted(kept, key=lambda s: s.first), 1)]


def exact(media: Media, slides: Sequence[Slide]) -> list[Slide]:
    """Begin each appearance with the very frame on which it comes: the frames around its start are opened once."""
    if media.info.video is None:
        return list(slides)
    starts = {span: min(_first_frame(media, span), span.end) for s in slides for span in s.appearances}
    told = []
    for slide in slides:
        spans = []
        for span in slide.appearances:
            start = starts[span]
            ends = [
                other for other in starts.values() if start < other < span.end
            ]  # the next is there already
            spans.append(Span(start, min([*ends, span.end])))
        told.append(replace(slide, appearances=tuple(spans)))
    return told


def _first_frame(media: Media, span: Span) -> Instant:
    """Return the time of the first frame, at most a sample before a start, that is more like it than like the last."""
    import cv2

    if span.start <= media.info.span.start:
        return span.start
    around = Span(span.start - SNAP_S, span.start + Fraction(1, 20)).clipped(media.info.span)
    frames = list(media.frames(around, max_side=EXACT_SIDE))
    grey = [cv2.cvtColor(frame.image, cv2.COLOR_RGB2GRAY).astype(np.float32) for frame in frames]
    if len(grey) < 2 or float(np.abs(grey[-1] - grey[0]).mean()) < LEAST_CHANGE:
        return span.start
    nearer = [float(np.abs(one - grey[-1]).mean()) < float(np.abs(one - grey[0]).mean()) for one in grey]
    return next((f.time for f, like in zip(frames, nearer, strict=True) if like), span.start)


def _readable(seen: Observation) -> bool:
    return seen.confidence >= WORTH_READING and sum(c.isalnum() for c in seen.text) >= 2 and bool(seen.track)


def _steady_cells(samples: Sequence[Sample]) -> np.ndarray:
    """Say of each cell whether it stands still most of the time, (9, 16) bool."""
    changes = [np.abs(b.layout - a.layout) >= CHANGED for a, b in pairwise(samples)]
    return np.mean(changes, axis=0) < RESTLESS


def _stretches(
    samples: Sequence[Sample], steady: np.ndarray, lines: Sequence[Observation], whole: Span
) -> list[tuple[Span, np.ndarray]]:
    """Cut time where the steady cells change, or where a line comes or goes that is too fine for the cells."""
    edges = [whole.start]
    first = samples[0].layout
    layouts = [first]
    for sample in samples[1:]:
        moved = (np.abs(sample.layout - layouts[-1]) >= CHANGED) & steady
        written = any(
            edges[-1] < edge <= sample.time for line in lines for edge in (line.span.start, line.span.end)
        )
        if moved.any() or written:
            edges.append(sample.time)
            layouts.append(sample.layout)
    spans = [Span(a, b) for a, b in pairwise([*edges, whole.end])]
    return list(zip(spans, layouts, strict=True))


def _state(span: Span, layout: np.ndarray, lines: Sequence[Observation]) -> _State | None:
    found = []
    for line in lines:
        inside = line.span.intersection(span)
        if inside is not None and inside.duration * 2 >= span.duration and span.duration:
            box = line.box_at(span.middle)
            if box is not None:
                found.append(SlideLine(line.text, box, line))
    if not any(sum(c.isalpha() for c in line.text) >= 3 for line in found):
        return None
    return _State(span, _ordered(found), layout)


def _ordered(lines: Sequence[SlideLine]) -> tuple[SlideLine, ...]:
    """Put lines in the order of reading."""
    return tuple(sorted(lines, key=lambda line: (round(line.box.y / 0.02), line.box.x)))


def _read_again(slide: Slide, read: Reader) -> Slide:
    """Take the lines of a slide as they are read when it is complete; followed signs may be mistaken for others."""
    found = [o for o in read(slide.shown) if o.data.get("kind") == "line" and _readable(o)]
    if not found:
        return slide
    lines = _ordered([SlideLine(o.text, o.track[0][1], o) for o in found])
    share = sum(any(_same_line(a, b) for b in lines) for a in slide.lines) / max(len(slide.lines), 1)
    letters = sum(len(line.text) for line in lines)
    enough = 2 * letters >= sum(len(line.text) for line in slide.lines)
    return replace(slide, lines=lines if enough else slide.lines, again=share)


def _joined(states: Sequence[_State], steady: np.ndarray) -> list[Slide]:
    """Join what grows, what goes on, and what comes back."""
    runs: list[list[_State]] = []
    for state in states:
        last = runs[-1][-1] if runs else None
        if (
            last is not None
            and state.span.start - last.span.end <= 1
            and (_grown(last, state) or _same(last, state))
        ):
            runs[-1].append(state)
        else:
            runs.append([state])
    slides: list[Slide] = []
    full: list[_State] = []
    for run in runs:
        span = run[0].span.hull(run[-1].span)
        if span.duration < SHORTEST_S:
            continue
        best = max(run, key=lambda s: (len(s.lines), s.span.duration))
        known = next((n for n, other in enumerate(full) if _same(other, best) or _part_of(best, other)), None)
        if known is None:
            slides.append(Slide(0, "", best.lines, (span,), best.span.middle))
            full.append(best)
        else:
            slides[known] = replace(
                slides[known], appearances=tuple(union([*slides[known].appearances, span]))
            )
    return slides


def _grown(before: _State, after: _State) -> bool:
    """Say whether a state shows the lines of the one before, in their places, and more."""
    kept = sum(any(_same_line(a, b) and _near(a.box, b.box) for b in after.lines) for a in before.lines)
    return len(after.lines) >= len(before.lines) and kept >= GROWN * len(before.lines)


def _same(before: _State, after: _State) -> bool:
    shared = sum(any(_same_line(a, b) for b in after.lines) for a in before.lines)
    return 2 * shared >= SAME_TEXT * (len(before.lines) + len(after.lines))


def _part_of(part: _State, whole: _State) -> bool:
    """Say whether a state is an earlier step of a slide that has been seen in full: three lines or more, all there."""
    inside = sum(any(_same_line(a, b) and _near(a.box, b.box) for b in whole.lines) for a in part.lines)
    return len(part.lines) >= 3 and inside == len(part.lines)


def _same_line(a: SlideLine, b: SlideLine) -> bool:
    left, right = normalise(a.text), normalise(b.text)
    if left == right:
        return True
    short = min(len(left), len(right))
    return short > 3 and SequenceMatcher(None, left, right, autojunk=False).ratio() >= SAME_LINE


def _near(a: Box, b: Box) -> bool:
    return abs(a.x - b.x) <= NEAR and abs(a.y - b.y) <= NEAR


def _furniture(slides: Sequence[Slide]) -> set[str]:
    """Return the lines that stand on most slides: the course's name, a logo, a menu."""
    if len(slides) < 3:
        return set()
    counts: dict[str, int] = {}
    for slide in slides:
        for text in {normalise(line.text) for line in slide.lines}:
            counts[text] = counts.get(text, 0) + 1
    return {text for text, count in counts.items() if count >= FURNITURE * len(slides)}


def _named(slide: Slide, furniture: set[str]) -> Slide:
    lines = tuple(line for line in slide.lines if normalise(line.text) not in furniture)
    upper = [
        line for line in lines if line.box.y <= TITLE_FROM_TOP and sum(c.isalpha() for c in line.text) >= 2
    ]
    title = max(upper, key=lambda line: (round(_height(line), 3), -line.box.y), default=None)
    return replace(slide, lines=lines, title=title.text if title else (lines[0].text if lines else ""))


def _height(line: SlideLine) -> float:
    return float(line.source.data.get("height", line.box.h))


def _snapped(slide: Slide, cuts: Sequence[Instant]) -> Slide:
    """Begin each appearance with the cut that lies near, which is exact to the frame."""
    moved = []
    for span in slide.appearances:
        near = min(cuts, key=lambda cut: abs(cut - span.start), default=None)
        start = (
            near if near is not None and abs(near - span.start) <= SNAP_S and near < span.end else span.start
        )
        moved.append(Span(start, span.end))
    return replace(slide, appearances=tuple(moved))
