"""Of a video of many shots, those that a question is about: where the things are seen that it names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from vidence.mcr.situation import Situation
from vidence.policies.rules.tracks import candidates, in_window
from vidence.senses.observation import Observation

_AS_WELL = 0.5  # of the fit of the best: what fits the question so well is meant too


def in_its_shots(situation: Situation) -> Situation:
    """Return a situation that knows only what was perceived in the shots which a question is about.

    Where a "bottle" is asked about, what is taken away in other shots is no bottle. What the question names must be
    seen somewhere, else all of it may be meant.
    """
    shots = situation.observations("shots")
    seen = candidates(situation, movers=False) if len(shots) > 1 else []
    meant = [one.observation.span for one in seen if one.fit >= _AS_WELL * seen[0].fit]
    windows = [shot.span for shot in shots if any(shot.span.overlaps(span) for span in meant)]
    if not windows or len(windows) == len(shots):
        return situation

    def within(known: Sequence[Observation]) -> list[Observation]:
        return [one for one in known if in_window(one, windows)]

    return replace(situation, recalled=within(situation.recalled), looked=within(situation.looked))
