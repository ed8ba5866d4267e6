"""Compare options with one another: what each says that the others do not, and scores turned into clues."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from vidence.mcr.belief import Clue
from vidence.mcr.concepts import mentions
from vidence.mcr.evidence import Evidence
from vidence.senses.language import stems


def concepts_of(options: Sequence[str], table: str, language: str) -> list[list[str]]:
    """List the concepts of a table that each option names, in order, each once."""
    return [list(dict.fromkeys(m.concept for m in mentions(option, table, language))) for option in options]


def telling_stems(options: Sequence[str], language: str) -> list[set[str]]:
    """Return the content stems of each option without those that all options share."""
    each = [set(stems(option, language)) for option in options]
    shared = set.intersection(*each) if len(each) > 1 else set()
    return [roots - shared for roots in each]


def contrast(
    scores: Sequence[float | None],
    strength: float,
    channel: str,
    why: Sequence[str],
    evidence: Sequence[tuple[Evidence, ...]] | None = None,
) -> list[Clue]:
    """Turn scores (0 to 1, None: this channel cannot judge the option) into clues around their mean.

    `strength` is the log odds between an option at 1 and one at 0. A channel that judges fewer than two options, or
    gives all the same score, says nothing.
    """
    known = [s for s in scores if s is not None]
    if not known or (len(known) < 2 and len(scores) > 1) or max(known) - min(known) < 1e-6:
        return []
    mean = float(np.mean(known))
    cited = evidence or [()] * len(scores)
    return [
        Clue(i, strength * (score - mean), channel, why[i], cited[i] if score > mean else ())
        for i, score in enumerate(scores)
        if score is not None
    ]
