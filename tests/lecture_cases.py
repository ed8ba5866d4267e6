"""A lecture as flawless senses would perceive it: what is left to be told is told by the application alone."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

from vidence.senses.observation import Box, Observation, Producer
from vidence.senses.picture import PictureSense, PictureWatcher
from vidence.timeline import Span
from vidence.worlds.lecture import SIZE, Lecture

TEXT, SPEECH, SHOTS = Producer("text", "0"), Producer("speech", "0"), Producer("shots", "0")


def perceived(lecture: Lecture) -> list[Observation]:
    """Return what is written, what is said, and the pictures measured at 2 Hz."""
    found: list[Observation] = []
    for slide in lecture.slides:
        for n, part in enumerate(slide.appearances):
            found.append(_line(slide.title, part, 60, 96, 46))
            found.append(_line(lecture.title, part, 60, SIZE[1] - 24, 18))
            for at, text in enumerate(slide.lines):
                span = Span(slide.steps[at], part.end) if n == 0 else part
                left = 84 + 9 * (len(text) - len(text.lstrip()))
                found.append(_line(text.strip(), span, left, 190 + 72 * at, 32))
    found += [
        Observation(line.span, "speech", SPEECH, line.text, 0.95, data={"source": "subtitles", "words": []})
        for line in lecture.spoken
    ]
    watcher = PictureWatcher(PictureSense.producer, lecture.span)
    for n in range(int(lecture.span.end * 2)):
        time = Fraction(n, 2)
        watcher.see(_Frame(time, lecture.picture(time)))  # type: ignore[arg-type]
    found += watcher.finish()
    return [replace(seen, id=n) for n, seen in enumerate(sorted(found, key=lambda o: o.span), 1)]


class _Frame:
    def __init__(self, time: Fraction, image: object) -> None:
        self.time, self.image = time, image


def _line(text: str, span: Span, left: int, base: int, size: int) -> Observation:
    width, height = SIZE
    box = Box(left / width, (base - size) / height, 0.5 * size * len(text) / width, 1.2 * size / height)
    data = {"kind": "line", "height": size / height, "lines": [text]}
    return Observation(span, "text", TEXT, text, 0.98, ((span.start, box),), data=data)
