"""Who and what appears: actors and things with their looks, and how a world draws them."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from vidence.worlds.drawing import pick, some

COLOURS = {
    "red": (214, 40, 40),
    "yellow": (246, 212, 44),
    "green": (42, 150, 68),
    "blue": (40, 88, 210),
    "purple": (136, 56, 178),
    "orange": (244, 134, 26),
    "white": (246, 246, 244),
    "black": (34, 34, 40),
    "pink": (246, 150, 188),
    "brown": (122, 74, 38),
    "grey": (136, 138, 144),
}
THING_COLOURS = tuple(COLOURS)[:8]
FUR = ("brown", "black", "white", "grey", "orange")
SKINS = ((250, 214, 180), (224, 172, 128), (166, 110, 70), (104, 68, 46))
HAIRS = ((40, 30, 26), (96, 58, 30), (214, 172, 88), (150, 150, 150), (164, 70, 30))
HATS = ("none", "cap", "top hat", "beanie", "straw hat", "crown")
PERSONS = ("man", "woman", "boy", "girl")
ANIMALS = ("dog", "cat", "rabbit", "horse", "duck")
SIMPLE = ("ball", "box", "star", "heart", "cone", "cup", "key", "car")
THINGS = (
    *SIMPLE, "book", "apple", "bottle", "bag", "flower", "umbrella", "phone", "fish", "lamp", "balloon",
    "guitar", "drum",
)  # fmt: skip
PATTERNED = ("ball", "box", "cup", "book", "bag", "umbrella", "balloon", "drum")
PATTERNS = ("plain", "striped", "dotted")


@dataclass(frozen=True, slots=True)
class Thing:
    """A thing: what it is, its colour and pattern, and its width in heights of the picture."""

    key: int
    noun: str
    colour: str
    pattern: str = "plain"
    size: float = 0.13

    @property
    def look(self) -> tuple[str, ...]:
        """What words can tell of it: two things with one look cannot be told apart by name."""
        return (self.noun, self.colour, self.pattern)


@dataclass(frozen=True, slots=True)
class Actor:
    """A person or an animal: what it is, the colour of its shirt or fur, its hat, and its height."""

    key: int
    noun: str
    colour: str
    hat: str = "none"
    lower: str = "black"
    skin: tuple[int, int, int] = SKINS[0]
    hair: tuple[int, int, int] = HAIRS[0]
    size: float = 0.5
    name: str = ""

    @property
    def look(self) -> tuple[str, ...]:
        """What words can tell of it."""
        return (self.noun, self.colour, self.hat)

    @property
    def person(self) -> bool:
        """Say whether this is a person and not an animal."""
        return self.noun in PERSONS


Entity = Actor | Thing


def allowed(split: str, noun: str, colour: str, hat: str = "") -> bool:
    """Say whether a look belongs to a split: every fourth colour of a noun, or of a hat, is for test."""
    if hat:
        held_out = (list(COLOURS).index(colour) + 3 * HATS.index(hat)) % 4 == 0
    elif noun in ANIMALS:
        held_out = (FUR.index(colour) + 3 * ANIMALS.index(noun)) % 4 == 0
    else:
        held_out = (list(COLOURS).index(colour) + 3 * (*THINGS, "clock").index(noun)) % 4 == 0
    return held_out == (split == "test")


def looks_of(nouns: tuple[str, ...], colours: tuple[str, ...], split: str) -> list[tuple[str, str]]:
    """Return every (noun, colour) that may appear in a split."""
    return [(noun, colour) for noun in nouns for colour in colours if allowed(split, noun, colour)]


def draw_things(
    rng: Random,
    split: str,
    level: int,
    count: int,
    first_key: int,
    avoid: frozenset[str] = frozenset(),
    size: float = 0.13,
) -> list[Thing]:
    """Draw things of different nouns (from level 3 on also look-alikes: the same noun in another colour)."""
    nouns = SIMPLE if level == 0 else tuple(noun for noun in THINGS if noun not in avoid)
    looks, things = looks_of(nouns, THING_COLOURS, split), []
    for number in range(count):
        known = {thing.noun for thing in things}
        fresh = [look for look in looks if look[0] not in known]
        if level >= 3 and things and rng.random() < 0.35:
            alike = [look for look in looks if look[0] == things[0].noun and look[1] != things[0].colour]
            fresh = alike or fresh
        noun, colour = pick(rng, fresh)
        pattern = pick(rng, PATTERNS) if level >= 2 and noun in PATTERNED else "plain"
        things.append(Thing(first_key + number, noun, colour, pattern, size))
    return things


def draw_actors(
    rng: Random, split: str, level: int, persons: int, animals: int, names: dict[str, list[str]]
) -> list[Actor]:
    """Draw a world's actors, persons first; no two persons share shirt and hat, no two animals kind and fur."""
    hats = HATS if level else HATS[:1]
    colours = THING_COLOURS if level == 0 else tuple(COLOURS)
    left = {colour: [hat for hat in hats if allowed(split, "shirt", colour, hat)] for colour in colours}
    left = {colour: hats for colour, hats in left.items() if hats}
    share = pick(rng, [colour for colour in left if len(left[colour]) > 1] or list(left))
    actors: list[Actor] = []
    for number in range(min(persons, sum(map(len, left.values())))):
        # From level 2 on the first ones share a shirt: only the hat tells them apart.
        colour = share if level >= 2 and number < level and left.get(share) else pick(rng, list(left))
        hat = left[colour].pop(int(rng.random() * len(left[colour])))
        left = {colour: hats for colour, hats in left.items() if hats}
        noun = pick(rng, PERSONS[:2] if level == 0 else PERSONS)
        waiting = names["women" if noun in ("woman", "girl") else "men"]
        name = waiting.pop() if waiting else ""
        lower = pick(rng, [one for one in ("blue", "black", "brown", "grey", "green") if one != colour])
        size = 0.5 if noun in PERSONS[:2] else 0.38
        actors.append(Actor(number, noun, colour, hat, lower, pick(rng, SKINS), pick(rng, HAIRS), size, name))
    for noun, colour in some(rng, looks_of(ANIMALS, FUR, split), animals):
        actors.append(Actor(len(actors), noun, colour, size=0.26 if noun != "horse" else 0.4))
    return actors
