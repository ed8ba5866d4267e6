"""What the benchmarks of the applications share: matching spans with truth, and writing a made film."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np

from vidence.timeline import Span

IOU = 0.5
RATE = 10


@dataclass(frozen=True, slots=True)
class Tally:
    """How many there are in truth, how many were found, how many of those are right."""

    truth: int = 0
    found: int = 0
    right: int = 0

    @property
    def precision(self) -> float:
        """Share of what was found that is right; 1 when nothing was found."""
        return self.right / self.found if self.found else 1.0

    @property
    def recall(self) -> float:
        """Share of the truth that was found; 1 when there is none."""
        return self.right / self.truth if self.truth else 1.0

    def __add__(self, other: Tally) -> Tally:
        return Tally(self.truth + other.truth, self.found + other.found, self.right + other.right)


def tally(found: Sequence[tuple[str, Span]], truth: Sequence[tuple[str, Span]], iou: float = IOU) -> Tally:
    """Match what was found with truth of the same name, each once, the best overlap first."""
    pairs = sorted(
        (
            (-span.iou(true), a, b)
            for a, (name, span) in enumerate(found)
            for b, (kind, true) in enumerate(truth)
            if name == kind and span.iou(true) >= iou
        ),
    )
    used_found, used_truth = set[int](), set[int]()
    for _, a, b in pairs:
        if a not in used_found and b not in used_truth:
            used_found.add(a)
            used_truth.add(b)
    return Tally(len(truth), len(found), len(used_found))


def near(found: Sequence[float], truth: Sequence[float], slack_s: float) -> Tally:
    """Match instants with truth, each once, the nearest first."""
    pairs = sorted(
        (abs(a - b), n, m) for n, a in enumerate(found) for m, b in enumerate(truth) if abs(a - b) <= slack_s
    )
    used_found, used_truth = set[int](), set[int]()
    for _, n, m in pairs:
        if n not in used_found and m not in used_truth:
            used_found.add(n)
            used_truth.add(m)
    return Tally(len(truth), len(found), len(used_found))


def write_film(
    path: Path,
    seconds: int,
    size: tuple[int, int],
    paint: Callable[[Fraction], np.ndarray],
    cues: Sequence[tuple[Span, str]] = (),
) -> Path:
    """Write a film of pictures painted at their time, ten a second; what is said goes into subtitles beside it."""
    import av

    with av.open(str(path), "w") as out:
        stream = out.add_stream("libx264", rate=RATE, options={"preset": "ultrafast", "crf": "18"})
        stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
        for number in range(seconds * RATE):
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(paint(Fraction(number, RATE))), "rgb24")
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    if cues:
        lines = [
            f"{number}\n{_stamp(span.start)} --> {_stamp(span.end)}\n{text}\n"
            for number, (span, text) in enumerate(cues, 1)
        ]
        path.with_suffix(".srt").write_text("\n".join(lines), encoding="utf-8")
    return path


def _stamp(time: Fraction) -> str:
    whole = int(time)
    return f"{whole // 3600:02d}:{whole // 60 % 60:02d}:{whole % 60:02d},{int((time - whole) * 1000):03d}"
