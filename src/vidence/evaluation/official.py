"""The scores that a benchmark's authors report, where that is not the plain mean over questions."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from vidence.evaluation.metrics import Share, nested_share

Scored = Mapping[str, Any]
"""A record of a question that was put, as `record.py` writes it."""

Official = Callable[[Sequence[Scored]], Share | None]
"""Returns the score of some records, or None where they do not make one."""


def mean_of(*kinds: str, unanswerable_wrong: bool = False) -> Official:
    """Return the score that weighs groups alike: the mean over the first kind, of means over the next, and so on.

    `unanswerable_wrong` counts questions without a true answer as wrong for everybody, instead of leaving them out.
    """

    def official(records: Sequence[Scored]) -> Share | None:
        known = [one for one in records if one["right"] is not None]
        some = list(records) if unanswerable_wrong and known else known
        if not some:
            return None
        groups = [tuple(one["groups"].get(kind, "") for kind in kinds) for one in some]
        return nested_share([one["right"] or 0.0 for one in some], [one["video"] for one in some], groups)

    return official
