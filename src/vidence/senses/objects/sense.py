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
from vidence.senses.following import Followed, Follower, continues
from vidence.senses.objects.belief import LEAST_SCORE, confirmed, judge
from vidence.senses.objects.coco import kin
from vidence.senses.objects.detectors import Detection, load
from vidence.senses.objects.look import FIRST, SECOND, Seen, pair
from vidence.senses.objects.path import crossed, direction
from vidence.senses.observation import Observation, Producer
from vidence.senses.sense import Cost, Sampling
from vidence.senses.tracking import Sighting, Track, colour_histogram, middle
from vidence.timeline import Span

if TYPE_CHECKING:
    from vidence.media import Frame, Image, Media

RATE_HZ = 2.0
SIDE = 416
FLOOR = 0.25  # score of the weakest boxes that may belong to a track
PATIENCE_S = 2.0
ASK_LATEST_S = 6.0  # the second detector looks at least this often, for what the first does not see
ASK_EVERY_S, ASK_AHEAD = 4.0, 4  # on the whole not more often than this, but some looks may be had in advance
KNOWN_IOU = 0.3  # a box that overlaps a thing already asked about by this is no news
PIXELS = 150  # of each sighting that are kept to name its colours
LEAST_SHARE = 0.08  # of a thing that a colour must cover to be told


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
        same = kin(left.data["label"], right.data["label"]) and continues(left, right, PATIENCE_S)
        return _merge(left, right) if same else None


class ObjectWatcher:
    """One segment's looks."""

    def __init__(self, sense: Objects, segment: Span) -> None:
        self._sense = sense
        self._follower = Follower(segment, PATIENCE_S, kin)
        self._asked: list[float] = []  # when the second detector looked
        self._pixels: dict[int, np.ndarray] = {}  # by id of the sighting, which the tracks keep alive
        self._times_s: list[float] = []
        self._mine: list[Detection] = []
        self._seen: list[Seen] = []

    def see(self, frame: Frame) -> None:
        """Take the next frame."""
        time_s = float(frame.time)
        changed = self._follower.notice(frame)
        if changed or not self._times_s:
            self._mine = load(self._sense.first)(frame.image, FLOOR)
            self._seen = pair(self._mine, None)
        self._times_s.append(time_s)
        if self._sense.second and self._second_is_due(time_s):
            self._asked.append(time_s)
            self._seen = pair(self._mine, load(self._sense.second)(frame.image, FLOOR))
        self._follower.take([self._sighting(one, frame.image) for one in self._seen])

    def finish(self) -> list[Observation]:
        """Return the things that were confirmed, in time order."""
        return [self._observe(one) for one in self._follower.finish() if confirmed(one.track)]

    def _second_is_due(self, time_s: float) -> bool:
        """Ask now and then, and at once about something new, but on the whole at most once in `ASK_EVERY_S`."""
        if not self._asked or time_s - self._asked[-1] >= ASK_LATEST_S:
            return True
        earned = (time_s - self._times_s[0]) / ASK_EVERY_S + ASK_AHEAD - len(self._asked)
        if earned < 1:
            return False
        alive = self._follower.tracker.alive
        heard = [track.last.box for track in alive if track.first_s <= self._asked[-1]]
        return any(
            one.score >= LEAST_SCORE and all(one.box.iou(box) < KNOWN_IOU for box in heard)
            for one in self._mine
        )

    def _sighting(self, seen: Seen, image: Image) -> Sighting:
        score = max(seen.first, seen.second or 0.0)
        sighting = Sighting(seen.name, score, seen.box, colour_histogram(image, seen.box), seen.votes)
        pixels = middle(image, seen.box, 0.5).reshape(-1, 3)
        self._pixels[id(sighting)] = pixels[:: max(1, len(pixels) // PIXELS)]
        return sighting

    def _observe(self, followed: Followed) -> Observation:
        track, path = followed.track, [(float(time), box) for time, box in followed.path]
        witnesses = self._witnesses(track)
        label, chance = judge(track, witnesses["asked"] if self._sense.second else None)
        return Observation(
            span=followed.span,
            modality="visual",
            producer=self._sense.producer,
            text=label,
            confidence=round(chance, 3),
            track=followed.path,
            data={
                "label": label,
                "colours": self._colours(track),
                "enters": crossed(path, 1 / RATE_HZ, entering=True) if followed.came else None,
                "leaves": crossed(path, 1 / RATE_HZ, entering=False) if followed.went else None,
                "direction": direction(path),
                "detections": len(path),
                "witnesses": witnesses,
            },
        )

    def _witnesses(self, track: Track) -> dict[str, int]:
        votes = [one.votes for _, one in track.looks]
        return {
            "first": sum("first" in vote for vote in votes),
            "second": sum("second" in vote for vote in votes),
            "both": sum(len(vote) == 2 for vote in votes),
            "asked": sum(track.first_s <= time_s <= track.last_s for time_s in self._asked),
        }

    def _colours(self, track: Track) -> list[list[Any]]:
        from vidence.senses.colour_names import name_colours

        best = sorted((one for _, one in track.looks), key=lambda one: -one.score)[:6]
        named = name_colours(np.concatenate([self._pixels[id(one)] for one in best]))
        return [[name, round(share, 2)] for name, share in named[:4] if share >= LEAST_SHARE]


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
