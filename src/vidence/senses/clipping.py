"""Sound that hits the ceiling: where samples stand at the largest value a file can hold, several in a row.

For applications: it is not among the default senses. One observation a stretch; text "sound clips"; `data`:
{"runs": how often it happens in it}.
"""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np

from vidence.senses.observation import Observation, Producer
from vidence.senses.sense import Cost
from vidence.timeline import Span, union

if TYPE_CHECKING:
    from vidence.media import Media

RATE_HZ = 48_000
CEILING = 0.985  # of full scale: coding and a change of rate bend a flat top a little
RUN = 4  # samples: a pure tone at 3 kHz stays as long there only when it is cut
EACH_S = Fraction(1, 2)  # one stretch a half second in which it happens


class Clipping:
    """Finds clipped sound."""

    name = "clipping"
    producer = Producer("clipping", "1", parameters=f"ceiling={CEILING},run={RUN}")
    cost = Cost(cpu_s_per_minute=0.2, memory_mb=30)

    def hear(self, media: Media, segment: Span) -> list[Observation]:
        """Return stretches of clipped sound in time order."""
        if not media.info.audio:
            return []
        start, sound = media.audio(segment, rate_hz=RATE_HZ)
        counts: dict[int, int] = {}
        for at in clipped_runs(sound):
            cell = at // int(RATE_HZ * EACH_S)
            counts[cell] = counts.get(cell, 0) + 1
        spans = union(Span(start + cell * EACH_S, start + (cell + 1) * EACH_S) for cell in counts)
        return [
            Observation(
                span.clipped(segment),
                "audio",
                self.producer,
                text="sound clips",
                data={"runs": sum(n for cell, n in counts.items() if start + cell * EACH_S in span)},
            )
            for span in spans
        ]

    def join(self, left: Observation, right: Observation) -> Observation | None:
        """Never join."""
        return None


def clipped_runs(sound: np.ndarray) -> list[int]:
    """Return the first sample of each run that stands at the ceiling, on one side."""
    found = []
    for side in (1, -1):
        high = np.concatenate([[False], side * sound >= CEILING, [False]])
        edges = np.flatnonzero(np.diff(high.astype(np.int8)))
        found += [int(a) for a, b in zip(edges[::2], edges[1::2], strict=True) if b - a >= RUN]
    return sorted(found)
