"""Turn the tracks of lines into observations: one a line, and one more for lines that belong together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from vidence.senses.observation import Observation, Producer
from vidence.senses.text.ink import ink_colours
from vidence.senses.text.line import blocks, hull
from vidence.senses.text.tracking import Track, credible
from vidence.timeline import Instant, Span


def observe(tracks: Sequence[Track], segment: Span, producer: Producer) -> list[Observation]:
    """Return the credible lines of a segment and their blocks, in time order."""
    kept = [track for track in tracks if credible(track) and _end(track, segment) > track.start]
    lines = [_line(track, Span(track.start, _end(track, segment)), producer) for track in kept]
    aspect = kept[0].size[1] / kept[0].size[0] if kept else 1.0
    return sorted([*lines, *_blocks(lines, aspect)], key=lambda seen: (seen.span, seen.track[0][1].y))


def _end(track: Track, segment: Span) -> Instant:
    return track.missed if track.missed is not None else segment.end


def _line(track: Track, span: Span, producer: Producer) -> Observation:
    colour, background = ink_colours(track.best) if track.best is not None else (None, None)
    height = float(np.linalg.norm(track.quad[0] - track.quad[3])) / track.size[0]
    return Observation(
        span=span,
        modality="text",
        producer=producer,
        text=track.text,
        confidence=round(track.sureness, 4),
        track=tuple(track.path),
        data={
            "kind": "line",
            "height": round(height, 4),
            "colour": colour,
            "background": background,
            "lines": [track.text],
        },
    )


def _blocks(lines: list[Observation], aspect: float) -> list[Observation]:
    """Join lines that stand together and come and go together."""
    groups: list[list[Observation]] = []
    for members in blocks([line.track[0][1] for line in lines], aspect):
        left = [lines[n] for n in members]
        while left:
            together = [line for line in left if _together(left[0], line)]
            left = [line for line in left if line not in together]
            if len(together) > 1:
                groups.append(together)
    return [_block(group) for group in groups]


def _together(a: Observation, b: Observation) -> bool:
    shared = a.span.iou(b.span)
    return shared >= 0.95 or (shared >= 0.8 and a.data["colour"] == b.data["colour"])


def _block(group: list[Observation]) -> Observation:
    words = [line.text for line in group]
    span = Span(max(line.span.start for line in group), min(line.span.end for line in group))
    return replace(
        group[0],
        span=span,
        text=" ".join(words),
        confidence=min(line.confidence for line in group),
        track=((span.start, hull(line.track[0][1] for line in group)),),
        data={**group[0].data, "kind": "block", "lines": words},
    )
