"""Follow faces through the picture. Nobody is identified: of a face only its place, time and size are kept.

Each observation is one tracked face: text "face", track its boxes, `data` {"detections": n, "height": its usual height
as a share of the picture, "best": seconds at which it was seen best}.
"""

from __future__ import annotations

from dataclasses import replace
from statistics import median
from typing import TYPE_CHECKING

from vidence.catalogue import digest
from vidence.senses.faces.cascade import LEAST_FACE, SIDE, detect
from vidence.senses.following import Followed, Follower, continues
from vidence.senses.observation import Observation, Producer
from vidence.senses.sense import Cost, Sampling
from vidence.senses.tracking import Sighting, colour_histogram
from vidence.timeline import Span

if TYPE_CHECKING:
    from vidence.media import Frame, Media

RATE_HZ = 1.0
FLOOR = 0.8  # score of the weakest boxes that may belong to a track
LEAST_SCORE = 0.95  # that one sighting of a track must reach
PATIENCE_S = 2.5
LEAST_SIGHTINGS = 2
WEIGHTS = ("mtcnn-pnet", "mtcnn-rnet", "mtcnn-onet")


class Faces:
    """Detect and track faces."""

    name = "faces"
    cost = Cost(cpu_s_per_minute=1.5, memory_mb=60)
    sampling = Sampling(rate_hz=RATE_HZ, max_side=SIDE, lead_s=1.0)

    def __init__(self) -> None:
        weights = "+".join(digest(name)[:12] for name in WEIGHTS)
        self.producer = Producer("faces", "1", weights, f"rate={RATE_HZ:g},side={SIDE},least={LEAST_FACE}")

    def watch(self, media: Media, segment: Span) -> FaceWatcher:
        """Start on a segment."""
        return FaceWatcher(self.producer, segment)

    def join(self, left: Observation, right: Observation) -> Observation | None:
        """Return one face when the right part goes on where the left one stood."""
        if not continues(left, right, PATIENCE_S):
            return None
        better = left if left.confidence >= right.confidence else right
        track = left.track + right.track
        data = {
            "detections": left.data["detections"] + right.data["detections"],
            "height": round(median(box.h for _, box in track), 3),
            "best": better.data["best"],
        }
        return replace(better, id=left.id, span=left.span.hull(right.span), track=track, data=data)


class FaceWatcher:
    """One segment's looks."""

    def __init__(self, producer: Producer, segment: Span) -> None:
        self._producer = producer
        self._follower = Follower(segment, PATIENCE_S)
        self._seen: list[Sighting] = []

    def see(self, frame: Frame) -> None:
        """Take the next frame."""
        if self._follower.notice(frame):
            self._seen = [
                Sighting("face", face.score, face.box, colour_histogram(frame.image, face.box))
                for face in detect(frame.image, floor=FLOOR)
            ]
        self._follower.take(self._seen)

    def finish(self) -> list[Observation]:
        """Return the faces that were confirmed, in time order."""
        return [
            self._observe(one)
            for one in self._follower.finish()
            if len(one.track.looks) >= LEAST_SIGHTINGS and one.track.best >= LEAST_SCORE
        ]

    def _observe(self, followed: Followed) -> Observation:
        looks = followed.track.looks
        scores = sorted((seen.score for _, seen in looks), reverse=True)[:3]
        # a thing that is a face once in a while is a texture; a face that turns away is missed for some looks
        steady = min(1.0, len(looks) / 3)
        return Observation(
            span=followed.span,
            modality="visual",
            producer=self._producer,
            text="face",
            confidence=round((sum(scores) / len(scores)) * (0.6 + 0.35 * steady), 3),
            track=followed.path,
            data={
                "detections": len(followed.path),
                "height": round(median(box.h for _, box in followed.path), 3),
                "best": round(max(looks, key=lambda look: look[1].score * look[1].box.area)[0], 3),
            },
        )
