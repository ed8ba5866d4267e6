"""Lines that are crossed: who, when to a fraction of a look, and which way."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise

from vidence.apps.watch.happening import Happening
from vidence.apps.watch.scene import Line, Scene, Way
from vidence.apps.watch.subjects import Subject, stand
from vidence.timeline import Instant, Span

DITHER_S = 1.5  # a crossing taken back within this was none: boxes tremble


def crossings(subjects: Sequence[Subject], scene: Scene) -> list[Happening]:
    """Return each crossing of each line, and those against the way that is allowed as such."""
    found = []
    for line in scene.lines:
        for one in subjects:
            if line.kinds and one.kind not in line.kinds:
                continue
            for time, way in over(one, line, scene.anchor):
                span = Span(time, time + Fraction(1, 2))
                wrong = line.allowed is not None and way != line.allowed
                told = f"{one.id} goes {way} over the line “{line.name}”"
                why = told + (f", where only {line.allowed} is allowed" if wrong else "")
                data = {"line": line.name, "way": way, "subjects": [one.id]}
                found.append(Happening("crossing", told, span, one.confidence, why, (one,), (), data))
                if wrong:
                    title = f"Wrong way over “{line.name}”: {one.id}"
                    found.append(Happening("wrong-way", title, span, one.confidence, why, (one,), (), data))
    return found


def over(one: Subject, line: Line, anchor: str) -> list[tuple[Instant, Way]]:
    """Return when a subject crosses a line and which way; what is taken back at once is left out."""
    points = [(time, stand(box, one.kind, anchor)) for time, box in one.path]
    found: list[tuple[Instant, Way]] = []
    for (t0, before), (t1, after) in pairwise(points):
        hit = line.crossed(before, after)
        if hit is None:
            continue
        share, way = hit
        time = t0 + (t1 - t0) * Fraction(share).limit_denominator(1000)
        if found and found[-1][1] != way and float(time - found[-1][0]) <= DITHER_S:
            found.pop()
        else:
            found.append((time, way))
    return found
