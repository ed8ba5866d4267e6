"""Clues from colour: of the thing asked about where it was followed, else of the regions that stand out."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence

from vidence.mcr.belief import Clue
from vidence.mcr.evidence import Evidence
from vidence.mcr.situation import Situation
from vidence.policies.rules.options import concepts_of, contrast
from vidence.policies.rules.tracks import Candidate, candidates, in_window
from vidence.senses.colour_names import ACHROMATIC, likeness
from vidence.senses.observation import Observation

_TOGETHER = re.compile(r"\b(at the same time|together|at once|side by side|both)\b", re.I)
_PALE = 0.4  # what black, white and grey regions count: they are in nearly every picture


def colour_clues(situation: Situation, options: Sequence[str]) -> list[Clue]:
    """Weigh options that name colours."""
    named = concepts_of(options, "colours", situation.question.language)
    if sum(bool(n) for n in named) < 2:
        return []
    clues: list[Clue] = []
    followed = [c for c in candidates(situation, colours=()) if c.colours][:12]
    if _TOGETHER.search(situation.question.text):
        followed = [c for c in followed if any(_overlap(c, other) for other in followed)]
    if followed:
        clues += _by_tracks(situation, named, followed)
    blobs = [o for o in situation.observations("colour") if o.data.get("kind") == "blob"]
    blobs = [o for o in blobs if in_window(o, situation.question.windows)]
    if blobs:
        clues += _by_blobs(situation, named, blobs)
    return clues


def _overlap(one: Candidate, other: Candidate) -> bool:
    return one is not other and one.observation.span.overlaps(other.observation.span)


def monochrome_clues(situation: Situation, options: Sequence[str]) -> list[Clue]:
    """Weigh "in colour" against "black and white"."""
    says = [_says_monochrome(option) for option in options]
    stretches = [o for o in situation.observations("colour") if "monochrome" in o.data]
    if (
        not stretches
        or not any(s is not None for s in says)
        or "colour" not in _spelt(situation.question.text)
    ):
        return []
    length = sum(float(o.span.duration) for o in stretches) or 1.0
    share = sum(float(o.span.duration) for o in stretches if o.data["monochrome"]) / length
    partly = 0.05 < share < 0.95
    scores = [_monochrome_score(s, share, partly) for s in says]
    cited = (situation.cite(max(stretches, key=lambda o: o.span.duration)),)
    why = [f"{share:.0%} of the film is without colour"] * len(options)
    return contrast(scores, 4.0, "monochrome", why, [cited] * len(options))


def _spelt(text: str) -> str:
    return text.lower().replace("color", "colour")


def _says_monochrome(option: str) -> bool | None:
    text = _spelt(option)
    if "black and white" in text or "monochrome" in text or text.startswith("no"):
        return True
    if any(word in text for word in ("only", "partly", "first", "then")):
        return None
    return False if text.startswith("yes") or "in colour" in text or "full colour" in text else None


def _monochrome_score(says: bool | None, share: float, partly: bool) -> float:
    if says is None:
        return 1.0 if partly else 0.0
    return share if says else 1.0 - share


def _by_tracks(situation: Situation, named: list[list[str]], followed: list[Candidate]) -> list[Clue]:
    weights: dict[str, float] = defaultdict(float)
    source: dict[str, tuple[float, Candidate]] = {}
    for candidate in followed:
        for name, share in candidate.colours.items():
            weight = candidate.fit * share
            weights[name] += weight
            if weight > source.get(name, (0.0, candidate))[0]:
                source[name] = (weight, candidate)
    evidence = [
        tuple(
            situation.cite(source[c][1].observation, quote=f"{source[c][1].observation.text}, {c}")
            for c in colours if c in source
        )
        for colours in named
    ]  # fmt: skip
    detected = any(c.observation.sense == "objects" for c in followed)
    scores = [_match(colours, weights) for colours in named]
    why = [f"{' and '.join(c)} where the thing was followed" for c in named]
    # A blob that moves may not be the thing asked about; a colour in passing tells less than one asked for.
    strength = (3.0 if detected else 1.5) * (1.0 if situation.question.kind == "colour" else 0.4)
    return contrast(scores, strength, "colour of the thing", why, evidence)


def _match(colours: list[str], weights: dict[str, float]) -> float | None:
    """Score how much of the thing a set of colours explains, less where one of them is hardly there."""
    if not colours:
        return None
    whole = sum(weights.values()) or 1.0
    shares = [(name, weight / whole) for name, weight in weights.items()]
    explained = sum(max(likeness(c, [(name, share)]) for c in colours) for name, share in shares)
    there = [min(likeness(c, shares) / 0.15, 1.0) for c in colours]
    return explained * (sum(there) / len(there) + min(there)) / 2


def _by_blobs(situation: Situation, named: list[list[str]], blobs: list[Observation]) -> list[Clue]:
    best: dict[str, Observation] = {}
    for blob in blobs:
        colour = str(blob.data["colour"])
        if colour not in best or blob.confidence > best[colour].confidence:
            best[colour] = blob
    scores: list[float | None] = []
    evidence: list[tuple[Evidence, ...]] = []
    for colours in named:
        there = [best[c] for c in colours if c in best]
        strengths = [b.confidence * (_PALE if b.data["colour"] in ACHROMATIC else 1.0) for b in there]
        scores.append(sum(strengths) / len(colours) if colours else None)
        evidence.append(tuple(situation.cite(b) for b in there))
    why = [f"regions of {' and '.join(c)} that stand out" for c in named]
    strength = 2.5 if situation.question.kind == "colour" else 1.0
    return contrast(scores, strength, "colour that stands out", why, evidence)
