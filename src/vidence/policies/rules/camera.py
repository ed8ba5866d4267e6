"""Clues from the camera and from apparent size: nearer, farther, the same; panning, tilting, standing still."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

from vidence.mcr.belief import Clue
from vidence.mcr.situation import Situation
from vidence.policies.rules.options import contrast
from vidence.policies.rules.tracks import in_window

_MANNERS = {
    "nearer": re.compile(
        r"\b(near\w*|clos\w+|zoom(s|ed|ing)? in|towards?|approach\w*|bigger|larger)\b", re.I
    ),
    "farther": re.compile(
        r"\b(farther|further|zoom(s|ed|ing)? out|away|smaller|recede\w*|backwards?)\b", re.I
    ),
    "same": re.compile(r"\b(same|static|still|fixed|not (move|change)|unchanged|steady|tripod)\b", re.I),
    "pan left": re.compile(r"\bpans?\w* (to the )?left\b", re.I),
    "pan right": re.compile(r"\bpans?\w* (to the )?right\b", re.I),
    "tilt up": re.compile(r"\btilts?\w* up\b", re.I),
    "tilt down": re.compile(r"\btilts?\w* down\b", re.I),
}
_ABOUT = re.compile(r"\b(camera|distance|zoom\w*|framing|view|handheld|shot)\b", re.I)


def camera_clues(situation: Situation, options: Sequence[str]) -> list[Clue]:
    """Weigh options that say how the camera moves or the distance changes."""
    manners = [_manner(option) for option in options]
    if (
        not _ABOUT.search(situation.question.text + " ".join(options))
        or sum(m is not None for m in manners) < 2
    ):
        return []
    moves = [o for o in situation.observations("motion") if o.data.get("kind") == "camera"]
    moves = [o for o in moves if in_window(o, situation.question.windows)]
    if not moves:
        return []
    strengths = _strengths(moves)
    scores: list[float | None] = [strengths.get(m, 0.0) if m else 0.0 for m in manners]
    longest = max(moves, key=lambda o: o.span.duration)
    evidence = [(situation.cite(longest),)] * len(options)
    return contrast(scores, 3.0, "camera", [f"camera: {m}" for m in manners], evidence)


def _manner(option: str) -> str | None:
    return next((name for name, pattern in _MANNERS.items() if pattern.search(option)), None)


def _strengths(moves: Sequence) -> dict[str, float]:
    """Say from 0 to 1 how much of each manner there was, all stretches taken together."""
    log_scale = sum(math.log(max(float(o.data.get("scale", 1.0)), 1e-3)) for o in moves)
    seconds = sum(float(o.span.duration) for o in moves) or 1.0
    share = {
        name: sum(float(o.span.duration) for o in moves if o.data.get("move") == move) / seconds
        for name, move in (("same", "static"), ("pan left", "pan left"), ("pan right", "pan right"),
                           ("tilt up", "tilt up"), ("tilt down", "tilt down"))
    }  # fmt: skip
    # A change of scale by a third is plainly seen; below a tenth it is nothing.
    share["nearer"] = min(max(log_scale, 0.0) / math.log(1.33), 1.0)
    share["farther"] = min(max(-log_scale, 0.0) / math.log(1.33), 1.0)
    share["same"] = min(share["same"], 1 - max(share["nearer"], share["farther"]))
    return share
