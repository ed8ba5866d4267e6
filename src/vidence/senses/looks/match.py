"""Hold a phrase against what was looked at: where is it seen, how surely, and can it be seen at all."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

import numpy as np

from vidence.senses.looks.calibration import together
from vidence.senses.looks.embedded_eye import LEAST_KIND, EmbeddedEye
from vidence.senses.looks.eye import Eye
from vidence.senses.looks.pair_eye import PairEye
from vidence.senses.looks.vocabulary import Known, names_in, unknown_in
from vidence.senses.observation import Observation

# Of what is given 0.6 to 0.8 only half is there: below this it cannot be told. Absence is never told, as small
# things are missed.
SEEN = 0.8


class Match(NamedTuple):
    """One observation held against a phrase."""

    observation: Observation
    score: float  # how much nearer than chance, comparable over phrases
    p: float  # chance that the phrase is seen there

    @property
    def seen(self) -> bool | None:
        """True where it is seen, None where that cannot be told."""
        return True if self.p >= SEEN else None


def matches(
    phrase: str | np.ndarray, observations: Sequence[Observation], eye: Eye | None = None
) -> list[Match]:
    """Hold a phrase (or its vector) against observations of the sense of looks, the best first.

    Without an `eye`, the one that made the vectors is taken. Observations of other senses, or of an eye with another
    space, are left out.
    """
    eye = _eye_of(observations) if eye is None else eye
    usable = [o for o in observations if o.vector is not None and o.data.get("space") == eye.space]
    if not usable:
        return []
    vector = eye.phrase(phrase) if isinstance(phrase, str) else phrase
    scores, chances = eye.chance(vector, np.stack([np.asarray(o.vector) for o in usable]))
    if isinstance(phrase, str) and (known := names_in(phrase)) and "kinds" in usable[0].data:
        chances = _named(scores, usable, known, alone=len(known) == 1 and not unknown_in(phrase, known))
    found = [Match(o, float(s), float(p)) for o, s, p in zip(usable, scores, chances, strict=True)]
    return sorted(found, key=lambda match: (-match.p, -match.score))


def _eye_of(observations: Sequence[Observation]) -> Eye:
    """Return the eye whose space most of the vectors lie in: that of the standard tier, else the embedded one."""
    spaces = Counter(o.data.get("space") for o in observations if o.vector is not None)
    strong = standard_eye()
    return strong if spaces and spaces.most_common(1)[0][0] == strong.space else EmbeddedEye()


@cache
def standard_eye() -> PairEye:
    """Return the eye of the standard tier, one for all: its text encoder is large."""
    return PairEye()


def _named(
    scores: np.ndarray, observations: Sequence[Observation], known: Sequence[Known], *, alone: bool
) -> np.ndarray:
    """Give the chances of a phrase that names things the classifier can see.

    Where the phrase is one such name alone ("a dog") its own chance holds; else the rest of it ("on a branch")
    counts by its standing. To ask for all of several names was worse: the smallest thing is missed.
    """
    chances = np.array([[known_chance(one, o) for one in known] for o in observations])
    return chances.max(axis=1) if alone else together(scores, chances.max(axis=1))


def known_chance(known: Known, observation: Observation) -> float:
    """Give the chance that a thing named is there: a kind's own; for a class its mass, which is less."""
    listed = dict(observation.data["kinds"]) | dict(observation.data["classes"])
    return float(listed.get(known.name, LEAST_KIND / 2))
