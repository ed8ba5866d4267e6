"""Follow things through one segment: what senses that detect and track have in common.

From each frame a thumbnail is kept. A picture that stands still need not be looked at again; one that changes as a
whole is a cut, over which nothing is followed. At the end each track gets its exact times: it begins at the first look
that shows it and ends at the first look that no longer does.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from vidence.senses.observation import Box, Observation
from vidence.senses.tracking import Sighting, Track, Tracker, colour_histogram
from vidence.timeline import Instant, Span

if TYPE_CHECKING:
    from vidence.media import Frame, Image

THUMB = (64, 36)  # columns, rows
STILL_LEVELS = 5  # of 255: a thumbnail of which no cell changes more shows the same picture
CUT_LEVELS, CUT_COLOURS = (
    28,
    0.3,
)  # mean change of the thumbnail, and share of changed colours, that make a cut


@dataclass(frozen=True, slots=True)
class Followed:
    """A track within a segment. `came` and `went`: it was seen to appear, and to be gone, while we looked."""

    track: Track
    span: Span
    path: tuple[tuple[Instant, Box], ...]
    came: bool
    went: bool


class Follower:
    """Looks, one after another, at one segment (and at the lead before it)."""

    def __init__(
        self, segment: Span, patience_s: float, kin: Callable[[str, str], bool] = str.__eq__
    ) -> None:
        self.segment = segment
        self.tracker = Tracker(patience_s, kin)
        self._times: list[Instant] = []
        self._ends: list[Instant] = []  # when each frame leaves the screen
        self._cuts: set[int] = set()  # looks that begin a new shot
        self._thumb: np.ndarray | None = None

    def notice(self, frame: Frame) -> bool:
        """Take a frame; return whether the picture has changed since the last one that had."""
        thumb, before = _thumbnail(frame.image), self._thumb
        self._times.append(frame.time)
        self._ends.append(frame.time + frame.duration)
        if before is not None and int(np.abs(thumb - before).max()) < STILL_LEVELS:
            return False
        if before is not None and _is_cut(before, thumb):
            self.tracker.cut()
            self._cuts.add(len(self._times) - 1)
        self._thumb = thumb  # small changes add up until they count
        return True

    def take(self, sightings: Sequence[Sighting]) -> None:
        """Take what the last frame shows."""
        self.tracker.look(float(self._times[-1]), sightings)

    def finish(self) -> list[Followed]:
        """Return the tracks that reach into the segment, in time order."""
        found = [self._followed(track) for track in self.tracker.finish()]
        return sorted((one for one in found if one), key=lambda one: (one.span, one.track.label))

    def _followed(self, track: Track) -> Followed | None:
        place = {float(time): index for index, time in enumerate(self._times)}
        looks = [(place[time_s], seen) for time_s, seen in track.looks]
        inside = [(index, seen) for index, seen in looks if self._ends[index] > self.segment.start]
        if not inside:
            return None
        first, last = inside[0][0], inside[-1][0]
        there_before = len(inside) < len(looks) or first == 0  # before the segment, or before we looked
        begins = self.segment.start if there_before else self._times[first]
        went = last + 1 < len(self._times)
        ends = self._times[last + 1] if went else self.segment.end
        return Followed(
            track,
            Span(begins, max(begins, ends)).clipped(self.segment),
            tuple(
                (max(self._times[index], self.segment.start), _rounded(seen.box)) for index, seen in inside
            ),
            not there_before and first not in self._cuts,
            went and last + 1 not in self._cuts,
        )


def continues(left: Observation, right: Observation, patience_s: float) -> bool:
    """Say whether the track of `right` goes on where that of `left` ends, at most `patience_s` later."""
    if not left.track or not right.track:
        return False
    (before, here), (after, there) = left.track[-1], right.track[0]
    if abs(after - before) > patience_s:
        return False
    (x0, y0), (x1, y1) = here.centre, there.centre
    apart = max(abs(x1 - x0), abs(y1 - y0))
    return here.iou(there) > 0.2 or apart < 0.5 * max(here.w, here.h, there.w, there.h)


def _thumbnail(image: Image) -> np.ndarray:
    import cv2

    return cv2.resize(image, THUMB, interpolation=cv2.INTER_AREA).astype(np.int16)


def _is_cut(before: np.ndarray, after: np.ndarray) -> bool:
    if np.abs(before - after).mean() < CUT_LEVELS:
        return False
    whole = Box(0.0, 0.0, 1.0, 1.0)
    one, other = (colour_histogram(thumb.astype(np.uint8), whole) for thumb in (before, after))
    return 1 - float(np.minimum(one, other).sum()) > CUT_COLOURS


def _rounded(box: Box) -> Box:
    return Box(round(box.x, 4), round(box.y, 4), round(box.w, 4), round(box.h, 4))
