"""How far a track may be believed: from the scores of its sightings and from who saw it."""

from __future__ import annotations

from vidence.senses.tracking import Track

LEAST_SIGHTINGS = 2


def confirmed(track: Track) -> bool:
    """Say whether a track is more than one false box: two sightings, or both detectors at once."""
    return len(track.looks) >= LEAST_SIGHTINGS or track.last.witness == "both"


def believe(track: Track, asked: int | None) -> float:
    """Return the probability that the thing is there. `asked`: in how many looks the second detector looked."""
    scores = sorted((seen.score for _, seen in track.looks if seen.label == track.label), reverse=True)[:3]
    strength = sum(scores) / len(scores)
    if asked is None:
        return strength
    agreed = sum(seen.witness == "both" for _, seen in track.looks)
    if agreed:
        return 1 - (1 - strength) * 0.5
    return strength * (0.6 if asked else 0.8)
