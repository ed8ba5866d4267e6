"""What is wrong with a shot: blurred, burnt out, under-exposed, black, very short, sound that clips."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np

from vidence.apps.catalogue.light import PAGE_LINES
from vidence.apps.catalogue.trait import Trait
from vidence.senses.observation import Observation
from vidence.timeline import Span, clock

if TYPE_CHECKING:
    from vidence.senses.picture import Sample

BLURRED = 0.6  # sharp clips lie below 0.5; the same under a blur of 2 px at 480 px lie from 0.55 to 0.8
BURNT = 0.2  # share of the picture that is white, where it is no page or screen
DARK_LIGHT = 0.14  # mean luma below which a picture may be under-exposed
DARK_SPREAD = 0.9  # of its mean: more, and something in it is lit as it was meant (low-key)
BLACK_LIGHT = 0.02
LASTING = 0.5  # share of the samples in which it must be so
SHORT = Fraction(1, 2)  # seconds
FLAWS = ("blurred", "burnt out", "under-exposed", "black", "sound clips", "very short")
GRAVE = frozenset({"blurred", "burnt out", "under-exposed", "black", "sound clips"})


def flaws_of(shot: Span, seen: Sequence[Observation], samples: Sequence[Sample], lines: int) -> list[Trait]:
    """Return the flaws of a shot; `lines` of writing are in the picture."""
    told = []
    if samples:
        light = np.array([one.light for one in samples])
        contrast = np.array([one.contrast for one in samples])
        blank = (light < BLACK_LIGHT) & (contrast < BLACK_LIGHT)
        lit = [one for one, none in zip(samples, blank, strict=True) if not none]
        if blank.mean() >= 0.9:
            told.append(Trait("flag", "black", float(blank.mean()), "nothing is seen"))
        elif lit:
            told += _exposure(lit, lines)
            blur = np.array([one.blur for one in lit])
            share = float((blur >= BLURRED).mean())
            if share >= LASTING:
                worst = lit[int(blur.argmax())]
                sure = min(0.6 + 2 * (float(np.median(blur)) - BLURRED), 0.95)
                why = f"blurred in {share:.0%} of it, most at {clock(worst.time)}"
                told.append(Trait("flag", "blurred", sure, why))
    clipped = [o for o in seen if o.sense == "clipping" and o.span.overlaps(shot)]
    if clipped:
        runs = sum(int(o.data["runs"]) for o in clipped)
        told.append(
            Trait(
                "flag",
                "sound clips",
                0.9,
                f"{runs} times, first at {clock(clipped[0].span.start)}",
                clipped[0],
            )
        )
    if shot.duration < SHORT:
        told.append(Trait("flag", "very short", 1.0, f"{float(shot.duration):.2f} s"))
    return told


def sharpness_of(samples: Sequence[Sample]) -> float | None:
    """Return how sharp a shot is, 0 to 1, its middle picture counting; None where nothing was measured."""
    return 1 - float(np.median([one.blur for one in samples])) if samples else None


def _exposure(samples: Sequence[Sample], lines: int) -> list[Trait]:
    white = float(np.median([one.white for one in samples]))
    spread = float(np.median([one.contrast for one in samples]))
    light = float(np.median([one.light for one in samples]))
    if white >= BURNT and lines < PAGE_LINES:
        return [Trait("flag", "burnt out", min(0.5 + white, 0.95), f"{white:.0%} of the picture is white")]
    if light <= DARK_LIGHT and spread <= DARK_SPREAD * light:
        why = f"mean luma {light:.2f}, and nothing in it is brighter"
        return [Trait("flag", "under-exposed", min(0.6 + 2 * (DARK_LIGHT - light), 0.9), why)]
    return []
