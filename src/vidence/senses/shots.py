"""Where one shot ends and the next begins: hard cuts, dissolves, and fades through black, on exact frame times.

Each observation spans one shot (or the part of it inside the segment). `data`: {"cut": a real cut lies at its start,
"kind": "cut" | "dissolve" | "fade" | "start" (of the medium or the segment), "score": 0 to 1, how sure the cut is}.

Hard cuts are proposed by PySceneDetect's adaptive content detector, on every frame, and confirmed on thumbnails, which
know what the detector does not: flashes (the old picture comes back) and hue noise in darkness. Gradual changes are
found on the thumbnails alone (`gradual.py`). Every decision looks at most `REACH_S` to either side, so a cut near a
segment's edge is found from either segment alike and reported by the one that holds it.

Legend: N frames, Y X thumbnail rows and columns, C colour.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np

from vidence.senses.gradual import FADE_S, Cut, black_runs, dissolves, fades
from vidence.senses.observation import Observation, Producer
from vidence.senses.sense import Cost, Sampling
from vidence.timeline import Instant, Span

if TYPE_CHECKING:
    from vidence.media import Frame, Media

SIDE = (
    80  # px: a cut is plain at this size; 80 x 45 finds the very cuts that 160 x 90 finds, in half the time
)
REACH_S = 3  # no decision looks farther than this
DETECTOR = (80, 45)  # columns, rows
THUMB = (32, 18)
ADAPTIVE_RATIO = 3.0  # PySceneDetect's own default: three times the mean of the two neighbours on either side
LEAST_CONTENT = 8.0  # of 255, mean over H, S and V; low, because every proposal is confirmed
LEAST_CHANGE = 7.0  # of 255, mean over the thumbnail: what a real cut changes even between two dark pictures
FLASH_S = Fraction(2, 5)  # a picture that is back within this was lit, not left
SAME_SHARE = 0.4  # back: at most this share of the change remains
LEAST_SHOT_S = Fraction(1, 5)


class Shots:
    """Find shots and the cuts between them."""

    name = "shots"
    producer = Producer("shots", "1", parameters=f"side={SIDE},ratio={ADAPTIVE_RATIO},change={LEAST_CHANGE}")
    cost = Cost(cpu_s_per_minute=1.0, memory_mb=40)
    sampling = Sampling(rate_hz=None, max_side=SIDE, lead_s=float(REACH_S))

    def watch(self, media: Media, segment: Span) -> ShotWatcher:
        """Start on a segment."""
        return ShotWatcher(media, segment, self.producer)

    def join(self, left: Observation, right: Observation) -> Observation | None:
        """Return one shot when the right part does not begin with a cut."""
        if right.data.get("cut") or left.span.end != right.span.start:
            return None
        return replace(
            left, span=left.span.hull(right.span), confidence=min(left.confidence, right.confidence)
        )


@dataclass(slots=True)
class Film:
    """What is remembered of the frames seen: their times, thumbnails, and where the detector proposes cuts."""

    times: list[Instant]
    thumbs: list[np.ndarray]
    proposals: list[int]

    @property
    def thumbs_NYXC(self) -> np.ndarray:
        """All thumbnails, (N, 18, 32, 3) float32, 0 to 255."""
        return np.stack(self.thumbs).astype(np.float32)


class ShotWatcher:
    """Remembers one segment's frames as thumbnails, and decides at the end."""

    def __init__(self, media: Media, segment: Span, producer: Producer) -> None:
        from scenedetect.detectors import AdaptiveDetector

        self.media, self.segment, self.producer = media, segment, producer
        self.film = Film([], [], [])
        self._detector = AdaptiveDetector(ADAPTIVE_RATIO, min_scene_len=0, min_content_val=LEAST_CONTENT)

    def see(self, frame: Frame) -> None:
        """Take the next frame: any size, RGB."""
        import cv2
        from scenedetect.common import FrameTimecode, Timecode

        film, time = self.film, frame.time
        if film.times and time <= film.times[-1]:
            return
        film.times.append(time)
        film.thumbs.append(cv2.resize(frame.image, THUMB, interpolation=cv2.INTER_AREA))
        # The detector wants a rate beside the exact time; it is only used for frame numbers, which are not read.
        stamp = FrameTimecode(Timecode(time.numerator, Fraction(1, time.denominator)), fps=Fraction(25))
        # One fixed size, whatever the shape: the detector compares pixel by pixel, and a stream may change its size.
        rows, columns = frame.image.shape[:2]
        same = (columns, rows) == DETECTOR
        small = frame.image if same else cv2.resize(frame.image, DETECTOR, interpolation=cv2.INTER_AREA)
        bgr = cv2.cvtColor(small, cv2.COLOR_RGB2BGR)
        for found in self._detector.process_frame(stamp, bgr):
            film.proposals.append(bisect_left(film.times, found.pts * found.time_base))

    def finish(self) -> list[Observation]:
        """Return the segment's shots."""
        if not any(time in self.segment for time in self.film.times):
            return []
        if self._undecided():
            beyond = Span(self.segment.end, self.segment.end + REACH_S)
            for frame in self.media.frames(beyond, max_side=SIDE):
                self.see(frame)
        cuts = [cut for cut in find_cuts(self.film) if cut.time in self.segment]
        return list(self._shots(cuts))

    def _undecided(self) -> bool:
        """Say whether what comes after the segment could matter: the picture was still changing at its end."""
        if self.segment.end >= self.media.info.span.end:
            return False
        film = self.film
        late = bisect_left(film.times, self.segment.end - 1)
        first, last = film.thumbs[min(late, len(film.thumbs) - 1)], film.thumbs[-1]
        moved = np.abs(first.astype(np.int16) - last).mean() >= LEAST_CHANGE
        return bool(moved or last.mean() < 24 or any(at >= late for at in film.proposals))

    def _shots(self, cuts: Sequence[Cut]) -> list[Observation]:
        start = self.segment.start
        heads = [Cut(start, "start", 1.0)] + [cut for cut in cuts if cut.time > start]
        if cuts and cuts[0].time == start:
            heads[0] = cuts[0]
        ends = [cut.time for cut in heads[1:]] + [self.segment.end]
        shots = []
        for head, end in zip(heads, ends, strict=True):
            data = {"cut": head.kind != "start", "kind": head.kind, "score": round(head.score, 3)}
            span = Span(head.time, end)
            shots.append(Observation(span, "visual", self.producer, "shot", head.score, data=data))
        return shots


