"""Follow things through the picture: detectors look twice a second, looks become tracks, tracks become observations.

Each observation is one tracked thing: text and data["label"] its kind (one of `coco.LABELS`), track its boxes. `data`:
{"label", "colours": [[name, share], ...] of the middle of the thing, "enters", "leaves": edge of the picture or null,
"direction": left, right, up, down, nearer, farther or still, "detections": n, "witnesses": {"first", "second", "both",
"asked": in how many looks each detector saw it, and in how many the second looked}}.

Two detectors that were trained apart look: the first always, the second now and then, because it costs twice as much.
What only one of them sees, look after look, is most often a false alarm that no amount of repetition makes true.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from vidence.catalogue import digest
from vidence.senses.objects.belief import believe, confirmed
from vidence.senses.objects.coco import kin
from vidence.senses.objects.detectors import Detection, load
from vidence.senses.objects.look import FIRST, SECOND, Seen, pair
from vidence.senses.objects.path import crossed, direction
from vidence.senses.observation import Box, Observation, Producer
from vidence.senses.sense import Cost, Sampling
from vidence.senses.tracking import Sighting, Track, Tracker, colour_histogram, middle
from vidence.timeline import Instant, Span

if TYPE_CHECKING:
    from vidence.media import Frame, Image, Media

RATE_HZ = 2.0
SIDE = 416
BIRTH, FLOOR = 0.4, 0.25  # scores at which a track may begin, and may go on
PATIENCE_S = 2.0
ASK_S, ASK_SOON_S = 6.0, 2.0  # the second detector looks this often, and this soon after something new
STILL_LEVELS = 5  # of 255: a thumbnail that changes less shows the same picture
CUT_LEVELS, CUT_COLOURS = 28, 0.3  # mean change of the thumbnail, and of the colours, that make a cut
PIXELS = 150  # of each sighting that are kept to name its colours


class Objects:
    """Detect and track things. `first` and `second` are catalogue entries; a strong detector needs no second."""

    name = "objects"
    cost = Cost(cpu_s_per_minute=4.0, memory_mb=250)

    def __init__(self, first: str = FIRST, second: str | None = SECOND) -> None:
        self.first, self.second = first, second
        side = 640 if first.startswith("dfine") else SIDE
        self.sampling = Sampling(rate_hz=RATE_HZ, max_side=side, lead_s=1.0)
        hashes = "+".join(digest(name)[:12] for name in (first, second) if name)
        names = "+".join(name for name in (first, second) if name)
        self.producer = Producer("objects", "1", hashes, f"detectors={names},rate={RATE_HZ:g},side={side}")

    def watch(self, media: Media, segment: Span) -> ObjectWatcher:
        """Start on a segment."""
        return ObjectWatcher(self, segment)

    def join(self, left: Observation, right: Observation) -> Observation | None:
        """Return one thing when the right part goes on where the left one stood, and is of its kind."""
        if not left.track or not right.track or not kin(left.data["label"], right.data["label"]):
            return None
        (before, here), (after, there) = left.track[-1], right.track[0]
        if abs(after - before) > 1.6 / RATE_HZ or not _continues(here, there):
            return None
        return _merge(left, right)


class ObjectWatcher:
    """One segment's looks."""

    def __init__(self, sense: Objects, segment: Span) -> None:
        self._sense, self._segment = sense, segment
        self._tracker = Tracker(PATIENCE_S, kin)
        self._times: list[Instant] = []
        self._asked: list[float] = []
        self._pixels: dict[int, np.ndarray] = {}  # by id of the sighting, which the tracks keep alive
        self._seen: list[Seen] = []
        self._thumb: np.ndarray | None = None

    def see(self, frame: Frame) -> None:
        """Take the next frame."""
        time_s = float(frame.time)
        thumb = _thumbnail(frame.image)
        if self._thumb is not None and _is_cut(self._thumb, thumb):
            self._tracker.cut()
        still = self._thumb is not None and int(np.abs(thumb - self._thumb).max()) < STILL_LEVELS
        ask = self._sense.second is not None and self._second_is_due(time_s)
        if not still or ask:
            self._seen, self._thumb = self._look(frame.image, ask), thumb
        if ask:
            self._asked.append(time_s)
        self._times.append(frame.time)
        sightings = [self._sighting(one, frame.image) for one in self._seen]
        self._tracker.look(time_s, sightings, [one.score >= BIRTH for one in sightings])

    def finish(self) -> list[Observation]:
        """Return the things that were confirmed, in time order."""
        found = [self._observe(track) for track in self._tracker.finish()]
        return sorted((one for one in found if one), key=lambda one: (one.span, one.text))

    def _look(self, image: Image, ask: bool) -> list[Seen]:
        mine: list[Detection] = load(self._sense.first)(image, FLOOR)
        theirs = load(self._sense.second)(image, FLOOR) if ask and self._sense.second else None
        return pair(mine, theirs)

    def _second_is_due(self, time_s: float) -> bool:
        if not self._asked or time_s - self._asked[-1] >= ASK_S:
            return True
        unheard = any(
            len(track.looks) >= 2 and track.first_s > self._asked[-1] for track in self._tracker.alive
        )
        return unheard and time_s - self._asked[-1] >= ASK_SOON_S

    def _sighting(self, seen: Seen, image: Image) -> Sighting:
        score = max(seen.first, seen.second or 0.0)
        witness = "both" if seen.first and seen.second else "first" if seen.first else "second"
        sighting = Sighting(seen.label, score, seen.box, colour_histogram(image, seen.box), witness)
        pixels = middle(image, seen.box, 0.5).reshape(-1, 3)
        self._pixels[id(sighting)] = pixels[:: max(1, len(pixels) // PIXELS)]
        return sighting

    def _observe(self, track: Track) -> Observation | None:
        looks = [(time, one) for time, one in self._exact(track) if time >= self._segment.start]
        if not looks or not confirmed(track):
            return None
        index = {time: number for number, time in enumerate(self._times)}
        first, last = index[looks[0][0]], index[looks[-1][0]]
        begins = self._times[first] if first > 0 else self._segment.start
        ends = self._times[last + 1] if last + 1 < len(self._times) else self._segment.end
        path = [(float(time), one.box) for time, one in looks]
        came = len(looks) == len(track.looks) and first > 0
        data = {
            "label": track.label,
            "colours": self._colours(track),
            "enters": crossed(path, 1 / RATE_HZ, entering=True) if came else None,
            "leaves": crossed(path, 1 / RATE_HZ, entering=False) if last + 1 < len(self._times) else None,
            "direction": direction(path),
            "detections": len(looks),
            "witnesses": self._witnesses(track),
        }
        return Observation(
            span=Span(begins, max(begins, ends)).clipped(self._segment),
            modality="visual",
            producer=self._sense.producer,
            text=track.label,
            confidence=round(believe(track, data["witnesses"]["asked"] if self._sense.second else None), 3),
            track=tuple((time, _rounded(one.box)) for time, one in looks),
            data=data,
        )

    def _exact(self, track: Track) -> list[tuple[Instant, Sighting]]:
        exact = {float(time): time for time in self._times}
        return [(exact[time_s], one) for time_s, one in track.looks]

    def _witnesses(self, track: Track) -> dict[str, int]:
        seen = [one.witness for _, one in track.looks]
        asked = sum(track.first_s <= time_s <= track.last_s for time_s in self._asked)
        return {
            "first": seen.count("first") + seen.count("both"),
            "second": seen.count("second") + seen.count("both"),
            "asked": asked,
        }

    def _colours(self, track: Track) -> list[list[Any]]:
        from vidence.senses.colour_names import name_colours

        best = sorted((one for _, one in track.looks), key=lambda one: -one.score)[:6]
        named = name_colours(np.concatenate([self._pixels[id(one)] for one in best]))
        return [[name, round(share, 2)] for name, share in named[:4] if share >= 0.08]


def _merge(left: Observation, right: Observation) -> Observation:
    track = left.track + right.track
    a, b = left.data["detections"], right.data["detections"]
    main = left if a * left.confidence >= b * right.confidence else right
    shares: dict[str, float] = {}
    for part, weight in ((left, a / (a + b)), (right, b / (a + b))):
        for name, share in part.data["colours"]:
            shares[name] = shares.get(name, 0.0) + share * weight
    colours = [[name, round(shares[name], 2)] for name in sorted(shares, key=lambda name: -shares[name])]
    witnesses = {
        key: left.data["witnesses"][key] + right.data["witnesses"][key] for key in left.data["witnesses"]
    }
    data = {
        "label": main.data["label"],
        "colours": colours[:4],
        "enters": left.data["enters"],
        "leaves": right.data["leaves"],
        "direction": direction([(float(time), box) for time, box in track]),
        "detections": a + b,
        "witnesses": witnesses,
    }
    return replace(
        left,
        span=left.span.hull(right.span),
        text=main.text,
        confidence=max(left.confidence, right.confidence),
        track=track,
        data=data,
    )


def _continues(here: Box, there: Box) -> bool:
    """Say whether a box may be the next look at another: the two overlap, or lie within half their size."""
    (x0, y0), (x1, y1) = here.centre, there.centre
    apart = max(abs(x1 - x0), abs(y1 - y0))
    return here.iou(there) > 0.2 or apart < 0.5 * max(here.w, here.h, there.w, there.h)


def _thumbnail(image: Image) -> np.ndarray:
    import cv2

    return cv2.resize(image, (64, 36), interpolation=cv2.INTER_AREA).astype(np.int16)


def _is_cut(before: np.ndarray, after: np.ndarray) -> bool:
    if np.abs(before - after).mean() < CUT_LEVELS:
        return False
    whole = Box(0.0, 0.0, 1.0, 1.0)
    one, other = (colour_histogram(thumb.astype(np.uint8), whole) for thumb in (before, after))
    return 1 - float(np.minimum(one, other).sum()) > CUT_COLOURS


def _rounded(box: Box) -> Box:
    return Box(round(box.x, 4), round(box.y, 4), round(box.w, 4), round(box.h, 4))
