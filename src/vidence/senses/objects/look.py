"""One picture: what two detectors, trained apart, see in it, and how far that may be believed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from vidence.senses.objects.coco import kin
from vidence.senses.objects.detectors import Detection, load, repeats
from vidence.senses.observation import Box

if TYPE_CHECKING:
    from vidence.media import Image

FIRST = "ssdlite-mobilenet-v2"
SECOND = "tiny-yolov3"
AGREE_IOU = 0.4  # boxes of one thing from two detectors overlap by this at least: their edges are loose
ALONE = 0.7  # what remains of a score when the other detector looked and saw nothing
INNER_EDGE = 0.02  # a box this near to the inner edge of a tile is cut off: its neighbour has it whole


@dataclass(frozen=True, slots=True)
class Seen:
    """One thing in one picture with the score of either detector: 0 where it saw nothing, None where not asked.

    `label` is the first detector's where it saw the thing, else the second's.
    """

    label: str
    box: Box
    first: float
    second: float | None
    second_label: str = ""

    @property
    def votes(self) -> dict[str, tuple[str, float]]:
        """Who called it what, how surely."""
        mine = {"first": (self.label, self.first)} if self.first else {}
        theirs = {"second": (self.second_label, self.second)} if self.second else {}
        return mine | theirs

    @property
    def name(self) -> str:
        """What the surer of the two calls it."""
        return self.second_label if self.second and self.second > self.first else self.label

    @property
    def score(self) -> float:
        """How far it may be believed, 0 to 1."""
        if self.second is None:
            return self.first
        if self.first and self.second:
            same = self.label == self.second_label
            return 1 - (1 - self.first) * (1 - self.second) if same else max(self.first, self.second)
        return ALONE * max(self.first, self.second)


def detect(
    image: Image, *, floor: float = 0.3, tiles: int = 1, first: str = FIRST, second: str | None = SECOND
) -> list[Detection]:
    """Detect the things in one picture of any size (RGB), strongest first.

    What both detectors see gains, what one alone sees loses. With `tiles` of 2 each quarter of the picture is looked
    at as well, for small things, at five times the cost. A detector that needs no second is used with `second=None`.

    Raises:
        WeightsError: a detector's weights cannot be had.
    """
    found = [(one.name, one.score, one.box) for one in look(image, floor, first, second)]
    for part, region in _parts(image, tiles):
        found += [
            (one.name, one.score, _outward(one.box, region))
            for one in look(part, floor, first, second)
            if not _cut_off(one.box, region)
        ]
    kept: list[Detection] = []
    for seen in sorted((Detection(*one) for one in found), key=lambda one: -one.score):
        if seen.score >= floor and not any(repeats(seen, other) for other in kept):
            kept.append(seen)
    return kept


def look(image: Image, floor: float, first: str = FIRST, second: str | None = SECOND) -> list[Seen]:
    """Return what either detector sees with at least `floor`, each thing once."""
    return pair(load(first)(image, floor), load(second)(image, floor) if second else None)


def pair(mine: list[Detection], theirs: list[Detection] | None) -> list[Seen]:
    """Pair the boxes of two detectors, best overlaps first; `theirs` is None where the second was not asked."""
    if theirs is None:
        return [Seen(one.label, one.box, one.score, None) for one in mine]
    overlaps = sorted(
        (
            (-a.box.iou(b.box), i, j)
            for i, a in enumerate(mine)
            for j, b in enumerate(theirs)
            if kin(a.label, b.label)
        ),
    )
    partner: dict[int, int] = {}
    for overlap, i, j in overlaps:
        if -overlap >= AGREE_IOU and i not in partner and j not in partner.values():
            partner[i] = j
    seen = [
        Seen(a.label, a.box, a.score, theirs[partner[i]].score, theirs[partner[i]].label)
        if i in partner
        else Seen(a.label, a.box, a.score, 0.0)
        for i, a in enumerate(mine)
    ]
    taken = set(partner.values())
    return seen + [
        Seen(b.label, b.box, 0.0, b.score, b.label) for j, b in enumerate(theirs) if j not in taken
    ]


def _parts(image: Image, tiles: int) -> Iterator[tuple[Image, Box]]:
    """Cut into tiles × tiles parts that overlap by a third of their side, so that no small thing is only halved."""
    if tiles < 2:
        return
    side, step = 1 / (tiles - (tiles - 1) / 3), 1 / (tiles - (tiles - 1) / 3) * 2 / 3
    rows, columns = image.shape[:2]
    for i in range(tiles):
        for j in range(tiles):
            region = Box(j * step, i * step, side, side)
            top, left = round(region.y * rows), round(region.x * columns)
            part = image[top : top + max(1, round(side * rows)), left : left + max(1, round(side * columns))]
            yield part, region


def _outward(box: Box, region: Box) -> Box:
    return Box(region.x + box.x * region.w, region.y + box.y * region.h, box.w * region.w, box.h * region.h)


def _cut_off(box: Box, region: Box) -> bool:
    """Say whether a box in a tile touches an edge that is not an edge of the picture."""
    return (
        (box.x < INNER_EDGE and region.x > 0)
        or (box.y < INNER_EDGE and region.y > 0)
        or (box.x + box.w > 1 - INNER_EDGE and region.x + region.w < 0.999)
        or (box.y + box.h > 1 - INNER_EDGE and region.y + region.h < 0.999)
    )
