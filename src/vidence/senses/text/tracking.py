"""Follow written lines from look to look: one sign is one track, however often it is read."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from typing import TYPE_CHECKING

import cv2
import numpy as np

from vidence.senses.language import normalise
from vidence.senses.observation import Box
from vidence.senses.text.ink import ink_mask
from vidence.senses.text.line import Line
from vidence.senses.text.models import crop

if TYPE_CHECKING:
    from vidence.media.frame import Image
    from vidence.timeline import Instant

SAME_TEXT = 0.6  # similarity of two readings of one line; different lines of one place lie below 0.45
INK_STAYS = 40  # grey levels by which a pixel of ink may change
INK_SHARE = 0.85  # of the ink that must stay
TINY_PX = 14  # of line height: below it a doubtful reading of digits is mostly wrong
MATCH = 0.8  # normalised cross-correlation at which a patch is the same line, moved


@dataclass(slots=True)
class Patch:
    """How a line looks, to know it again without reading: its upright surroundings and which pixels are ink."""

    grey: np.ndarray  # shape (H, W)
    ink: np.ndarray  # bool, shape (H, W)
    left: int
    top: int

    @classmethod
    def of(cls, image: Image, grey: np.ndarray, quad: np.ndarray) -> Patch:
        """Take the patch around a quad (pixels of both pictures, RGB and grey)."""
        height, width = grey.shape
        left, top = np.clip(np.floor(quad.min(axis=0)).astype(int), 0, [width - 2, height - 2]).tolist()
        right, bottom = np.clip(
            np.ceil(quad.max(axis=0)).astype(int), [left + 2, top + 2], [width, height]
        ).tolist()
        own = grey[top:bottom, left:right].copy()
        return cls(own, _even_ink(own, ink_mask(image[top:bottom, left:right])), left, top)

    def stays(self, grey: np.ndarray) -> bool:
        """Say whether the line stands unmoved in a later picture, on whatever ground.

        The ink must keep its brightness, each character its own, and still be told from the ground next to it.
        """
        now = self._cut(grey, 0)
        if now is None or not self.ink.any():
            return False
        changed = cv2.absdiff(self.grey, now) >= INK_STAYS
        if changed[self.ink].mean() > 1 - INK_SHARE or self._one_changed(changed):
            return False
        return self._contrast(now) > 0.5 * self._contrast(self.grey)

    def _one_changed(self, changed: np.ndarray) -> bool:
        """Say whether some character changed: much of its ink, or its ground while most of the ground stands."""
        edges = range(0, changed.shape[1], max(changed.shape[0] // 2, 4))  # half a line height: one character
        ink = np.add.reduceat(self.ink.sum(axis=0), edges)
        lost = np.add.reduceat((changed & self.ink).sum(axis=0), edges)
        moved = np.add.reduceat(changed.mean(axis=0), edges) / np.diff([*edges, changed.shape[1]])
        still = float(np.median(moved)) < 0.02
        return bool((lost > 0.4 * ink)[ink >= 6].any() or (still and moved.max() > 0.1))

    def _contrast(self, grey: np.ndarray) -> float:
        ring = cv2.dilate(self.ink.astype(np.uint8), np.ones((5, 5), np.uint8)).astype(bool) & ~self.ink
        if not ring.any():
            return 0.0
        side = np.sign(float(self.grey[self.ink].mean()) - float(self.grey[ring].mean()))
        return float(side * (float(grey[self.ink].mean()) - float(grey[ring].mean())))

    def find(self, grey: np.ndarray) -> tuple[int, int] | None:
        """Look for the moved line nearby (up to two line heights); returns its new (left, top) or None."""
        reach = min(2 * self.grey.shape[0], 64)
        now = self._cut(grey, reach)
        if now is None or now.shape[0] < self.grey.shape[0] or now.shape[1] < self.grey.shape[1]:
            return None
        _, best, _, (x, y) = cv2.minMaxLoc(cv2.matchTemplate(now, self.grey, cv2.TM_CCOEFF_NORMED))
        if best < MATCH or not self._alike(now[y : y + self.grey.shape[0], x : x + self.grey.shape[1]]):
            return None
        return max(self.left - reach, 0) + x, max(self.top - reach, 0) + y

    def _alike(self, now: np.ndarray) -> bool:
        """Say whether each stretch of one line height correlates, too: a changed digit in a long line would hide."""
        height, width = self.grey.shape
        for left in range(0, max(width - height // 2, 1), height):
            columns = slice(left, min(left + height, width))
            if (
                cv2.matchTemplate(now[:, columns], self.grey[:, columns], cv2.TM_CCOEFF_NORMED)[0, 0]
                < MATCH - 0.1
            ):
                return False
        return True

    def _cut(self, grey: np.ndarray, reach: int) -> np.ndarray | None:
        height, width = self.grey.shape
        if grey.shape[0] < self.top + height or grey.shape[1] < self.left + width:
            return None
        return grey[
            max(self.top - reach, 0) : self.top + height + reach,
            max(self.left - reach, 0) : self.left + width + reach,
        ]


@dataclass(slots=True)
class Track:
    """One line through time. `quad` is where it was last seen; `missed` the first look since then without it."""

    start: Instant
    quad: np.ndarray
    patch: Patch
    size: tuple[int, int]
    seen: Instant
    missed: Instant | None = None
    looks_missed: int = 0
    votes: dict[str, float] = field(default_factory=dict)
    confidence: dict[str, float] = field(default_factory=dict)
    path: list[tuple[Instant, Box]] = field(default_factory=list)
    readings: dict[str, int] = field(default_factory=dict)
    looks: int = 0
    best: Image | None = None  # the crop of the surest reading, for its colours

    @property
    def text(self) -> str:
        """The reading with the most votes; readings that differ in spaces alone first vote together."""
        together: dict[str, float] = defaultdict(float)
        for text, vote in self.votes.items():
            together[_squeezed(text)] += vote
        return max(self.votes, key=lambda text: (together[_squeezed(text)], self.votes[text]))

    @property
    def sureness(self) -> float:
        """Confidence of the reading with the most votes."""
        return self.confidence[self.text]

    @property
    def box(self) -> Box:
        """Where it was last seen."""
        return self.path[-1][1]

    def read(self, line: Line, cut: Image) -> None:
        """Count a reading. A sure one weighs many doubtful ones: 0.99 counts 33, 0.9 counts 8, 0.7 counts 3."""
        before = self.text if self.votes else ""
        if len(line.text) < len(before) and _squeezed(line.text) in _squeezed(before):
            return  # something covers a part of it
        if before and line.text.startswith(before):  # it is being typed, or fading in: the longer counts
            self.votes = {before: 0.0}
        if line.confidence >= max(self.confidence.values(), default=0.0):
            self.best = cut
        self.votes[line.text] = self.votes.get(line.text, 0.0) + 1 / (1.02 - min(line.confidence, 1.0))
        self.readings[line.text] = self.readings.get(line.text, 0) + 1
        self.confidence[line.text] = max(self.confidence.get(line.text, 0.0), line.confidence)

    def seen_at(self, time: Instant, box: Box) -> None:
        """Note that the line is there. Of a line that stands still only the first and last place are kept."""
        self.seen, self.missed, self.looks_missed = time, None, 0
        self.looks += 1
        if len(self.path) >= 2 and _near(self.path[-1][1], box) and _near(self.path[-2][1], box):
            self.path[-1] = (time, box)
        else:
            self.path.append((time, box))

    def missed_at(self, time: Instant) -> None:
        """Note a look that did not show the line."""
        self.missed = self.missed if self.missed is not None else time
        self.looks_missed += 1


def _even_ink(grey: np.ndarray, ink: np.ndarray) -> np.ndarray:
    """Keep the ink of the letters' own brightness: bright spots of a textured ground are no ink."""
    if not ink.any() or ink.all():
        return ink
    bright = grey[ink].mean() > grey[~ink].mean()
    full = np.percentile(grey[ink], 80 if bright else 20)
    even = ink & (np.abs(grey - full) < INK_STAYS)
    return even if even.sum() >= 20 else ink


