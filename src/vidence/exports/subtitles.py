"""SubRip and WebVTT.

Written here and not through pysubs2, which reads `{...}` in a text as styling and drops it, and does not
escape what WebVTT reserves; what a sign or a speaker says must arrive letter for letter.
"""

from __future__ import annotations

import html
from collections.abc import Sequence
from fractions import Fraction

from vidence.printable import printable
from vidence.senses.observation import Observation
from vidence.timeline import Instant

SHORTEST_MS = 1  # a cue of no length is dropped by players


def to_srt(observations: Sequence[Observation]) -> str:
    """Write SubRip: one numbered cue an observation that has text; times before zero are moved to zero."""
    cues = [
        f"{number}\n{stamp(start, ',')} --> {stamp(end, ',')}\n{text.replace('-->', '->')}\n"
        for number, (start, end, text) in enumerate(_cues(observations), start=1)
    ]
    return "\n".join(cues)


def to_vtt(observations: Sequence[Observation]) -> str:
    """Write WebVTT: as `to_srt`, with `&`, `<` and `>` escaped as the format asks."""
    cues = [
        f"{stamp(start, '.')} --> {stamp(end, '.')}\n{html.escape(text, quote=False)}\n"
        for start, end, text in _cues(observations)
    ]
    return "\n".join(["WEBVTT\n", *cues])


def _cues(observations: Sequence[Observation]) -> list[tuple[int, int, str]]:
    """Return (start, end) in milliseconds and text without blank lines, which would end a cue early."""
    cues = []
    for observation in observations:
        text = "\n".join(line.strip() for line in printable(observation.text).splitlines() if line.strip())
        if text:
            start = _milliseconds(observation.span.start)
            cues.append((start, max(_milliseconds(observation.span.end), start + SHORTEST_MS), text))
    return sorted(cues, key=lambda cue: cue[:2])


def _milliseconds(time: Instant) -> int:
    """Round half up, as players compare whole milliseconds."""
    return max(0, int(time * 1000 + Fraction(1, 2)))


def stamp(milliseconds: int, mark: str) -> str:
    """Write HH:MM:SS with `mark` before the milliseconds; both formats want the hours always."""
    seconds, rest = divmod(milliseconds, 1000)
    minutes, second = divmod(seconds, 60)
    hour, minute = divmod(minutes, 60)
    return f"{hour:02d}:{minute:02d}:{second:02d}{mark}{rest:03d}"
