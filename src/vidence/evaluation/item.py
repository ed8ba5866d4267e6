"""One question of a benchmark with what is known to be true, and what a benchmark states of itself."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from vidence.evaluation.official import Official
from vidence.timeline import Span

Form = Literal["choice", "grounding", "number", "words", "open"]
"""choice: one of several options; grounding: intervals of a phrase; number: a quantity; words: a few, right where they
hold the true ones; open: many words, judged outside."""

TOKEN_PX = 32
"""The side of the square of pixels that becomes one token of the paper's model."""

Subtitled = Literal["", "frames", "stretch"]
"""Which lines a model is given: none; those on screen at a frame that it is shown; all of the stretch."""


@dataclass(frozen=True, slots=True)
class Item:
    """One question. `video` is the file's name as the annotations have it: a relative path, a name, or a stem.

    True is `answer` (the right option's index, from 0) for choices, `spans` for grounding, `number` for quantities and
    `text` for open questions. `evidence` is where the answer can be seen, as far as the benchmark says so. `window` is
    the part of the file that is meant, where it is not the whole. `also` names more videos and pictures that are shown
    after it; it may be a picture itself. `subtitles` names the file with what is said, as
    `video` does its own, and `subtitles_start_s` is the time in it at which the video begins.
    """

    id: str
    video: str
    question: str
    options: tuple[str, ...] = ()
    answer: int | None = None
    spans: tuple[Span, ...] = ()
    number: float | None = None
    text: str = ""
    evidence: tuple[Span, ...] = ()
    window: Span | None = None
    also: tuple[str, ...] = ()
    subtitles: str = ""
    subtitles_start_s: float = 0.0
    groups: Mapping[str, str] = field(
        default_factory=dict
    )  # what scores are split by, e.g. {"task": "count"}


@dataclass(frozen=True, slots=True)
class Frames:
    """How the paper's scripts show a video: frames a second, most frames, least and most pixels of each."""

    fps: float = 4.0
    max_frames: int = 512
    min_pixels: int = 256 * 1024
    max_pixels: int = 256 * 1024

    def size(self, height: int, width: int) -> tuple[int, int]:
        """Return the (height, width) at which a frame is shown.

        A larger one keeps its shape; a smaller one is enlarged as the paper's processor does: both sides up to the next
        whole token.
        """
        pixels = height * width
        if pixels > self.max_pixels:
            shrink = (self.max_pixels / pixels) ** 0.5
            return max(round(height * shrink), 1), max(round(width * shrink), 1)
        if pixels < self.min_pixels:
            grow = (self.min_pixels / pixels) ** 0.5
            # Less a hair, so that what fits exactly is not made larger by rounding.
            high, wide = (math.ceil(side * grow / TOKEN_PX - 1e-9) * TOKEN_PX for side in (height, width))
            return high, wide
        return height, width


@dataclass(frozen=True, slots=True)
class Benchmark:
    """A benchmark: what it is, where users get it, and how its annotations are read.

    `load(folder, split)` returns its items and raises UsageError, saying what it looked for, where they are not there.
    """

    name: str  # as `vidence bench NAME` takes it
    title: str
    form: Form  # how it is asked, in the words of `prompts.py`, and judged
    splits: tuple[str, ...]  # the first is the default
    metric: str
    frames: Frames
    licence: str
    source: str  # where users get annotations and videos
    load: Callable[[Path, str], list[Item]]
    official: Official | None = None  # its authors' score, where it is not the mean over questions
    subtitles: Subtitled = ""  # how its authors give a model what is said, where it comes with that
    note: str = ""  # what one must know to compare its numbers
