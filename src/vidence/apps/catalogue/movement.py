"""How the camera moves in a shot, from the motion sense's stretches."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from vidence.apps.catalogue.trait import Trait
from vidence.senses.observation import Observation
from vidence.timeline import Span, total

STILL = 0.85  # share of the time from which a shot is static
PART = 0.2  # share of the time from which a move is named
HANDHELD = 0.4  # share of shaking from which the camera is held in the hand
NAMES = {
    "static": "static", "pan left": "pan left", "pan right": "pan right", "tilt up": "tilt up",
    "tilt down": "tilt down", "zoom in": "push in", "zoom out": "pull out", "shake": "handheld",
}  # fmt: skip
"""Words of film for the sense's moves. A zoom and a dolly are not told apart: both are a push in."""


def movement_of(shot: Span, seen: Sequence[Observation]) -> list[Trait]:
    """Tell the moves of a shot, the longest first; none where too little of it was followed."""
    parts = [(o, inside) for o in seen if _camera(o) and (inside := o.span.intersection(shot)) is not None]
    known = total(inside for _, inside in parts)
    if not parts or known * 2 < shot.duration:
        return []
    moves: dict[str, list[tuple[Observation, Span]]] = {}
    for move, group in groupby(
        sorted(parts, key=lambda p: str(p[0].data["move"])), lambda p: p[0].data["move"]
    ):
        moves[str(move)] = list(group)
    shares = {move: float(total(inside for _, inside in found) / known) for move, found in moves.items()}
    still, shaken = shares.get("static", 0.0), shares.get("shake", 0.0)
    if still >= STILL:
        chosen = ["static"]
    else:
        chosen = [m for m, share in sorted(shares.items(), key=lambda item: -item[1]) if _named(m, share)]
        if shaken >= HANDHELD:
            chosen = ["shake", *(move for move in chosen if move != "shake")]
        chosen = chosen or [max(shares, key=shares.__getitem__)]
    return [_trait(move, shares[move], moves[move]) for move in chosen]


def _camera(seen: Observation) -> bool:
    return seen.sense == "motion" and seen.data.get("kind") == "camera" and seen.data.get("move") in NAMES


def _named(move: str, share: float) -> bool:
    return move not in ("static", "shake") and share >= PART


def _trait(move: str, share: float, found: list[tuple[Observation, Span]]) -> Trait:
    longest = max(found, key=lambda pair: pair[1].duration)[0]
    sure = sum(o.confidence * float(inside.duration) for o, inside in found) / sum(
        float(inside.duration) for _, inside in found
    )
    return Trait("camera", NAMES[move], sure, f"{NAMES[move]} for {share:.0%} of the shot", longest)
