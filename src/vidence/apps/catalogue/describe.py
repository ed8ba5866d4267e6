"""Put together what is told of each shot of a video."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from vidence.apps.catalogue.content import people_of, sound_of, things_of
from vidence.apps.catalogue.flaws import flaws_of, sharpness_of
from vidence.apps.catalogue.light import light_of, page_of, place_of
from vidence.apps.catalogue.movement import movement_of
from vidence.apps.catalogue.size import size_of
from vidence.apps.catalogue.trait import ShotRecord
from vidence.senses.picture import Sample, samples
from vidence.timeline import Span

if TYPE_CHECKING:
    from vidence.media import MediaInfo
    from vidence.memory import Coverage
    from vidence.senses.observation import Observation

WORTH_READING = 0.6  # confidence of what is written
MOST_LAYOUTS = 64  # of one shot


@dataclass(frozen=True, slots=True)
class Known:
    """All that the senses perceived of a video, ready to be asked shot by shot."""

    seen: list[Observation]
    samples: list[Sample]
    coverage: Coverage
    info: MediaInfo

    def within(self, shot: Span) -> list[Observation]:
        """Return what overlaps a shot by more than its edge."""
        least = min(shot.duration / 4, shot.duration.__class__(1, 10))
        found = []
        for o in self.seen:
            if o.span.start >= shot.end:
                break  # in order of time
            inside = o.span.intersection(shot)
            if inside is not None and (inside.duration > least or o.span.duration <= least * 2):
                found.append(o)
        return found


def known(seen: Sequence[Observation], coverage: Coverage, info: MediaInfo) -> Known:
    """Gather what was perceived."""
    ordered = sorted((o for o in seen if o.sense not in ("picture", "shots")), key=lambda o: o.span)
    return Known(ordered, samples([o for o in seen if o.sense == "picture"]), coverage, info)


def shots_of(seen: Sequence[Observation], whole: Span) -> list[Span]:
    """Return the shots in order of time; all of it is one where none are known."""
    spans = sorted(o.span for o in seen if o.sense == "shots" and o.span.duration)
    return spans or [whole]


def describe(number: int, shot: Span, of: Known) -> ShotRecord:
    """Tell all that can be told of one shot."""
    seen, video = of.within(shot), of.info.video
    taken = _taken(of.samples, shot)
    text = [
        o
        for o in seen
        if o.sense == "text" and o.data.get("kind") != "block" and o.confidence >= WORTH_READING
    ]
    speech = [o for o in seen if o.sense == "speech" and o.text and shot.start <= o.span.middle < shot.end]
    traits = [*sound_of(shot, seen, recorded=bool(of.info.audio))]
    vector, space = None, ""
    if video is not None:
        looked = max(of.coverage.seen(shot, "objects"), of.coverage.seen(shot, "faces")) > 0.9
        size = size_of(shot, seen, video.width / video.height)
        flaws = flaws_of(shot, seen, taken, len(text))
        if any(flaw.value == "black" for flaw in flaws):
            traits += flaws
        else:
            page = page_of(shot, text, seen)
            traits = [
                *([size] if size and not page else []), *movement_of(shot, seen), *people_of(shot, seen, looked=looked),
                *things_of(shot, seen), *([page] if page else place_of(shot, seen)), *light_of(shot, seen, taken),
                *traits, *flaws,
            ]  # fmt: skip
        vector, space = _looks(seen, shot)
    layouts = np.stack([one.layout for one in _few(taken)]) if taken else None
    return ShotRecord(
        number, shot, tuple(traits), (), tuple(speech), tuple(text),
        sharpness=sharpness_of(taken), vector=vector, space=space, layouts=layouts,
    )  # fmt: skip


def _taken(found: Sequence[Sample], shot: Span) -> list[Sample]:
    """Return the samples within a shot; where it is shorter than their distance, none."""
    times = [one.time for one in found]
    low, high = bisect_left(times, shot.start), bisect_left(times, shot.end)
    inside = list(found[low:high])
    return inside[1:] if len(inside) > 3 else inside  # the first may still be mixed with the shot before


def _few(found: Sequence[Sample]) -> list[Sample]:
    step = max(-(-len(found) // MOST_LAYOUTS), 1)
    return list(found[::step])


def _looks(seen: Sequence[Observation], shot: Span) -> tuple[np.ndarray | None, str]:
    """Return the mean of what the moments of a shot look like, each by its time in it."""
    parts = [(o, o.span.intersection(shot)) for o in seen if o.sense == "looks" and o.vector is not None]
    weighted = [(o, float(inside.duration)) for o, inside in parts if inside is not None and inside.duration]
    if not weighted:
        return None, ""
    mean = np.sum([np.asarray(o.vector) * weight for o, weight in weighted], axis=0)
    return (mean / max(float(np.linalg.norm(mean)), 1e-9)).astype(np.float32), str(
        weighted[0][0].data.get("space", "")
    )
