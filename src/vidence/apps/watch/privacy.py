"""Faces made unrecognisable: where one was found, and where a head must be when it is too small to be found."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vidence.apps.redact import Cover, blurred
from vidence.apps.watch.scene import PERSON
from vidence.apps.watch.watching import Watch
from vidence.senses.observation import Box

if TYPE_CHECKING:
    from vidence.apps.report.clips import Draw
    from vidence.media.frame import Image
    from vidence.timeline import Instant

HEAD = 0.24  # of a person's height, from the top


def covers_of(found: Watch) -> list[Cover]:
    """Return what to blur: faces, and the heads of all people that were followed."""
    faces = [Cover(o.span, o.track) for o in found.faces if o.track]
    heads = [
        Cover(one.span, tuple((time, _head(box)) for time, box in one.path))
        for one in found.subjects
        if one.kind == PERSON
    ]
    return faces + heads


def veil(found: Watch) -> Draw:
    """Return what blurs a picture shown at a time."""
    covers = covers_of(found)

    def draw(image: Image, time: Instant) -> Image:
        return blurred(image, [box for cover in covers if (box := cover.box(time)) is not None])

    return draw


def _head(box: Box) -> Box:
    return Box(box.x, box.y, box.w, box.h * HEAD)