def find_cuts(film: Film) -> list[Cut]:
    """Return all cuts between the first and the last frame of a film, in time order."""
    thumbs = film.thumbs_NYXC
    dark = black_runs(film.times, thumbs)
    through = fades(film.times, dark)
    hard = [cut for cut in hard_cuts(film, thumbs) if not any(cut.time in run.span for run in dark)]
    slow = dissolves(
        film.times, thumbs, [Span(c.time, c.time) for c in hard] + [r.span.padded(FADE_S) for r in dark]
    )
    return thin(sorted([*hard, *slow, *through], key=lambda cut: cut.time))


def hard_cuts(film: Film, thumbs_NYXC: np.ndarray) -> list[Cut]:
    """Confirm the proposed cuts: the picture changes enough, and the old one does not come back at once."""
    cuts = []
    for at in film.proposals:
        if at == 0:
            continue
        change = float(_distance(thumbs_NYXC[at - 1], thumbs_NYXC[at]))
        if change >= LEAST_CHANGE and not _is_flash(film.times, thumbs_NYXC, at, change):
            cuts.append(Cut(film.times[at], "cut", float(1 - np.exp(-change / 15))))
    return cuts


def _is_flash(times: Sequence[Instant], thumbs_NYXC: np.ndarray, at: int, change: float) -> bool:
    """Say whether the picture before `at` is back soon after, or the one after was there shortly before."""
    after = thumbs_NYXC[at : bisect_left(times, times[at] + FLASH_S)]
    before = thumbs_NYXC[bisect_left(times, times[at - 1] - FLASH_S) : at]
    back = _distance(after, thumbs_NYXC[at - 1]).min()
    been = _distance(before, thumbs_NYXC[at]).min()
    return bool(min(back, been) <= SAME_SHARE * change)


def _distance(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Mean absolute difference over the last three axes."""
    return np.abs(a - b).mean(axis=(-3, -2, -1))


def thin(cuts: Sequence[Cut]) -> list[Cut]:
    """Drop a cut that has a stronger one within the shortest shot."""

    def beaten(cut: Cut, other: Cut) -> bool:
        near = cut is not other and abs(cut.time - other.time) < LEAST_SHOT_S
        return near and (other.score, -other.time) > (cut.score, -cut.time)

    return [cut for cut in cuts if not any(beaten(cut, other) for other in cuts)]
