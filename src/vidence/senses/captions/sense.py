"""Captions: what a moment shows, in a sentence. A picture is described anew when it has changed.

`Observation.text` is the caption, found by words and by meaning like any other text. `data`: {"model"}.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from vidence.senses.captions.captioner import Caption, Captioner
from vidence.senses.captions.florence import Florence
from vidence.senses.observation import Observation, Producer
from vidence.senses.sense import Cost, Sampling
from vidence.timeline import Instant, Span, instant

if TYPE_CHECKING:
    from vidence.media import Frame, Image, Media

PERIOD_S = 8  # a look every 8 s: at about 4 s of work a caption, half of real time at the worst
THUMBNAIL = 16  # px a side
CHANGED = (
    12.0  # grey levels (of 255) that one of 16 x 16 cells must differ by for a picture to be described anew
)


class Captions:
    """Describes moments; `captioner` writes (default: Florence-2, of the standard tier)."""

    name = "captions"

    def __init__(self, captioner: Captioner | None = None) -> None:
        self.captioner: Captioner = Florence() if captioner is None else captioner
        who = self.captioner
        self.sampling = Sampling(rate_hz=1 / PERIOD_S, max_side=who.side)
        parameters = f"model={who.name},period={PERIOD_S},side={who.side}"
        self.producer = Producer("captions", who.version, weights=who.weights, parameters=parameters)
        self.cost = Cost(cpu_s_per_minute=60 / PERIOD_S * who.seconds, memory_mb=900)

    def watch(self, media: Media, segment: Span) -> CaptionWatcher:
        """Start on a segment."""
        return CaptionWatcher(self.captioner, self.producer, segment)

    def join(self, left: Observation, right: Observation) -> Observation | None:
        """Never join: of a picture that stands over a boundary, either segment has its own words."""
        return None


@dataclass(slots=True)
class CaptionWatcher:
    """Describes pictures that differ from the one described last; the others prolong it."""

    captioner: Captioner
    producer: Producer
    segment: Span
    found: list[tuple[Instant, Caption]] = field(default_factory=list)
    thumbnail: np.ndarray | None = None
    last_time: Instant | None = None

    def see(self, frame: Frame) -> None:
        """Describe one frame if it has changed."""
        self.last_time = frame.time
        thumbnail = _thumbnail(frame.image)
        if self.thumbnail is not None and np.abs(thumbnail - self.thumbnail).max() < CHANGED:
            return
        self.thumbnail = thumbnail
        self.found.append((frame.time, self.captioner.caption(frame.image)))

    def finish(self) -> list[Observation]:
        """Return one observation a caption, each until the next."""
        if self.last_time is None:
            return []
        last = max(min(self.last_time + instant(PERIOD_S), self.segment.end), self.last_time)
        ends = [time for time, _ in self.found[1:]] + [last]
        return [
            Observation(
                Span(time, end), "visual", self.producer, text=caption.text, confidence=round(caption.confidence, 3),
                data={"model": self.captioner.name},
            )
            for (time, caption), end in zip(self.found, ends, strict=True) if caption.text
        ]  # fmt: skip


def _thumbnail(image: Image) -> np.ndarray:
    import cv2

    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    return np.asarray(cv2.resize(grey, (THUMBNAIL, THUMBNAIL), interpolation=cv2.INTER_AREA), np.float32)
