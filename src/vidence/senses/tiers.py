"""Which weights a sense uses: those inside packages, or the stronger ones of a model hub.

One switch for all senses: `--tier`, or $VIDENCE_TIER, or `tier=` in Python. "auto", the default, takes for each sense
the strong weights once they lie on this machine (`vidence models pull --tier standard`), and never fetches them by
itself.
"""

from __future__ import annotations

import os
from typing import Literal, cast, get_args

from vidence.catalogue import here
from vidence.errors import UsageError

Choice = Literal["auto", "embedded", "standard"]
"""auto: the stronger where it is here; embedded: what packages hold; standard: the stronger, fetched at first use."""

STANDARD = {
    "speech": "whisper-small",  # for languages other than English
    "objects": "dfine-nano",
    "looks": "siglip2-base",
    "captions": "florence2-base",
}
"""Senses that have a standard tier, and the model it uses; the others are the same in both."""


def chosen_tier(tier: str | None = None) -> Choice:
    """Return the tier asked for, else that of $VIDENCE_TIER, else "auto".

    Raises:
        UsageError: there is no such tier; names where it came from.
    """
    named = tier or os.environ.get("VIDENCE_TIER") or "auto"
    if named not in get_args(Choice):
        where = "--tier" if tier else "VIDENCE_TIER"
        raise UsageError(f"{where} {named!r} is none of {', '.join(get_args(Choice))}")
    return cast(Choice, named)


def is_strong(sense: str, tier: Choice) -> bool:
    """Say whether a sense uses its standard weights in a tier."""
    if sense not in STANDARD or tier == "embedded":
        return False
    return tier == "standard" or here(STANDARD[sense])
