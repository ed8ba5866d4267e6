"""Clues from counting: things that pass, things that stand together, events, shots."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from vidence.mcr.belief import Clue
from vidence.mcr.concepts import number_in
from vidence.mcr.evidence import Evidence
from vidence.mcr.situation import Situation
from vidence.policies.rules.tracks import Candidate, candidates
from vidence.senses.language import normalise
from vidence.senses.observation import Box, Observation
from vidence.timeline import Instant, Span, union

_PASSING = re.compile(
    r"\b(pass\w*|in total|altogether|cross\w*|enter\w*|appear\w*|drive\w*|walk\w*|come|go|different)\b", re.I
)
_SHOTS = re.compile(r"\b(shots?|cuts?|scenes?|camera (changes|angles))\b", re.I)
_SURE, _LOOKALIKE = 0.5, 0.8  # fit of a thing that others may be like; what the likeness is worth
_PLAIN, _ONE_SIZE = 0.6, 1.25  # share of its colour; ratio of widths and of heights
_ONE_PLACE = 0.3  # IoU of two sightings of one thing
MOST = 12
"""Largest number that open counting questions are answered with; above it the senses cannot be trusted to count."""


@dataclass(frozen=True, slots=True)
class Count:
    """An estimate: the number, how sure (0 to 1), what was counted."""

    number: int
    sure: float
    of: str
    evidence: tuple[Evidence, ...]


def count_clues(situation: Situation, options: Sequence[str]) -> list[Clue]:
    """Weigh options that are numbers by how far they lie from each estimate."""
    numbers = [number_in(option) for option in options]
    if situation.question.kind != "count" or all(n is None for n in numbers):
        return []
    clues = []
    for estimate in estimates(situation):
        for i, number in enumerate(numbers):
            if number is not None:
                off = abs(number - estimate.number)
                weight = estimate.sure * (3.0 if off == 0 else -1.0 * min(off, 3))
                evidence = estimate.evidence if off == 0 else ()
                clues.append(
                    Clue(i, weight, f"count of {estimate.of}", f"{estimate.of}: {estimate.number}", evidence)
                )
    return clues


def estimates(situation: Situation) -> list[Count]:
    """Count what the question asks for in each way that applies."""
    text = situation.question.text
    if _SHOTS.search(text):
        shots = situation.observations("shots")
        return [Count(len(shots), 0.9, "shots", tuple(situation.cite(s) for s in shots[:4]))] if shots else []
    written = _times_written(situation)
    if written is not None:
        return [written]
    if not situation.question.things and not situation.question.colours:
        return []  # what is not in the senses' vocabulary cannot be counted
    found = [c for c in candidates(situation, movers=True) if c.fit > 0.1]
    detected = [c for c in found if c.observation.sense == "objects"]
    moving = [c for c in found if c.observation.sense == "motion"]
    passing = bool(_PASSING.search(text)) and not situation.question.windows
    out = []
    for tracks, of in ((detected, "things detected"), (moving, "things moving")):
        if not tracks or (of == "things moving" and not passing):
            continue
        number, shown = (
            (_distinct(tracks), tracks)
            if passing
            else _together([*tracks, *_lookalikes(tracks, situation)], situation)
        )
        sure = sum(c.fit for c in shown) / max(len(shown), 1)
        out.append(
            Count(number, min(sure, 0.9), of, tuple(situation.cite(c.observation) for c in shown[:MOST]))
        )
    blobs = [
        o
        for o in situation.observations("colour")
        if o.data.get("kind") == "blob" and o.data["colour"] in situation.question.colours
    ]
    if blobs and not passing:
        out.append(_blob_count(situation, blobs))
    return out


def _times_written(situation: Situation) -> Count | None:
    """Count how often a word that the question quotes, or writes in capitals, stands on screen or is said."""
    question = situation.question
    words = list(question.quoted) or re.findall(r"\b[A-Z][A-Z0-9]{2,}\b", question.text)
    if not words:
        return None
    spoken = bool(re.search(r"\b(say|says|said|spoken|mention\w*)\b", question.text, re.I))
    wanted = normalise(" ".join(words))
    found = [o for o in situation.observations("speech" if spoken else "text") if wanted in normalise(o.text)]
    runs = union((o.span for o in found), gap=1)
    shown = [next(o for o in found if o.span.overlaps(run)) for run in runs]
    sure = 0.8 if runs else 0.4
    return Count(
        len(runs), sure, f"times “{' '.join(words)}”", tuple(situation.cite(o) for o in shown[:MOST])
    )


def _distinct(tracks: Sequence[Candidate]) -> int:
    """Count tracks, taking two that follow one another closely at one place for one thing seen again."""
    kept: list[Observation] = []
    for o in sorted((c.observation for c in tracks), key=lambda o: o.span.start):
        again = any(
            0 <= float(o.span.start - k.span.end) < 1.0 and _near(k, o) for k in kept
        )  # fmt: skip
        if not again:
            kept.append(o)
    return len(kept)


def _near(before: Observation, after: Observation) -> bool:
    (x0, y0), (x1, y1) = before.track[-1][1].centre, after.track[0][1].centre
    return abs(x0 - x1) + abs(y0 - y1) < 0.2


def _lookalikes(tracks: Sequence[Candidate], situation: Situation) -> list[Candidate]:
    """List what is called otherwise, yet has the size and the colour of a surely counted thing beside it.

    A detector's names waver between likes, such as a cup upside down and a bottle; things of one kind stay alike.
    """
    sure = [c for c in tracks if c.fit >= _SURE and c.observation.text not in ("person", "face")]
    kept = list(tracks)
    for o in sorted(situation.observations("objects"), key=lambda o: -o.confidence):
        other = Candidate(o, o.confidence)
        if not o.track or o.text == "person" or any(_one_thing(other, c) for c in kept):
            continue
        like = next((c for c in sure if _alike(c, other)), None)
        if like is not None:
            kept.append(Candidate(o, like.fit * _LOOKALIKE))
    return kept[len(tracks) :]


def _one_thing(a: Candidate, b: Candidate) -> bool:
    """Say whether two sightings are of one thing: at one time in one place."""
    if not a.observation.span.overlaps(b.observation.span):
        return False
    one, two = _boxes(a, b)
    return one.iou(two) > _ONE_PLACE


def _boxes(a: Candidate, b: Candidate) -> tuple[Box, Box]:
    """Return where two things are when both have come."""
    at = max(a.observation.span.start, b.observation.span.start)
    one, two = (min(c.observation.track, key=lambda point: abs(point[0] - at))[1] for c in (a, b))
    return one, two


def _alike(a: Candidate, b: Candidate) -> bool:
    """Say whether two things that are there at one time are of one size and one colour."""
    if not a.observation.span.overlaps(b.observation.span) or not (a.colours and b.colours):
        return False
    colours = [max(each.colours, key=lambda name: each.colours[name]) for each in (a, b)]
    if colours[0] != colours[1] or min(a.colours[colours[0]], b.colours[colours[0]]) < _PLAIN:
        return False
    one, two = _boxes(a, b)
    return all(1 / _ONE_SIZE < x / y < _ONE_SIZE for x, y in ((one.w, two.w), (one.h, two.h)) if y)


def _together(tracks: Sequence[Candidate], situation: Situation) -> tuple[int, list[Candidate]]:
    """Count how many are in the picture at once: the number that holds for most of the time asked about."""
    windows = situation.question.windows or (situation.whole,)
    best: tuple[float, int, list[Candidate]] = (-1.0, 0, [])
    for window in windows:
        for at in _grid(window):
            here = [c for c in tracks if at in c.observation.span]
            if len(here) > best[1]:
                best = (float(at), len(here), here)
    return best[1], best[2]


def _grid(window: Span) -> list[Instant]:
    steps = 24
    return [window.start + window.duration * k / steps for k in range(steps + 1)]


def _blob_count(situation: Situation, blobs: Sequence[Observation]) -> Count:
    """Count regions of the colour in one frame: the middle of what the opened frames show."""
    by_time: dict[Instant, list[Observation]] = {}
    for o in blobs:
        by_time.setdefault(o.span.start, []).append(o)
    numbers = sorted(len(v) for v in by_time.values())
    number = numbers[len(numbers) // 2]
    agreeing = sum(n == number for n in numbers) / len(numbers)
    frame = next(v for v in by_time.values() if len(v) == number)
    return Count(
        number, 0.7 * agreeing, f"{frame[0].data['colour']} regions", tuple(situation.cite(o) for o in frame)
    )
