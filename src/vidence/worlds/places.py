"""Places: where scenes are set, what their walls or light are like, and where things can lie in them."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from vidence.worlds.drawing import held_out, pick

INDOORS = ("room", "kitchen", "shop", "office", "classroom")
OUTDOORS = ("street", "beach", "forest", "park", "station")
WALLS = {
    "cream": (240, 226, 196), "mint": (196, 226, 206), "sky": (176, 206, 232), "rose": (238, 200, 206),
    "ochre": (220, 182, 112), "slate": (168, 174, 184),
}  # fmt: skip
LIGHTS = ("day", "dusk", "night")
WEATHERS = ("clear", "clear", "rain", "snow")
GROUNDS = {
    "yellow": (236, 220, 160), "green": (182, 218, 178), "blue": (172, 200, 232), "pink": (240, 200, 206),
    "grey": (190, 192, 196), "purple": (208, 190, 226),
}  # fmt: skip
"""Pale, so that the full colours of things stand out."""

FLOOR = 0.93
"""How low actors' feet are."""


@dataclass(frozen=True, slots=True)
class Place:
    """A place: its noun, tone (walls, or light out of doors), weather, and a seed of how it is furnished."""

    noun: str
    tone: str
    weather: str = "clear"
    seed: int = 0

    @property
    def indoors(self) -> bool:
        """Say whether it has walls."""
        return self.noun in INDOORS

    @property
    def look(self) -> tuple[str, ...]:
        """What words can tell of it."""
        return (self.noun, self.tone, self.weather)

    @property
    def spots(self) -> dict[str, tuple[float, float, float]]:
        """Where things can lie: name -> (left, right in shares of the width, height of the surface from the top)."""
        if self.noun == "ground":
            return {"ground": (0.1, 0.9, 0.9)}
        floor = {"floor" if self.indoors or self.noun == "station" else "ground": (0.08, 0.58, FLOOR)}
        return floor | FURNITURE[self.noun]


TABLE = {"table": (0.66, 0.94, 0.66), "under": (0.7, 0.9, 0.9)}
FURNITURE: dict[str, dict[str, tuple[float, float, float]]] = {
    "room": TABLE | {"shelf": (0.08, 0.36, 0.34)},
    "kitchen": TABLE | {"shelf": (0.08, 0.36, 0.34)},
    "shop": {"table": TABLE["table"], "shelf": (0.08, 0.36, 0.34)},
    "office": TABLE | {"shelf": (0.08, 0.36, 0.34)},
    "classroom": TABLE,
    "street": {"bench": (0.7, 0.94, 0.72)},
    "beach": {"blanket": (0.68, 0.94, 0.86)},
    "forest": {"blanket": (0.68, 0.94, 0.86)},
    "park": {"bench": (0.7, 0.94, 0.72)},
    "station": {"bench": (0.7, 0.94, 0.72)},
}


def places_of(split: str, level: int) -> list[Place]:
    """Return every place of a split, without furnishing."""
    if level == 0:
        tones = [tone for tone in GROUNDS if (tone in ("grey", "purple")) == (split == "test")]
        return [Place("ground", tone) for tone in tones]
    looks = [Place(noun, tone) for noun in INDOORS for tone in WALLS]
    weathers = ("clear",) if level == 1 else WEATHERS[1:]
    looks += [Place(noun, tone, weather) for noun in OUTDOORS for tone in LIGHTS for weather in weathers]
    return [place for place in looks if held_out("place", *place.look) == (split == "test")]


def draw_place(rng: Random, choices: list[Place]) -> Place:
    """Draw a place of any noun, as likely each, and furnish it."""
    noun = pick(rng, sorted({place.noun for place in choices}))
    found = pick(rng, [place for place in choices if place.noun == noun])
    return Place(found.noun, found.tone, found.weather, int(rng.random() * 1_000_000))
