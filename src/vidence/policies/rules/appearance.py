"""Clues from what is there: things detected, and classes seen (matched by meaning, so in any language)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from vidence.mcr.belief import Clue
from vidence.mcr.evidence import Evidence
from vidence.mcr.situation import Situation
from vidence.policies.rules.options import concepts_of, contrast
from vidence.policies.rules.tracks import in_window
from vidence.senses.looks import matches, names_in
from vidence.senses.observation import Observation


def thing_clues(situation: Situation, options: Sequence[str]) -> list[Clue]:
    """Weigh options that name things the detector knows: there, or looked for and not found."""
    if situation.question.kind == "order":
        return []
    named = concepts_of(options, "things", situation.question.language)
    shared = set.intersection(*(set(n) for n in named)) if named else set()
    telling = [
        [n for n in names if n not in shared and n not in situation.question.things] for names in named
    ]
    if not any(telling):
        return []
    present = _present(situation)
    scores: list[float | None] = []
    evidence: list[tuple[Evidence, ...]] = []
    for names in telling:
        found = [present[n] for n in names if n in present]
        scores.append(sum(o.confidence for o in found) / len(names) if names else None)
        evidence.append(tuple(situation.cite(o) for o in found))
    if max((s for s in scores if s is not None), default=0.0) < 0.3:
        return []
    filled = [0.15 if s is None else s for s in scores]
    return contrast(filled, 1.5, "things", [f"{', '.join(n)} detected" for n in telling], evidence)


def _present(situation: Situation) -> dict[str, Observation]:
    best: dict[str, Observation] = {}
    for o in situation.observations("objects"):
        if in_window(o, situation.question.windows) and o.confidence > best.get(o.text, o).confidence - 1e-9:
            best[o.text] = o
    return best


def looks_clues(situation: Situation, options: Sequence[str]) -> list[Clue]:
    """Weigh options by how well the classes seen match them in meaning."""
    samples = [o for o in situation.observations("looks") if in_window(o, situation.question.windows)]
    if not samples or situation.question.kind in ("count", "when", "said", "direction", "change", "order"):
        return []
    # a trained pair of encoders needs no names, the classifier knows nothing else
    if "kinds" in samples[0].data and not any(names_in(option) for option in options):
        return []
    scores, best = [], []
    for option in options:
        ranked = matches(option, samples)
        scores.append(
            float(np.mean([p for _, _, p in ranked[: max(1, len(ranked) // 4)]])) if ranked else 0.0
        )
        best.append((situation.cite(ranked[0][0]),) if ranked else ())
    return contrast(scores, 2.0, "classes", ["looks like it"] * len(options), best)
