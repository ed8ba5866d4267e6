"""Written text in the picture: signs, titles, labels, subtitles burned in, screens.

`Observation.data`: "kind" ("line", or "block" for lines that belong together, given besides them), "height" (of one
line, as a share of the picture), "colour" and "background" (names, or null), "lines" (the words of each line).
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import cv2
import numpy as np

from vidence.senses.observation import Box, Observation, Producer
from vidence.senses.sense import Cost, Sampling
from vidence.senses.text.gate import Errand, Gate
from vidence.senses.text.ink import ink_colours
from vidence.senses.text.line import Line, believable, blocks, box_of, hull
from vidence.senses.text.models import DIGEST, crop, detect, spell
from vidence.senses.text.reading import pixels_of, read_quads
from vidence.senses.text.tracking import Patch, Track, overlap, same_text, start_track
from vidence.timeline import Instant, Span

if TYPE_CHECKING:
    from vidence.media import Frame, Media
    from vidence.media.frame import Image

RATE_HZ = 2.0
SIDE = 1280
KEPT_LOOKS = 4  # grey pictures kept to find out when a line appeared: two seconds, 4 MB
GONE_AFTER = 2  # looks without it


class Text:
    """Reads what is written, line by line, and follows each line while it stays on screen."""

    name = "text"
    producer = Producer("text", "1", DIGEST, f"rate={RATE_HZ:g},side={SIDE}")
    cost = Cost(cpu_s_per_minute=9, memory_mb=350)
    sampling = Sampling(RATE_HZ, SIDE)

    def watch(self, media: Media, segment: Span) -> TextWatcher:
        """Start on a segment."""
        return TextWatcher(segment, self.producer)

    def join(self, left: Observation, right: Observation) -> Observation | None:
        """Return one sign cut in two as one: the same words in the same place, without a gap."""
        if left.span.end < right.span.start or left.data.get("kind") != right.data.get("kind"):
            return None
        if not same_text(left.text, right.text) or not left.track or not right.track:
            return None
        if overlap(left.track[-1][1], right.track[0][1]) < 0.5:
            return None
        better = left if left.confidence >= right.confidence else right
        span, track = left.span.hull(right.span), (*left.track, *right.track)
        return replace(better, span=span, track=track, vector=None, id=None)


@dataclass(slots=True)
class TextWatcher:
    """Reads one segment."""

    segment: Span
    producer: Producer
    gate: Gate = field(default_factory=Gate)
    live: list[Track] = field(default_factory=list)
    done: list[Track] = field(default_factory=list)
    looks: deque[tuple[Instant, np.ndarray]] = field(default_factory=lambda: deque(maxlen=KEPT_LOOKS))

    def see(self, frame: Frame) -> None:
        """Look at a frame: know the known lines again, and read where something is new."""
        grey = cv2.cvtColor(frame.image, cv2.COLOR_RGB2GRAY)
        time = max(frame.time, self.segment.start)
        errand = self.gate.errand(grey, time)
        lost = [track for track in self.live if not self._know_again(track, grey, time)]
        if errand is not None:
            lost = self._read(frame.image, grey, time, errand, lost)
        for track in lost:
            if not self._spell_again(track, frame.image, grey, time):
                track.missed_at(time)
        self.done += [track for track in self.live if track.looks_missed >= GONE_AFTER]
        self.live = [track for track in self.live if track.looks_missed < GONE_AFTER]
        self.looks.append((time, grey))

    def _know_again(self, track: Track, grey: np.ndarray, time: Instant) -> bool:
        if track.patch.stays(grey):
            track.seen_at(time, track.box)
            return True
        if (place := track.patch.find(grey)) is None:
            return False
        shift = np.array(place) - (track.patch.left, track.patch.top)
        track.quad = track.quad + shift.astype(np.float32)
        track.patch.left, track.patch.top = place
        track.seen_at(time, box_of(track.quad, track.size))
        return True

    def _read(
        self, image: Image, grey: np.ndarray, time: Instant, errand: Errand, lost: list[Track]
    ) -> list[Track]:
        left, top, right, bottom = pixels_of(errand.region, grey.shape[:2])
        part = image[top:bottom, left:right]
        quads = [quad + np.array([left, top], np.float32) for quad in detect(part, errand.scale)]
        known = [track.box for track in self.live if track.seen == time]
        fresh = [quad for quad in quads if not _covered(box_of(quad, grey.shape[:2]), known)]
        for line in read_quads(image, fresh):
            if (track := self._match(line, lost)) is None:
                track = start_track(line, image, grey, time)
                track.start = self._appeared(track, time)
                self.live.append(track)
            else:
                lost = [other for other in lost if other is not track]
                _reread(track, line, image, grey, time)
        return lost

    def _match(self, line: Line, lost: list[Track]) -> Track | None:
        near = [
            track for track in lost if overlap(track.box, line.box) > 0.3 and same_text(track.text, line.text)
        ]
        return max(near, key=lambda track: track.box.iou(line.box), default=None)

    def _spell_again(self, track: Track, image: Image, grey: np.ndarray, time: Instant) -> bool:
        text, confidence = spell([crop(image, track.quad)])[0]
        if not believable(text, confidence) or not same_text(text, track.text):
            return False
        _reread(track, Line(text, confidence, track.box, track.quad), image, grey, time)
        return True

    def _appeared(self, track: Track, time: Instant) -> Instant:
        start = time
        for earlier, grey in reversed(self.looks):
            if not track.patch.stays(grey):
                break
            start = earlier
        return start

    def finish(self) -> list[Observation]:
        """Return each line and each block of lines."""
        tracks = [track for track in (*self.done, *self.live) if self._end(track) > track.start]
        lines = [self._observe(track) for track in tracks]
        aspect = tracks[0].size[1] / tracks[0].size[0] if tracks else 1.0
        return sorted([*lines, *_blocks(lines, aspect)], key=lambda seen: (seen.span, seen.track[0][1].y))

    def _end(self, track: Track) -> Instant:
        return track.missed if track.missed is not None else self.segment.end

    def _observe(self, track: Track) -> Observation:
        colour, background = ink_colours(track.best) if track.best is not None else (None, None)
        height = float(np.linalg.norm(track.quad[0] - track.quad[3])) / track.size[0]
        return Observation(
            span=Span(track.start, self._end(track)),
            modality="text",
            producer=self.producer,
            text=track.text,
            confidence=round(track.confidence[track.text], 4),
            track=tuple(track.path),
            data={
                "kind": "line",
                "height": round(height, 4),
                "colour": colour,
                "background": background,
                "lines": [track.text],
            },
        )


def _covered(box: Box, known: list[Box]) -> bool:
    return any(box.iou(other) > 0.5 for other in known)


def _reread(track: Track, line: Line, image: Image, grey: np.ndarray, time: Instant) -> None:
    track.quad, track.patch = line.quad, Patch.of(image, grey, line.quad)
    track.read(line, crop(image, line.quad))
    track.seen_at(time, line.box)


def _blocks(lines: list[Observation], aspect: float) -> list[Observation]:
    """Join lines that stand together while they are shown together (their spans agree by half)."""
    groups: list[list[Observation]] = []
    for members in blocks([line.track[0][1] for line in lines], aspect):
        left = [lines[n] for n in members]
        while left:
            together = [line for line in left if line.span.iou(left[0].span) >= 0.5]
            left = [line for line in left if line not in together]
            if len(together) > 1:
                groups.append(together)
    return [_block(group) for group in groups]


def _block(group: list[Observation]) -> Observation:
    words = [line.text for line in group]
    box = hull(line.track[0][1] for line in group)
    span = Span(max(line.span.start for line in group), min(line.span.end for line in group))
    return replace(
        group[0],
        span=span,
        text=" ".join(words),
        confidence=min(line.confidence for line in group),
        track=((span.start, box),),
        data={**group[0].data, "kind": "block", "lines": words},
    )
