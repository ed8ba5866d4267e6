"""Follow things from look to look: detections become tracks by optimal assignment, and one look alone proves nothing.

Each look, every track foretells where its thing is (constant velocity), and tracks and detections are paired at least
cost: overlap, distance between centres, colours, and whether the labels agree. A track that misses a few looks is kept
waiting, and the gap is bridged when the thing comes back.

Times are float seconds from any zero; boxes are fractions of the picture. Pairing: the optimal assignment of Crouse
2016, as in SciPy. The design follows SORT (Bewley et al. 2016), with colours, for looks as rare as one a second.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from vidence.senses.observation import Box

OVERLAP, DISTANCE, COLOUR, LABEL = 1.0, 1.0, 0.6, 0.4  # weights of the four costs
UNPAIRED = (
    1.45  # a pair dearer than this is no pair: boxes apart by more than their own size, of other colours
)
REACH_S = 0.35  # picture widths a thing may move in a second beyond what was foretold


@dataclass(frozen=True, slots=True, eq=False)
class Sighting:
    """One detection in one look; `colours`: a histogram that sums to one; `votes`: who called it what, how surely."""

    label: str
    score: float
    box: Box
    colours: np.ndarray | None = field(default=None, repr=False)
    votes: Mapping[str, tuple[str, float]] = field(default_factory=dict)


@dataclass(slots=True, eq=False)
class Track:
    """One thing followed: its sightings in time order."""

    looks: list[tuple[float, Sighting]] = field(default_factory=list)

    @property
    def first_s(self) -> float:
        """Time of the first sighting."""
        return self.looks[0][0]

    @property
    def last_s(self) -> float:
        """Time of the last sighting."""
        return self.looks[-1][0]

    @property
    def last(self) -> Sighting:
        """The last sighting."""
        return self.looks[-1][1]

    @property
    def best(self) -> float:
        """The highest score."""
        return max(seen.score for _, seen in self.looks)

    @property
    def label(self) -> str:
        """The kind with the highest sum of scores."""
        sums: dict[str, float] = {}
        for _, seen in self.looks:
            sums[seen.label] = sums.get(seen.label, 0.0) + seen.score
        return max(sorted(sums), key=lambda label: sums[label])

    def foretell(self, time_s: float) -> Box:
        """Return where the thing should be, moving on as between its last two sightings, for at most a second."""
        box = self.last.box
        if len(self.looks) < 2:
            return box
        before_s, before = self.looks[-2]
        step_s = self.last_s - before_s
        if step_s <= 0:
            return box
        ahead = min(time_s - self.last_s, 1.0) / step_s
        (x0, y0), (x1, y1) = before.box.centre, box.centre
        return Box(box.x + (x1 - x0) * ahead, box.y + (y1 - y0) * ahead, box.w, box.h)


@dataclass(slots=True)
class Tracker:
    """Pairs looks with tracks. `patience_s`: how long an unseen thing is waited for; `kin`: which labels may be one."""

    patience_s: float
    kin: Callable[[str, str], bool] = str.__eq__
    done: list[Track] = field(default_factory=list)
    alive: list[Track] = field(default_factory=list)

    def look(self, time_s: float, sightings: Sequence[Sighting]) -> None:
        """Take what one look shows. Any sighting may begin a track; whoever reads the tracks judges them."""
        self._retire(time_s)
        pairs = self._pair(time_s, sightings)
        for row, column in pairs:
            self.alive[row].looks.append((time_s, sightings[column]))
        paired = {column for _, column in pairs}
        self.alive += [Track([(time_s, seen)]) for i, seen in enumerate(sightings) if i not in paired]

    def cut(self) -> None:
        """End all tracks: the picture has changed as a whole."""
        self.done += self.alive
        self.alive = []

    def finish(self) -> list[Track]:
        """Return all tracks, by first sighting."""
        self.cut()
        return sorted(self.done, key=lambda track: track.first_s)

    def _retire(self, time_s: float) -> None:
        gone = [track for track in self.alive if time_s - track.last_s > self.patience_s]
        self.done += gone
        self.alive = [track for track in self.alive if time_s - track.last_s <= self.patience_s]

    def _pair(self, time_s: float, sightings: Sequence[Sighting]) -> list[tuple[int, int]]:
        if not self.alive or not sightings:
            return []
        from scipy.optimize import linear_sum_assignment

        costs = np.array([[self._cost(track, time_s, seen) for seen in sightings] for track in self.alive])
        rows, columns = linear_sum_assignment(np.minimum(costs, UNPAIRED))
        return [(int(r), int(c)) for r, c in zip(rows, columns, strict=True) if costs[r, c] < UNPAIRED]

    def _cost(self, track: Track, time_s: float, seen: Sighting) -> float:
        label = track.last.label
        if seen.label != label and not self.kin(seen.label, label):
            return math.inf
        gap_s = time_s - track.last_s
        box = track.foretell(time_s)
        apart = distance(box, seen.box)
        still = distance(track.last.box, seen.box)  # things also stop: the better of the two counts
        apart, overlap = min(apart, still), max(box.iou(seen.box), track.last.box.iou(seen.box))
        if overlap == 0 and apart > REACH_S * max(gap_s, 0.2) + 0.02:
            return math.inf
        size = math.sqrt(max(seen.box.area, track.last.box.area)) + REACH_S * gap_s / 2
        cost = OVERLAP * (1 - overlap) * 0.5 + DISTANCE * min(apart / size, 2.0)
        cost += COLOUR * colour_distance(track.last.colours, seen.colours)
        cost += LABEL * (seen.label != label) + 0.25 * abs(math.log(seen.box.area / track.last.box.area))
        return cost


def distance(one: Box, other: Box) -> float:
    """Distance between two centres, in picture sides."""
    (x0, y0), (x1, y1) = one.centre, other.centre
    return math.hypot(x1 - x0, y1 - y0)


def colour_distance(one: np.ndarray | None, other: np.ndarray | None) -> float:
    """Hellinger distance of two histograms, 0 to 1; 0.4, what chance gives, where one is not known."""
    if one is None or other is None:
        return 0.4
    return math.sqrt(max(0.0, 1.0 - float(np.sqrt(one * other).sum())))


def colour_histogram(image: np.ndarray, box: Box) -> np.ndarray:
    """Return the colours of the middle of a box: 8 hues × 3 saturations, and 8 greys; sums to one, 32 numbers."""
    import cv2

    pixels = middle(image, box)
    hsv = cv2.cvtColor(pixels, cv2.COLOR_RGB2HSV).reshape(-1, 3).astype(np.int32)
    grey = (hsv[:, 1] < 40) | (hsv[:, 2] < 40)  # of 255: hue means nothing there
    coloured = np.minimum(hsv[:, 0] * 8 // 180, 7) * 3 + np.minimum((hsv[:, 1] - 40) * 3 // 216, 2)
    bins = np.where(grey, 24 + hsv[:, 2] // 32, coloured)
    counts = np.bincount(bins, minlength=32).astype(np.float32)
    return counts / counts.sum()


def middle(image: np.ndarray, box: Box, share: float = 0.6) -> np.ndarray:
    """Cut the middle `share` (by side) of a box out of a picture; at least one pixel."""
    rows, columns = image.shape[:2]
    x, y = box.centre
    half_w, half_h = box.w * share / 2, box.h * share / 2
    left, right = int((x - half_w) * columns), math.ceil((x + half_w) * columns)
    top, bottom = int((y - half_h) * rows), math.ceil((y + half_h) * rows)
    left, top = min(max(left, 0), columns - 1), min(max(top, 0), rows - 1)
    return np.ascontiguousarray(image[top : max(bottom, top + 1), left : max(right, left + 1)])
