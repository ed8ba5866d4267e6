"""Shots that repeat one another: setups (the same framing) and, within them, takes (the same action or words).

Two shots share a setup when their pictures are laid out alike at the beginning, the middle and the end. They are takes
of it when the same words are said, or, where nothing is said in either, when their pictures go alike all along. Shots
that alternate in one conversation share a setup, say different words, and are therefore no takes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from difflib import SequenceMatcher

import numpy as np

from vidence.apps.catalogue.flaws import GRAVE
from vidence.apps.catalogue.trait import ShotRecord, Take
from vidence.senses.language import normalise
from vidence.senses.picture import CELLS

ALIKE = 0.8  # correlation of layouts, with some of the shift that a hand gives
STEADY = 0.9  # of silent shots all along
LEVEL = 30.0  # grey levels of 255 by which two layouts may differ on average
SAME_WORDS = 0.6
LEAST_WORDS = 2
LENGTHS = 2.5  # one take is at most so many times as long as another
SHORTEST_S = 1  # less is no take
FLAT = 3.0  # spread of grey levels below which a picture has no layout
POINTS = 8  # along a shot
NEAR = 0.5  # correlation of blurred middles below which nothing more is compared


def grouped(shots: Sequence[ShotRecord]) -> list[ShotRecord]:
    """Return the shots with their takes told."""
    parents = list(range(len(shots)))

    def root(n: int) -> int:
        while parents[n] != n:
            n = parents[n]
        return n

    for a, b in _near(shots):
        if root(a) != root(b) and are_takes(shots[a], shots[b]):
            parents[root(b)] = root(a)
    groups: dict[int, list[int]] = {}
    for n in range(len(shots)):
        groups.setdefault(root(n), []).append(n)
    told = list(shots)
    for setup, members in enumerate((m for m in groups.values() if len(m) > 1), 1):
        best = min(members, key=lambda n: (_flaws(shots[n]), -(shots[n].sharpness or 0.0), n))
        for number, n in enumerate(members, 1):
            told[n] = replace(shots[n], take=Take(setup, number, len(members), n == best))
    return told


def _near(shots: Sequence[ShotRecord]) -> list[tuple[int, int]]:
    """Return the pairs worth comparing: their middle layouts, blurred, are not unlike. Of 1,000 shots that is quick."""
    import cv2

    rows = np.zeros((len(shots), CELLS[0] * CELLS[1]), np.float32)
    for n, shot in enumerate(shots):
        if shot.layouts is not None and len(shot.layouts):
            row = cv2.blur(shot.layouts[_at(shot, 0.5)], (3, 3)).ravel()
            rows[n] = (row - row.mean()) / max(float(row.std()), 1e-6) / np.sqrt(row.size)
    first, second = np.nonzero(np.triu(rows @ rows.T >= NEAR, 1))
    return list(zip(first.tolist(), second.tolist(), strict=True))


def are_takes(a: ShotRecord, b: ShotRecord) -> bool:
    """Say whether two shots are takes of one thing."""
    longer, shorter = max(a.span.duration, b.span.duration), min(a.span.duration, b.span.duration)
    if longer > LENGTHS * shorter or shorter < SHORTEST_S or "page or screen" in a.values("place"):
        return False
    if not same_setup(a, b):
        return False
    left, right = normalise(a.said).split(), normalise(b.said).split()
    if len(left) >= LEAST_WORDS and len(right) >= LEAST_WORDS:
        return SequenceMatcher(None, left, right, autojunk=False).ratio() >= SAME_WORDS
    return max(len(left), len(right)) < LEAST_WORDS and steadily_alike(a, b) >= STEADY


def same_setup(a: ShotRecord, b: ShotRecord) -> bool:
    """Say whether two shots are framed alike at their beginning, middle and end."""
    if a.layouts is None or b.layouts is None or not len(a.layouts) or not len(b.layouts):
        return False
    likes = [alike(a.layouts[_at(a, share)], b.layouts[_at(b, share)]) for share in (0.1, 0.5, 0.9)]
    return sum(like >= ALIKE for like in likes) >= 2


def steadily_alike(a: ShotRecord, b: ShotRecord) -> float:
    """Return how alike two shots are all along, their lengths made equal: the mean over `POINTS` instants."""
    assert a.layouts is not None  # who asks has compared the setups
    assert b.layouts is not None
    shares = [(n + 0.5) / POINTS for n in range(POINTS)]
    return float(np.mean([alike(a.layouts[_at(a, share)], b.layouts[_at(b, share)]) for share in shares]))


def alike(left: np.ndarray, right: np.ndarray) -> float:
    """Correlate two layouts, the best of small shifts; 0 where one is flat or much lighter than the other."""
    best = 0.0
    for dy in (-1, 0, 1):
        for dx in (-1, 0, 1):
            a = left[max(dy, 0) : left.shape[0] + min(dy, 0), max(dx, 0) : left.shape[1] + min(dx, 0)]
            b = right[max(-dy, 0) : right.shape[0] + min(-dy, 0), max(-dx, 0) : right.shape[1] + min(-dx, 0)]
            if min(a.std(), b.std()) < FLAT or np.abs(a - b).mean() > LEVEL:
                continue
            best = max(best, float(np.corrcoef(a.ravel(), b.ravel())[0, 1]))
    return best


def _at(shot: ShotRecord, share: float) -> int:
    assert shot.layouts is not None
    return min(int(share * len(shot.layouts)), len(shot.layouts) - 1)


def _flaws(shot: ShotRecord) -> int:
    return sum(flag in GRAVE for flag in shot.values("flag"))
