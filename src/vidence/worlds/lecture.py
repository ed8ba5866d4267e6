"""Lectures: slides that build up line by line, a voice that explains them, and all that is true of both.

`Lecture.of(key)` plans one; `write` makes an MP4 with speech (espeak-ng where it is installed) and, where wanted, the
words as subtitles beside it. One slide is shown a second time at the end, as lecturers do; a clock ticks in a corner.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np

from vidence.errors import UsageError
from vidence.timeline import Instant, Span
from vidence.worlds.event import Line
from vidence.worlds.record import subtitle_text

SIZE = (960, 540)
RATE_HZ = 10
LETTERS_A_SECOND = 13  # of speech, with its pauses
PAUSE_S = Fraction(1, 2)
INK, PAPER, RULE, DIM = (24, 28, 40), (252, 251, 247), (40, 90, 160), (120, 124, 134)
SHOWN_AGAIN_S = 4


@dataclass(frozen=True, slots=True)
class Slide:
    """One slide: `appearances` are the spans in which it is on screen, `steps` when each of its lines comes."""

    title: str
    lines: tuple[str, ...]
    chapter: bool
    appearances: tuple[Span, ...]
    steps: tuple[Instant, ...]


@dataclass(frozen=True, slots=True)
class Lecture:
    """A lecture and all that is true of it; `needs` are the terms that each term needs to be understood."""

    key: str
    title: str
    slides: tuple[Slide, ...]
    spoken: tuple[Line, ...]
    needs: dict[str, tuple[str, ...]]

    @classmethod
    def of(cls, key: str) -> Lecture:
        """Plan a lecture, by one of `keys`.

        Raises:
            UsageError: there is no such lecture.
        """
        found = next((one for one in _table() if one["key"] == key), None)
        if found is None:
            raise UsageError(f"no lecture is called {key!r}; there are {', '.join(keys())}")
        at, slides, spoken = Fraction(1, 2), [], []
        for raw in found["slide"]:
            begin = at if slides else Fraction(0)
            lines = []
            for text in raw["say"]:
                length = Fraction(max(len(text), 20), LETTERS_A_SECOND)
                lines.append(Line(Span(at, at + length), None, "en", text))
                at += length + PAUSE_S
            steps = tuple(
                begin + n * (at - begin) / (2 * len(raw["lines"])) for n in range(len(raw["lines"]))
            )
            spoken += lines
            slides.append(
                Slide(raw["title"], tuple(raw["lines"]), raw.get("chapter", False), (Span(begin, at),), steps)
            )
        again = slides[0]
        appearances = (*again.appearances, Span(at, at + SHOWN_AGAIN_S))
        slides[0] = Slide(again.title, again.lines, again.chapter, appearances, again.steps)
        needs = {term: tuple(wanted) for term, wanted in found["terms"].items()}
        return cls(key, found["title"], tuple(slides), tuple(spoken), needs)

    @property
    def span(self) -> Span:
        """From zero to its end."""
        return Span(Fraction(0), max(part.end for slide in self.slides for part in slide.appearances))

    @property
    def chapters(self) -> list[tuple[Instant, str]]:
        """When each chapter begins, and its title."""
        return [(slide.appearances[0].start, slide.title) for slide in self.slides if slide.chapter]

    def definition(self, term: str) -> Line | None:
        """Return the line that says what a term is."""
        forms = [f"{article}{term} is " for article in ("", "A ", "An ", "The ")]
        return next(
            (line for line in self.spoken if line.text.lower().startswith(tuple(f.lower() for f in forms))),
            None,
        )

    def picture(self, time: Instant) -> np.ndarray:
        """Draw what is on screen at a time, uint8 RGB."""
        slide, first = next(
            ((s, n == 0) for s in self.slides for n, part in enumerate(s.appearances) if time in part),
            (self.slides[-1], True),
        )
        shown = sum(step <= time for step in slide.steps) if first else len(slide.lines)
        return _draw(slide, shown, self.title, time)

    def write(self, path: Path, *, sound: bool = True, subtitles: bool = False) -> Path:
        """Write it as MP4; with `subtitles` what is said lies beside it as NAME.srt.

        Raises:
            UsageError: the name is no .mp4.
        """
        from vidence.worlds.write import encode, hear_lines

        if path.suffix.lower() != ".mp4":
            raise UsageError(f"{path}: lectures are written as MP4; give a name that ends in .mp4")
        total = int(self.span.end * RATE_HZ)
        pictures = (self.picture(Fraction(n, RATE_HZ)) for n in range(total))
        heard = hear_lines(self.spoken, self.span.end) if sound else iter(())
        encode(path, SIZE, Fraction(RATE_HZ), pictures, heard, sound=sound)
        if subtitles:
            path.with_suffix(".srt").write_text(subtitle_text(self.spoken), encoding="utf-8")
        return path


def keys() -> list[str]:
    """Return the names of all lectures."""
    return [one["key"] for one in _table()]


@cache
def _table() -> list[dict[str, Any]]:
    text = resources.files("vidence.worlds").joinpath("lectures.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)["lecture"]


def _draw(slide: Slide, shown: int, course: str, time: Instant) -> np.ndarray:
    import cv2

    width, height = SIZE
    picture = np.full((height, width, 3), PAPER, np.uint8)
    cv2.rectangle(picture, (0, 0), (width, 14), RULE, -1)
    _write(picture, (60, 96), slide.title, 46, RULE)
    for n, line in enumerate(slide.lines[:shown]):
        _write(picture, (84, 190 + 72 * n), line, 32, INK)
    _write(picture, (60, height - 24), course, 18, DIM)
    hand = 2 * np.pi * float(time % 4) / 4
    middle = (width - 60, height - 60)
    cv2.circle(picture, middle, 26, DIM, 2, cv2.LINE_AA)
    tip = (round(middle[0] + 20 * np.sin(hand)), round(middle[1] - 20 * np.cos(hand)))
    cv2.line(picture, middle, tip, DIM, 2, cv2.LINE_AA)
    return picture


def _write(
    picture: np.ndarray, at: tuple[int, int], text: str, size: int, colour: tuple[int, int, int]
) -> None:
    import cv2

    from vidence.worlds.overlays import face

    cv2.putText(picture, text, at, colour, face(), size, 400)  # type: ignore[call-overload]