def _squeezed(text: str) -> str:
    return "".join(text.split()).casefold()


def _near(a: Box, b: Box) -> bool:
    return max(abs(a.x - b.x), abs(a.y - b.y), abs(a.w - b.w), abs(a.h - b.h)) < 0.004


def same_text(a: str, b: str) -> bool:
    """Say whether two readings may be of one line. Sure digits that differ are another line: 12:30 is not 12:31."""
    plain_a, plain_b = normalise(a).replace(" ", ""), normalise(b).replace(" ", "")
    if plain_a == plain_b:
        return True
    digits_a, digits_b = ("".join(c for c in text if c.isdigit()) for text in (plain_a, plain_b))
    if digits_a and digits_b and digits_a != digits_b and len(digits_a) == len(digits_b):
        return False
    if plain_a.startswith(plain_b) or plain_b.startswith(plain_a):
        return min(len(plain_a), len(plain_b)) >= 2
    return SequenceMatcher(None, plain_a, plain_b, autojunk=False).ratio() >= SAME_TEXT


def overlap(a: Box, b: Box) -> float:
    """Share of the smaller box that lies inside the other, 0 to 1."""
    w = min(a.x + a.w, b.x + b.w) - max(a.x, b.x)
    h = min(a.y + a.h, b.y + b.h) - max(a.y, b.y)
    small = min(a.area, b.area)
    return max(w, 0.0) * max(h, 0.0) / small if small > 0 else 0.0


def credible(track: Track) -> bool:
    """Say whether a whole track is likely writing.

    A texture taken for writing reads differently each time, and never surely; a glyph alone is most often an icon.
    """
    letters = sum(c.isalnum() for c in track.text)
    if letters <= 2:
        return (
            track.sureness >= (0.95 if track.text.isascii() else 0.99)
            and track.looks >= 2
            and track.box.h < 0.5
        )
    if track.box.h * track.size[0] < TINY_PX:
        return track.sureness >= 0.9
    return track.sureness >= 0.85 or track.readings[track.text] >= 2


def start_track(line: Line, image: Image, grey: np.ndarray, time: Instant) -> Track:
    """Open a track on a line just read."""
    track = Track(time, line.quad, Patch.of(image, grey, line.quad), grey.shape[:2], time)
    track.read(line, crop(image, line.quad))
    track.seen_at(time, line.box)
    return track


def continue_track(track: Track, line: Line, image: Image, grey: np.ndarray, time: Instant) -> None:
    """Add a reading of the line a track follows, and follow it from where it was read."""
    track.quad, track.patch = line.quad, Patch.of(image, grey, line.quad)
    track.read(line, crop(image, line.quad))
    track.seen_at(time, line.box)
