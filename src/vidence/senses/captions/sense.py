"""Captions: what a moment shows, in a sentence. A picture is described anew when it has changed.

`Observation.text` is the caption, found by words and by meaning like any other text. `data`: {"model"}.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from vidence.senses.captions.captioner import Captioner
from vidence.senses.captions.florence import Florence
from vidence.senses.observation import Observation, Producer
from vidence.senses.sense import Cost, Sampling
from vidence.senses.stills import Stills
from vidence.timeline import Span, instant

if TYPE_CHECKING:
    from vidence.media import Frame, Media

PERIOD_S = 8  # a look every 8 s: at about 4 s of work a caption, half of real time at the worst
CHANGED = 12.0  # grey levels of 255, see `Stills`: from here on a picture is described anew


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


class CaptionWatcher:
    """Describes pictures that differ from the one described last; the others prolong it."""

    def __init__(self, captioner: Captioner, producer: Producer, segment: Span) -> None:
        self.captioner, self.producer, self.segment = captioner, producer, segment
        self.stills = Stills(captioner.caption, CHANGED)

    def see(self, frame: Frame) -> None:
        """Describe one frame if it has changed."""
        self.stills.see(frame)

    def finish(self) -> list[Observation]:
        """Return one observation a caption, each until the next."""
        return [
            Observation(
                span, "visual", self.producer, text=caption.text, confidence=round(caption.confidence, 3),
                data={"model": self.captioner.name},
            )
            for span, caption in self.stills.spans(self.segment, instant(PERIOD_S)) if caption.text
        ]  # fmt: skip
