"""Light, colour and place of a shot, from the colour sense, the things about, and the classes it looks like."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from vidence.apps.catalogue.trait import Trait
from vidence.policies.rules.setting import setting_score
from vidence.senses.observation import Observation
from vidence.timeline import Span

if TYPE_CHECKING:
    from vidence.senses.picture import Sample

DARK, BRIGHT = 0.35, 0.68  # mean lightness
HARD, SOFT = 0.27, 0.12  # spread of luma
LOW_KEY = 0.3  # share of the picture that is all but black, with something lit in it
TONE = 0.25  # share of warm or cold colours from which they are named
WARM, COLD = ("red", "orange", "yellow", "brown", "pink"), ("blue", "cyan")
SURE_OUT, SURE_IN = 0.6, 0.66  # from which a shot counts as outdoors or indoors
PAGE_LINES, STANDS = 3, 0.7  # lines, and the share of the shot in which they stand
SCREENS = frozenset({"screen", "web page", "computer", "text"})
NOT_TOLD = 0.06  # lightness below which nothing is told of colour or place


def light_of(shot: Span, seen: Sequence[Observation], samples: Sequence[Sample]) -> list[Trait]:
    """Tell the light and colour of a shot."""
    stretches = _stretches(shot, seen)
    if not stretches:
        return []
    main = max(stretches, key=lambda pair: pair[1])[0]
    weights = np.array([weight for _, weight in stretches])
    light = float(np.average([o.data["brightness"] for o, _ in stretches], weights=weights))
    if light < NOT_TOLD:
        return [Trait("light", "dark", 0.9, "hardly anything is lit", main)]
    told: list[Trait] = []
    if light < DARK:
        told.append(Trait("light", "dark", _sure(DARK - light, 0.15), f"mean lightness {light:.2f}", main))
    elif light > BRIGHT:
        told.append(
            Trait("light", "bright", _sure(light - BRIGHT, 0.15), f"mean lightness {light:.2f}", main)
        )
    if samples:
        spread = float(np.median([one.contrast for one in samples]))
        black = float(np.median([one.black for one in samples]))
        if black >= LOW_KEY and light > NOT_TOLD:
            told.append(Trait("light", "low-key", 0.7, f"{black:.0%} of the picture is black", main))
        elif spread >= HARD:
            told.append(
                Trait("light", "high contrast", _sure(spread - HARD, 0.05), f"spread {spread:.2f}", main)
            )
        elif spread <= SOFT:
            told.append(Trait("light", "flat", _sure(SOFT - spread, 0.05), f"spread {spread:.2f}", main))
    return told + _colours(stretches, main)


def _colours(stretches: list[tuple[Observation, float]], main: Observation) -> list[Trait]:
    whole = sum(weight for _, weight in stretches)
    grey = sum(weight for o, weight in stretches if o.data["monochrome"]) / whole
    if grey > 0.5:
        return [Trait("look", "black and white", grey, main.text, main)]
    shares: dict[str, float] = {}
    for o, weight in stretches:
        for name, share in o.data["colours"]:
            shares[name] = shares.get(name, 0.0) + float(share) * weight / whole
    told = []
    for tone, names in (("warm", WARM), ("cold", COLD)):
        share = sum(shares.get(name, 0.0) for name in names)
        if share >= TONE:
            told.append(Trait("look", tone, min(0.5 + share / 2, 0.95), f"{share:.0%} {tone} colours", main))
    return told


def page_of(shot: Span, lines: Sequence[Observation], seen: Sequence[Observation]) -> Trait | None:
    """Tell a page or a screen, whose colours say nothing of a place: three lines or more stand in it for long."""
    standing = [line for line in lines if _share(line, shot) >= STANDS]
    if len(standing) < PAGE_LINES:
        return None
    screens = [
        float(p) for o in seen if o.sense == "looks" for name, p in o.data.get("kinds", ()) if name in SCREENS
    ]
    sure = min(0.6 + 0.02 * len(standing) + 0.2 * max(screens, default=0.0), 0.95)
    return Trait("place", "page or screen", sure, f"{len(standing)} lines of writing", standing[0])


def _share(seen: Observation, shot: Span) -> float:
    inside = seen.span.intersection(shot)
    return float(inside.duration / shot.duration) if inside is not None and shot.duration else 0.0


def place_of(shot: Span, seen: Sequence[Observation]) -> list[Trait]:
    """Tell indoors from outdoors and day from night; nothing where light and things do not say."""
    stretches = [o for o, _ in _stretches(shot, seen)]
    if not stretches or max(float(o.data["brightness"]) for o in stretches) < NOT_TOLD:
        return []
    main = max(stretches, key=lambda o: o.span.duration)
    things = [o for o in seen if o.sense == "objects" and o.span.overlaps(shot)]
    outdoors = setting_score("outdoors", stretches, things)
    told = []
    if outdoors >= SURE_OUT:
        told.append(Trait("place", "exterior", outdoors, "sky, plants or vehicles", main))
        day = setting_score("day", stretches, things)
        if abs(day - 0.5) >= 0.3:
            name = "day" if day > 0.5 else "night"
            told.append(
                Trait("time", name, max(day, 1 - day), f"lightness {main.data['brightness']:.2f}", main)
            )
    elif 1 - outdoors >= SURE_IN:
        told.append(Trait("place", "interior", 1 - outdoors, "neither sky nor plants, or furniture", main))
    return told


def _stretches(shot: Span, seen: Sequence[Observation]) -> list[tuple[Observation, float]]:
    found = []
    for o in seen:
        inside = o.span.intersection(shot) if o.sense == "colour" and "regions" in o.data else None
        if inside is not None and inside.duration:
            found.append((o, float(inside.duration)))
    return found


def _sure(beyond: float, far: float) -> float:
    """0.6 at the bound, 0.95 where it is `far` beyond."""
    return min(0.6 + 0.35 * beyond / far, 0.95)
