"""Watch one segment: know the known lines again at each look, and read where something is new."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import cv2
import numpy as np

from vidence.senses.language import normalise
from vidence.senses.observation import Box, Observation, Producer
from vidence.senses.text.gate import Errand, Gate
from vidence.senses.text.line import Line, believable, box_of, hull
from vidence.senses.text.models import crop, detect, spell
from vidence.senses.text.observing import observe
from vidence.senses.text.reading import DOUBTFUL, pixels_of, read_quads
from vidence.senses.text.tracking import Track, continue_track, overlap, same_text, start_track
from vidence.timeline import Instant, Span

if TYPE_CHECKING:
    from vidence.media.frame import Frame, Image

KEPT_LOOKS = 4  # grey pictures kept to find out when a line appeared: two seconds, 4 MB
GONE_AFTER = 2  # looks without it
READINGS = 4  # of a doubtful line
FOUND_PX = 14  # height of writing that the detector finds on nearly any ground
EDGE_PX = 4  # a line found this near to the edge of a region is cut by it


@dataclass(slots=True)
class TextWatcher:
    """Reads one segment; the lines it follows are `live` until two looks do not show them, then `done`."""

    segment: Span
    producer: Producer
    gate: Gate = field(default_factory=Gate)
    live: list[Track] = field(default_factory=list)
    done: list[Track] = field(default_factory=list)
    looks: deque[tuple[Instant, np.ndarray]] = field(default_factory=lambda: deque(maxlen=KEPT_LOOKS))

    def see(self, frame: Frame) -> None:
        """Look at a frame."""
        grey = cv2.cvtColor(frame.image, cv2.COLOR_RGB2GRAY)
        time = max(frame.time, self.segment.start)
        errand = self.gate.errand(grey, time)
        for track in self.live:
            _know_again(track, grey, time)
        if errand is not None:
            known = len(self.live)
            for line in read_quads(frame.image, self._find(frame.image, errand, time)):
                self._place(line, frame.image, grey, time)
            if len(self.live) > known:
                self.gate.refund()
            self._drop_doubles(time)
        for track in self.live:
            self._check(track, frame.image, grey, time, errand)
        self.done += [track for track in self.live if track.looks_missed >= GONE_AFTER]
        self.live = [track for track in self.live if track.looks_missed < GONE_AFTER]
        self.looks.append((time, grey))

    def finish(self) -> list[Observation]:
        """Return each line and each block of lines."""
        return observe([*self.done, *self.live], self.segment, self.producer)

    def _find(self, image: Image, errand: Errand, time: Instant) -> list[np.ndarray]:
        """Return the quads of writing in the region that no line just known again explains."""
        size = image.shape[:2]
        quads = _detect_in(image, errand.region, errand.scale)
        cut = [box_of(quad, size) for quad in quads if _cut(quad, errand.region, size)]
        quads = [quad for quad in quads if not _cut(quad, errand.region, size)]
        for strip in _strips(cut):  # a line that the region cuts is looked for over the picture's whole width
            self.gate.spend(strip.area * errand.scale**2 * size[0] * size[1] / 1e6)
            found = _detect_in(image, strip, errand.scale)
            quads += [quad for quad in found if any(overlap(box_of(quad, size), box) > 0.5 for box in cut)]
        known = [track.box for track in self.live if track.seen == time]
        aspect = size[1] / size[0]
        return [quad for quad in quads if not _explained(box_of(quad, size), known, aspect)]

    def _place(self, line: Line, image: Image, grey: np.ndarray, time: Instant) -> None:
        """Give a line just read to the track it continues, or open one."""
        there = [track for track in self.live if overlap(track.box, line.box) > 0.4]
        same = [track for track in there if same_text(track.text, line.text) or _part(track.text, line.text)]
        if not same:
            same = [track for track in self.live if track.seen != time and _moved(track, line)]
        if same:
            track = min(same, key=lambda track: (track.seen == time, track.start))
            return continue_track(track, line, image, grey, time)
        for track in there:
            if track.seen == time and track.box.iou(line.box) > 0.5:
                if line.confidence <= track.sureness:
                    return None
                track.missed, track.looks_missed = time, GONE_AFTER
        track = start_track(line, image, grey, time)
        track.start = self._appeared(track, time)
        self.live.append(track)
        return None

    def _appeared(self, track: Track, time: Instant) -> Instant:
        start = time
        for earlier, grey in reversed(self.looks):
            if not track.patch.stays(grey):
                break
            start = earlier
        return start

    def _drop_doubles(self, time: Instant) -> None:
        """Keep one of two tracks that follow the same words in the same place, or a part of them."""
        seen = sorted((t for t in self.live if t.seen == time), key=lambda t: (-len(t.text), t.start))
        for n, track in enumerate(seen):
            for other in seen[n + 1 :]:
                if overlap(track.box, other.box) > 0.6 and _part(other.text, track.text):
                    track.start = min(track.start, other.start)
                    self.live = [kept for kept in self.live if kept is not other]

    def _check(
        self, track: Track, image: Image, grey: np.ndarray, time: Instant, errand: Errand | None
    ) -> None:
        """Spell a line once more that could not be known again by its looks, or whose words are in doubt."""
        lost = track.seen != time
        doubtful = track.sureness < DOUBTFUL and sum(track.readings.values()) < READINGS and track.looks > 1
        if track.looks_missed >= GONE_AFTER or not (lost or doubtful):
            return None
        if lost and errand is not None and _searched(track, errand):
            return track.missed_at(time)
        text, confidence = spell([crop(image, track.quad)])[0]
        if believable(text, confidence) and (same_text(text, track.text) or not lost):
            continue_track(track, Line(text, confidence, track.box, track.quad), image, grey, time)
        elif lost:
            track.missed_at(time)
        return None


def _searched(track: Track, errand: Errand) -> bool:
    """Say whether the detector would have found the line, had it been there."""
    height_px = track.box.h * track.size[0] * errand.scale
    return height_px >= FOUND_PX and overlap(track.box, errand.region) > 0.99


def _know_again(track: Track, grey: np.ndarray, time: Instant) -> None:
    if track.patch.stays(grey):
        track.seen_at(time, track.box)
    elif (place := track.patch.find(grey)) is not None:
        track.quad = track.quad + np.array(
            [place[0] - track.patch.left, place[1] - track.patch.top], np.float32
        )
        track.patch.left, track.patch.top = place
        track.seen_at(time, box_of(track.quad, track.size))


def _detect_in(image: Image, region: Box, scale: float) -> list[np.ndarray]:
    left, top, right, bottom = pixels_of(region, image.shape[:2])
    return [quad + np.array([left, top], np.float32) for quad in detect(image[top:bottom, left:right], scale)]


def _cut(quad: np.ndarray, region: Box, size: tuple[int, int]) -> bool:
    left, top, right, bottom = pixels_of(region, size)
    height, width = size
    low, high = quad.min(axis=0), quad.max(axis=0)
    return bool(
        (left > 0 and low[0] < left + EDGE_PX)
        or (top > 0 and low[1] < top + EDGE_PX)
        or (right < width and high[0] > right - EDGE_PX)
        or (bottom < height and high[1] > bottom - EDGE_PX)
    )


def _strips(boxes: Sequence[Box]) -> list[Box]:
    """Return strips over the whole width that hold the boxes, a line's height of margin above and below."""
    strips: list[tuple[float, float]] = []
    for top, bottom in sorted((max(b.y - b.h, 0.0), min(b.y + 2 * b.h, 1.0)) for b in boxes):
        if strips and top <= strips[-1][1]:
            strips[-1] = (strips[-1][0], max(bottom, strips[-1][1]))
        else:
            strips.append((top, bottom))
    return [Box(0, top, 1, bottom - top) for top, bottom in strips]


def _explained(box: Box, known: Sequence[Box], aspect: float) -> bool:
    """Say whether known lines cover a found box, and none of its ends sticks out by half a line height."""
    near = [other for other in known if overlap(box, other) > 0.5]
    shared = sum(overlap(box, other) * min(box.area, other.area) for other in near)
    if shared <= 0.6 * box.area:
        return False
    whole, slack = hull(near), 0.5 * box.h / aspect
    return box.x > whole.x - slack and box.x + box.w < whole.x + whole.w + slack


def _part(part: str, whole: str) -> bool:
    return normalise(part).replace(" ", "") in normalise(whole).replace(" ", "")


def _moved(track: Track, line: Line) -> bool:
    (x, y), (to_x, to_y) = track.box.centre, line.box.centre
    same = len(line.text) >= 4 and normalise(track.text) == normalise(line.text)
    return same and abs(x - to_x) < 0.3 and abs(y - to_y) < 0.3
