"""What a track is, and how far that may be believed: from who saw what, how surely, and how often.

The two detectors were trained apart, so their errors are nearly independent; one detector's errors on one thing, look
after look, are not. Agreement therefore counts for much, repetition for little.
"""

from __future__ import annotations

from vidence.senses.tracking import Track

LEAST_SIGHTINGS = 2
LEAST_SCORE = 0.4  # that one sighting of a track must reach; the others may be weaker
ALONE = (
    0.6  # what remains of a score when the other detector looked and saw nothing: most such tracks are false
)
UNHEARD = 0.6  # when the other was never asked
DISPUTED = 0.75  # when the other saw the thing, under another name
MOST = 0.97  # both together still err on views that nobody photographs: cars from above are "cell phones" to both


def confirmed(track: Track) -> bool:
    """Say whether a track is more than a false box: one good sighting, and a second or both detectors at once."""
    repeated = len(track.looks) >= LEAST_SIGHTINGS or len(track.last.votes) > 1
    return repeated and track.best >= LEAST_SCORE


def judge(track: Track, asked: int | None) -> tuple[str, float]:
    """Return the kind of a thing and the probability that it is one.

    `asked` tells in how many looks the second detector looked; None where there is no second.
    """
    first, second = _scores(track, "first"), _scores(track, "second")
    looks = max(1, sum(len(scores) for scores in first.values()))
    weight = {
        label: sum(first.get(label, [])) / looks + sum(second.get(label, [])) / max(1, asked or 0)
        for label in {**first, **second}
    }
    label = max(sorted(weight), key=lambda one: weight[one])
    mine, theirs = _best(first.get(label, [])), _best(second.get(label, []))
    if asked is None:
        return label, mine
    if mine and theirs:
        chance = 1 - (1 - mine) * (1 - theirs)
    elif first and second:
        chance = DISPUTED * max(mine, theirs)
    else:
        chance = (ALONE if asked else UNHEARD) * max(mine, theirs)
    return label, min(MOST, chance * (1 - 0.2 / len(track.looks)))


def _scores(track: Track, witness: str) -> dict[str, list[float]]:
    found: dict[str, list[float]] = {}
    for _, seen in track.looks:
        if witness in seen.votes:
            label, score = seen.votes[witness]
            found.setdefault(label, []).append(score)
    return found


def _best(scores: list[float]) -> float:
    """Mean of the three highest: one lucky score shall not decide."""
    top = sorted(scores, reverse=True)[:3]
    return sum(top) / len(top) if top else 0.0
