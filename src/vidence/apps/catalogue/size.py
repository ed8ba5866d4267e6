"""Shot size, from how much of the picture a face or a body takes: the terms of film, wide to extreme close-up.

A face is measured by its height from brow to chin; a body by its own height where all of it is in the picture, else by
how far down it is cut. Bounds are those between the usual framings (whole figure, knees, waist, chest, shoulders).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from statistics import median

from vidence.apps.catalogue.trait import Trait
from vidence.senses.observation import Box, Observation
from vidence.timeline import Instant, Span

SIZES = (
    "extreme wide", "wide", "full", "medium wide", "medium", "medium close-up", "close-up", "extreme close-up",
)  # fmt: skip
"""From farthest to nearest."""

FACE = (0.025, 0.05, 0.085, 0.125, 0.19, 0.28, 0.6)
"""Height of a face as a share of the picture's, at which each next size begins."""

BODY = (0.25, 0.6)  # of a whole figure: below the first extreme wide, below the second wide, above it full
CUT = (
    1.0,
    1.4,
    1.9,
    2.5,
)  # height by width of a figure cut by the lower edge: close, chest, waist, knees, feet
THING = (0.02, 0.08, 0.25, 0.55)  # share of the picture that the main thing covers, where nobody is seen
EDGE = 0.97
HEADLESS = 0.35  # width of a figure without its head, from which it is cut at the chest
LOOKS = 9  # instants of a shot that are measured
LEAST = 0.5  # confidence of what is measured
LEAST_SURE = 0.4  # of what is told
ANIMATE = frozenset({"bird", "cat", "dog", "horse", "sheep", "cow", "elephant", "bear", "zebra", "giraffe"})


def size_of(shot: Span, seen: Sequence[Observation], aspect: float) -> Trait | None:
    """Tell the size of a shot, or None where nothing in it can be measured. `aspect` is width by height."""
    faces = [o for o in seen if o.sense == "faces" and o.confidence >= LEAST]
    people = [o for o in seen if o.sense == "objects" and o.text == "person" and o.confidence >= LEAST]
    things = [o for o in seen if o.sense == "objects" and o.text != "person" and o.confidence >= LEAST]
    animals = [o for o in things if o.text in ANIMATE]
    told: list[tuple[int, Observation, str]] = []
    for time in shot.middles(LOOKS):
        for group, measure in ((faces, _by_face), (people, _by_body), (animals or things, _by_area)):
            if found := measure(_at(group, time), aspect):
                told.append(found)
                break
    if not told:
        return None
    middle = round(median(rank for rank, _, _ in told))
    agreeing = [one for one in told if abs(one[0] - middle) <= 1]
    source = Counter(id(one[1]) for one in agreeing).most_common(1)[0][0]
    _, by, why = next(one for one in agreeing if id(one[1]) == source)
    sure = by.confidence * len(agreeing) / len(told)
    sure = sure if by.text in ("face", "person") else 0.8 * sure
    return Trait("size", SIZES[middle], sure, why, by) if sure >= LEAST_SURE else None


def _at(group: Sequence[Observation], time: Instant) -> list[tuple[Observation, Box]]:
    here = [o for o in group if time in o.span and o.track]
    return [(o, box) for o in here if (box := o.box_at(time)) is not None]


def _by_face(here: list[tuple[Observation, Box]], aspect: float) -> tuple[int, Observation, str] | None:
    if not here:
        return None
    seen, box = max(here, key=lambda pair: pair[1].h)
    return sum(box.h >= bound for bound in FACE), seen, f"a face is {box.h:.0%} of the picture's height"


def _by_body(here: list[tuple[Observation, Box]], aspect: float) -> tuple[int, Observation, str] | None:
    if not here:
        return None
    seen, box = max(here, key=lambda pair: pair[1].area)
    if box.y + box.h < EDGE and box.y > 1 - EDGE:
        rank = sum(box.h >= bound for bound in BODY)
        return rank, seen, f"a whole figure is {box.h:.0%} of the picture's height"
    if box.y + box.h < EDGE:  # the head is out of the picture: what is left is near
        return (
            (5 if box.w >= HEADLESS else 4),
            seen,
            f"a figure cut above, {box.w:.0%} of the picture's width",
        )
    shape = box.h / max(box.w * aspect, 1e-6)
    if box.h < 0.5 and shape >= CUT[1]:
        return 1, seen, f"a figure at the lower edge is {box.h:.0%} of the picture's height"
    ranks = (6, 5, 4, 3, 2)
    return (
        ranks[sum(shape >= bound for bound in CUT)],
        seen,
        f"a figure cut below, {shape:.1f} times as high as wide",
    )


def _by_area(here: list[tuple[Observation, Box]], aspect: float) -> tuple[int, Observation, str] | None:
    if not here:
        return None
    seen, box = max(here, key=lambda pair: pair[1].area)
    ranks = (0, 1, 3, 4, 6)
    share = box.area
    return (
        ranks[sum(share >= bound for bound in THING)],
        seen,
        f"a {seen.text} covers {share:.0%} of the picture",
    )
