"""Clues from lasting changes of a scene: what was taken away, put down, in what order, and what is left."""

from __future__ import annotations

import re
from collections.abc import Sequence

from vidence.mcr.belief import Clue
from vidence.mcr.situation import Situation
from vidence.policies.rules.options import concepts_of, contrast
from vidence.senses.observation import Observation
from vidence.timeline import Instant

_TAKEN = re.compile(
    r"\b(tak(e|en|es|ing)|remov\w+|away|lift\w*|pick\w*|steal\w*|stolen|gone|disappear\w*)\b", re.I
)
_PUT = re.compile(r"\b(put|plac\w+|add\w*|set down|return\w*|appear\w*|bring|brought)\b", re.I)
_LEFT = re.compile(r"\b(only one|left standing|remain\w*|still (there|standing)|is left|are left)\b", re.I)
_SAME_PLACE = 0.08  # of the picture width: changes nearer than this are of one thing


def change_clues(situation: Situation, options: Sequence[str]) -> list[Clue]:
    """Weigh options that name places ("left", "middle", "right") by the changes seen there."""
    named = concepts_of(options, "places", situation.question.language)
    changes = [o for o in situation.observations("motion") if o.data.get("kind") == "change" and o.track]
    if situation.question.kind != "change" or sum(bool(n) for n in named) < 2 or not changes:
        return []
    places = _places(changes)
    windows = situation.question.windows
    if windows and not _LEFT.search(situation.question.text):
        changes = [o for o in changes if any(o.span.overlaps(w) for w in windows)]
    if not changes:
        return []
    if _LEFT.search(situation.question.text) and situation.question.windows:
        return _left_standing(situation, named, changes, places)
    return _first_or_last(situation, named, changes, places)


def _places(changes: Sequence[Observation]) -> dict[str, float]:
    """Name the distinct places of change from left to right: x of "left", "middle", "right"."""
    xs = sorted(o.track[0][1].centre[0] for o in changes)
    groups: list[list[float]] = []
    for x in xs:
        if groups and x - groups[-1][-1] < _SAME_PLACE:
            groups[-1].append(x)
        else:
            groups.append([x])
    centres = [sum(g) / len(g) for g in groups]
    if len(centres) == 1:
        return {"left": 0.0, "middle": 0.5, "right": 1.0}
    return {"left": centres[0], "middle": (centres[0] + centres[-1]) / 2, "right": centres[-1]}


def _place_of(change: Observation, places: dict[str, float]) -> str:
    x = change.track[0][1].centre[0]
    return min(places, key=lambda name: abs(places[name] - x))


def _first_or_last(
    situation: Situation, named: list[list[str]], changes: list[Observation], places: dict[str, float]
) -> list[Clue]:
    text = situation.question.text
    kind = "disappeared" if _TAKEN.search(text) else "appeared" if _PUT.search(text) else None
    wanted = sorted(
        (o for o in changes if kind is None or o.data["change"] == kind), key=lambda o: o.span.start
    )
    if not wanted:
        return []
    ordinal = situation.question.ordinal or 0
    chosen = wanted[max(-len(wanted), min(ordinal, len(wanted) - 1))]
    together = [o for o in wanted if abs(o.span.start - chosen.span.start) < 1]
    there = {_place_of(o, places) for o in together}
    scores: list[float | None] = [_overlap(there, set(sides)) if sides else None for sides in named]
    evidence = [tuple(situation.cite(o) for o in together)] * len(named)
    return contrast(
        scores, 2.5, "change", [f"{chosen.data['change']} at the {'/'.join(there)}"] * len(named), evidence
    )


def _left_standing(
    situation: Situation, named: list[list[str]], changes: list[Observation], places: dict[str, float]
) -> list[Clue]:
    at = situation.question.windows[0].middle
    standing = {name for name in places if _stands_at(name, at, changes, places)}
    scores: list[float | None] = [
        _overlap(standing, set(sides)) if sides else float(not standing) for sides in named
    ]
    before = [o for o in changes if o.span.start <= at][-2:] or changes[:1]
    evidence = [tuple(situation.cite(o) for o in before)] * len(named)
    return contrast(
        scores, 2.5, "change", [f"standing: {', '.join(sorted(standing)) or 'none'}"] * len(named), evidence
    )


def _stands_at(place: str, at: Instant, changes: Sequence[Observation], places: dict[str, float]) -> bool:
    """Follow one place through its changes up to a time; before its first change it was the opposite of that change."""
    here = sorted((o for o in changes if _place_of(o, places) == place), key=lambda o: o.span.start)
    past = [o for o in here if o.span.start <= at]
    if past:
        return past[-1].data["change"] == "appeared"
    return not here or here[0].data["change"] == "disappeared"


def _overlap(left: set[str], right: set[str]) -> float:
    return len(left & right) / len(left | right) if left | right else 0.0
