"""Clues from movement and place: where a thing comes from, goes to, stands, or leaves the picture."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Literal

from vidence.mcr.belief import Clue
from vidence.mcr.concepts import mentions
from vidence.mcr.situation import Situation
from vidence.policies.rules.options import concepts_of, contrast
from vidence.policies.rules.tracks import SIDE, Candidate, candidates

_FROM = re.compile(r"\b(?:from|out of|off)\b(.*?)(?=\bto\b|\btowards?\b|\binto\b|$)", re.I)
_TO = re.compile(r"\b(?:to|towards?|into|onto|back)\b(.*)$", re.I)
_CROSSING = re.compile(
    r"\b(leave|leaves|left the|exit|exits|enter|enters|come back|comes? in|goes? out|disappear|appear)", re.I
)
_STILL_SHIFT = 0.06  # of the picture: below this a track counts as standing


def direction_clues(situation: Situation, options: Sequence[str]) -> list[Clue]:
    """Weigh options that name directions of movement ("from bottom to top", "to the left", "it stays parked")."""
    if situation.question.kind not in ("direction", "yes-no", "what"):
        return []
    language = situation.question.language
    ways = [_way(option, language) for option in options]
    rests = [way is not None and "still" in way[2] for way in ways]
    if sum(way is not None for way in ways) < 2 and not any(rests):
        return []
    tracks = candidates(situation)[:6]
    if not tracks:
        return []
    scores: list[float | None] = []
    for way in ways:
        # Beside "it stays", an option that names no way still says that it moves.
        moves = any(rests) and way is None
        fits = [1 - _agrees(t, _RESTS) if moves else _agrees(t, way) if way else 0.0 for t in tracks]
        weighed = sum(t.fit * fit for t, fit in zip(tracks, fits, strict=True)) / sum(t.fit for t in tracks)
        scores.append(None if way is None and not moves else weighed)
    why = [_told(way) if way else "" for way in ways]
    evidence = [(situation.cite(tracks[0].observation, quote=_describe(tracks[0])),)] * len(options)
    return contrast(scores, 2.5, "movement", why, evidence)


Way = tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]
"""(sides it comes from, sides it goes to, other manners: nearer, farther, still)."""


_RESTS: Way = ((), (), ("still",))


def _told(way: Way) -> str:
    """Say a way in words: "moves from right, to left, nearer"."""
    source, target, manners = way
    parts = [f"from {side}" for side in source] + [f"to {side}" for side in target] + list(manners)
    return f"moves {', '.join(parts)}"


def _way(option: str, language: str) -> Way | None:
    """Read how an option says something moves; None when it says nothing about it."""
    source = _sides(" ".join(_FROM.findall(option)), language)
    target = _sides(" ".join(_TO.findall(_FROM.sub("", option) if source else option)), language)
    manners = tuple(
        m.concept
        for m in mentions(option, "directions", language)
        if m.concept in ("nearer", "farther", "still")
    )
    if "camera" in option.lower() and not manners:
        manners = ("nearer",)
    if "distance" in option.lower():
        source, manners = (*source, "top"), (*manners, "nearer")
    if not source and not target and not manners:
        target = _sides(option, language)
    return (source, target, manners) if source or target or manners else None


def _sides(text: str, language: str) -> tuple[str, ...]:
    return tuple(m.concept for m in mentions(text, "places", language))


def _agrees(track: Candidate, way: Way) -> float:
    """Score from 0 to 1 how a track fits a way."""
    source, target, manners = way
    dx, dy = track.shift
    size = (dx * dx + dy * dy) ** 0.5
    growth = (track.end.area + 1e-4) / (track.start.area + 1e-4)
    parts: list[float] = []
    for manner in manners:
        if manner == "still":
            parts.append(1.0 if size < _STILL_SHIFT else max(0.0, 1 - size * 4))
        else:
            parts.append(
                min(1.0, max(0.0, 0.5 + 0.5 * (growth - 1 if manner == "nearer" else 1 / growth - 1)))
            )
    if target:
        along = _mean_side(target)
        parts.append(0.0 if size < _STILL_SHIFT else (1 + (dx * along[0] + dy * along[1]) / size) / 2)
    if source:
        x, y = track.start.centre
        place, along = ((x - 0.5) * 2, (y - 0.5) * 2), _mean_side(source)
        entered = track.observation.data.get("enters")
        edge = 0.5 + 0.5 * max(-1.0, min(1.0, place[0] * along[0] + place[1] * along[1]))
        parts.append(1.0 if entered in source else edge)
    return sum(parts) / len(parts) if parts else 0.5


def _mean_side(sides: Sequence[str]) -> tuple[float, float]:
    x, y = sum(SIDE[s][0] for s in sides), sum(SIDE[s][1] for s in sides)
    length = (x * x + y * y) ** 0.5 or 1.0
    return x / length, y / length


def _describe(track: Candidate) -> str:
    o = track.observation
    parts = [o.text or "something moving", ", ".join(list(track.colours)[:2])]
    parts += [
        f"enters {o.data['enters']}" if o.data.get("enters") else "",
        f"leaves {o.data['leaves']}" if o.data.get("leaves") else "",
    ]
    parts.append(f"moves {o.data.get('direction', '')}")
    return ", ".join(part for part in parts if part)


def place_clues(situation: Situation, options: Sequence[str]) -> list[Clue]:
    """Weigh options that name sides of the picture: where a thing stands, or by which edge it leaves or comes."""
    if situation.question.kind != "place":
        return []
    named = concepts_of(options, "places", situation.question.language)
    if sum(bool(n) for n in named) < 2:
        return []
    tracks = [c for c in candidates(situation, movers=True) if c.observation.track][:5]
    if not tracks:
        return []
    how: Literal["edge", "stand"] = "edge" if _CROSSING.search(situation.question.text) else "stand"
    scores: list[float | None] = [
        _stands(tracks, sides, situation, how) if sides else None for sides in named
    ]
    evidence = [(situation.cite(tracks[0].observation, quote=_describe(tracks[0])),)] * len(options)
    return contrast(scores, 2.5, "place", [f"{how} {' '.join(s)}" for s in named], evidence)


def _stands(tracks: Sequence[Candidate], sides: Sequence[str], situation: Situation, how: str) -> float:
    along, total, weight = _mean_side(sides), 0.0, 0.0
    for track in tracks:
        edges = [track.observation.data.get("enters"), track.observation.data.get("leaves")]
        if how == "edge" and any(edges):
            fit = sum(edge in sides for edge in edges if edge) / sum(bool(edge) for edge in edges)
        else:
            window = situation.question.windows[0] if situation.question.windows else track.observation.span
            box = track.observation.box_at(window.middle) or track.start
            x, y = (box.centre[0] - 0.5) * 2, (box.centre[1] - 0.5) * 2
            fit = (
                max(0.0, 1 - (abs(x) + abs(y)) / 1.5)
                if "middle" in sides
                else 0.5 + 0.5 * (x * along[0] + y * along[1])
            )
        total, weight = total + track.fit * fit, weight + track.fit
    return total / weight if weight else 0.5
