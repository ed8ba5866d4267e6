"""Written text in the picture: signs, titles, labels, subtitles burned in, screens.

`Observation.data`: "kind" ("line", or "block" for lines that belong together, given besides them), "height" (of
one line, as a share of the picture), "colour" and "background" (names, or null), "lines" (the words of each line).
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from vidence.catalogue import digest
from vidence.senses.observation import Observation, Producer
from vidence.senses.sense import Cost, Sampling
from vidence.senses.text.models import DETECTOR, RECOGNISER
from vidence.senses.text.tracking import overlap, same_text
from vidence.senses.text.watcher import TextWatcher
from vidence.timeline import Span

if TYPE_CHECKING:
    from vidence.media import Media

RATE_HZ = 2.0
SIDE = 1280


class Text:
    """Reads what is written, line by line, and follows each line while it stays on screen."""

    name = "text"
    cost = Cost(cpu_s_per_minute=10, memory_mb=360)
    sampling = Sampling(RATE_HZ, SIDE)

    def __init__(self) -> None:
        hashes = digest(DETECTOR)[:6] + digest(RECOGNISER)[:6]
        self.producer = Producer("text", "1", hashes, f"rate={RATE_HZ:g},side={SIDE}")

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
