"""The script: from a seed to scenes, events and lines."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from random import Random

from vidence.worlds.acts import lay, play, slots
from vidence.worlds.cast import THING_COLOURS, Actor, Thing, draw_actors, draw_things, looks_of
from vidence.worlds.drawing import generator, pick, some
from vidence.worlds.ego import ego
from vidence.worlds.event import Event, Line
from vidence.worlds.lexicon import Tongue
from vidence.worlds.pictures import draw_pictures, shelf
from vidence.worlds.places import FLOOR, INDOORS, draw_place, places_of
from vidence.worlds.plot import Plot, draw_scenes, play_step
from vidence.worlds.scene import Camera, Scene
from vidence.worlds.setting import Setting
from vidence.worlds.simple import LARGE_THING, simple_actor, simple_thing
from vidence.worlds.special import (
    ODDITIES,
    chain,
    count_jumps,
    count_things,
    favourite,
    fly_banner,
    introduce,
    oddity,
    put_sign,
    show_word,
    words,
)
from vidence.worlds.stage import Stage, eighths

ROLES = {
    0: {"simple": 0.88, "word": 0.12},
    1: {"play": 0.62, "things": 0.12, "jumps": 0.08, "chain": 0.18},
    2: {
        "play": 0.36,
        "chain": 0.18,
        "ego": 0.15,
        "things": 0.07,
        "jumps": 0.07,
        "name": 0.07,
        "says": 0.05,
        "odd": 0.05,
    },
}
"""How likely each role of a scene is, by level; level 3 is cast as 2. Plots take their scenes first."""
SIGNED = {0: 0.0, 1: 0.25, 2: 0.4, 3: 0.5}
MOVED = {0: 0.0, 1: 0.0, 2: 0.25, 3: 0.6}
SMALL = {1: 0.0, 2: 0.45, 3: 0.7}


@dataclass(frozen=True, slots=True)
class Script:
    """All that happens in a world."""

    actors: tuple[Actor, ...]
    scenes: tuple[Scene, ...]
    events: tuple[Event, ...]
    lines: tuple[Line, ...]
    plots: tuple[Plot, ...]


class _Writer:
    """Writes one script; `key` is the next entity's."""

    def __init__(self, seed: int, setting: Setting) -> None:
        self.seed, self.setting, self.level, self.split = seed, setting, setting.level, setting.split
        if setting.cast == "pictures":
            shelf()
        self.rng = generator("world", self.split, self.level, seed)
        self.lengths = _lengths(self.rng, setting)
        persons = 3 if self.level < 2 else min(4 + len(self.lengths) // 12, 14)
        names = {who: some(self.rng, words(self.split, who), 8) for who in ("women", "men")}
        self.actors = draw_actors(
            self.rng, self.split, self.level, persons, 2 if self.level < 2 else 4, names
        )
        self.persons = [actor for actor in self.actors if actor.person]
        self.animals = [actor for actor in self.actors if not actor.person]
        self.places = places_of(self.split, self.level)
        self.tongue = Tongue(setting.languages[0], self.actors)
        self.key = 1000
        self.plots = self._plots() if self.level >= 2 else ()
        self.avoid = frozenset(plot.thing.noun for plot in self.plots)
        self.named: set[int] = set()

    def _plots(self) -> tuple[Plot, ...]:
        scenes, rng = len(self.lengths), self.rng
        if scenes < 3 or (scenes < 6 and rng.random() < 0.4):
            return ()
        count = min(max(scenes // (9 if self.level < 3 else 6), 1), len(self.persons) - 1, 8)
        leads = some(rng, self.persons, count)
        things = self._drawn(rng, min(self.level, 2), count, 500)
        plots = []
        for number, (lead, thing) in enumerate(zip(leads, things, strict=True)):
            first, last = number * scenes // count, (number + 1) * scenes // count - 1
            receiver = pick(rng, [actor for actor in self.persons if actor is not lead])
            plots.append(Plot(lead, thing, receiver, draw_scenes(rng, first, last)))
        return tuple(plots)

    def stage(self, index: int, start: Fraction, role: str) -> Stage:
        place = draw_place(self.rng, self.places)
        if role == "ego" and not place.indoors:
            indoors = [one for one in self.places if one.noun in INDOORS]
            place = draw_place(self.rng, indoors)
        rng = generator("scene", self.split, self.level, self.seed, index)
        return Stage(
            rng, index, start, self.lengths[index], place, self.setting.aspect, self.level, self.split
        )

    def things(self, rng: Random, count: int) -> list[Thing]:
        things = self._drawn(rng, self.level, count, self.key, self.avoid)
        self.key += 20
        return things

    def _drawn(
        self,
        rng: Random,
        level: int,
        count: int,
        key: int,
        avoid: frozenset[str] = frozenset(),
        size: float = 0.13,
    ) -> list[Thing]:
        if self.setting.cast == "pictures":
            return draw_pictures(rng, self.split, count, key, avoid, size * 1.25)
        return draw_things(rng, self.split, level, count, key, avoid, size)

    def fill(self, stage: Stage, role: str, plot: Plot | None) -> None:
        rng, level = stage.rng, self.level
        if plot is not None:
            others = [one for one in self.actors if one not in (plot.lead, plot.receiver)]
            play_step(stage, plot, role, self.things(rng, 2), self.tongue, some(rng, others, 1))
        elif role == "simple" and rng.random() < 0.55:
            self.key += 1
            simple_thing(stage, self._drawn(rng, 0, 1, self.key, size=LARGE_THING)[0])
        elif role == "simple":
            simple_actor(stage, pick(rng, self.actors))
        elif role == "word":
            show_word(stage, self.split)
        elif role == "things":
            count_things(stage, self.things(rng, 3))
        elif role == "jumps":
            count_jumps(stage, pick(rng, self.actors))
        elif role == "chain":
            chain(stage, pick(rng, self.actors), self.things(rng, 2), 3 if level < 3 else 5)
        elif role == "ego":
            ego(stage, self.things(rng, 3 + (level > 2)), 2 + level)
        elif role == "odd":
            oddity(
                stage,
                pick(rng, self.persons),
                pick(rng, self.animals),
                self.things(rng, 2),
                pick(rng, ODDITIES),
                self.split,
            )
        else:
            self._play(stage, role)

    def _play(self, stage: Stage, role: str) -> None:
        rng, level = stage.rng, self.level
        things = self.things(rng, 2 + int(rng.random() * (2 if level == 1 else 3)))
        cast = some(rng, self.actors, 2 if level == 1 else 3)
        if role in ("name", "says"):
            cast = some(rng, self.persons, 2)
        carried = self._flavour(rng, things, cast)
        lay(stage, things)
        for actor, x in zip(cast, slots(stage, len(cast)), strict=True):
            away = actor is not cast[0] and rng.random() < 0.4
            y = FLOOR - 0.02 + 0.02 * rng.random()
            stage.put(actor, x, y, facing=pick(rng, (-1, 1)), away=away)
        if carried is not None:
            stage.take_along(cast[0], carried)
        if role == "name" and cast[0].name and cast[0].key not in self.named:
            self.named.add(cast[0].key)
            stage.wait(0.25)
            introduce(stage, cast[0], self.tongue.language, rng.random() < 0.6)
        elif role == "says":
            stage.wait(0.25)
            favourite(stage, cast[0], self.tongue)
        play(stage, 3 + level)

    def _flavour(self, rng: Random, things: list[Thing], cast: list[Actor]) -> Thing | None:
        """See that there is a box to open, or things that roll, or return a thing that somebody brings along."""
        drawn = rng.random()
        if drawn > 0.7 and cast[0].person:
            return things.pop()
        nouns = ("box",) if drawn < 0.2 else ("ball", "car") if drawn < 0.3 else ()
        for at, noun in enumerate(nouns):
            colours = [colour for _, colour in looks_of((noun,), THING_COLOURS, self.split)]
            if things[at].colour and noun not in [thing.noun for thing in things]:
                things[at] = replace(things[at], noun=noun, colour=pick(rng, colours), pattern="plain")
        return None

    def dress(self, stage: Stage, role: str) -> None:
        """Put up signs, and move the camera."""
        rng = stage.rng
        if self.level and rng.random() < SIGNED[self.level] and role != "odd":
            put_sign(stage, self.split, SMALL[self.level])
        if rng.random() < MOVED[self.level] and stage.kind == "stage":
            zoomed = 1.0 + 0.1 * rng.random()
            first, last = (1.0, zoomed) if rng.random() < 0.5 else (1.1, 1.1)
            shake = 0.006 if self.level > 2 and rng.random() < 0.4 else 0.0
            stage.camera = Camera(first, last, 0.46 + 0.08 * rng.random(), 0.46 + 0.08 * rng.random(), shake)


def write_script(seed: int, setting: Setting) -> Script:
    """Plan a world: cut it into scenes, cast them, and let acts fill them."""
    writer = _Writer(seed, setting)
    steps = {number: (plot, step) for plot in writer.plots for number, step in plot.scenes}
    roles = ROLES[min(setting.level, 2)]
    stages, start = [], Fraction(0)
    for index, length in enumerate(writer.lengths):
        plot, role = steps.get(index, (None, writer.rng.choices(list(roles), list(roles.values()))[0]))
        stage = writer.stage(index, start, role)
        writer.fill(stage, role, plot)
        writer.dress(stage, role)
        stages.append(stage)
        start += length
    if setting.level >= 2:
        _hide_needles(writer, stages)
    scenes = tuple(stage.scene() for stage in stages)
    events = tuple(
        sorted((event for stage in stages for event in stage.events), key=lambda event: event.span)
    )
    lines = tuple(line for stage in stages for line in stage.lines)
    return Script(tuple(writer.actors), scenes, events, lines, writer.plots)


def _hide_needles(writer: _Writer, stages: list[Stage]) -> None:
    """Show banners with code words somewhere: in most worlds one, in a long one some, each with its own word."""
    rng = writer.rng
    wanted = 1 + int(writer.setting.duration // 1200) if rng.random() < 0.6 or len(stages) > 20 else 0
    codes, colours = some(rng, words(writer.split, "codes"), 6), some(rng, THING_COLOURS, 6)
    for stage, code, colour in zip(some(rng, stages, min(wanted, 6)), codes, colours, strict=False):
        if not any(overlay.kind == "thought" for overlay in stage.overlays):
            fly_banner(stage, code, colour, rng)


def _lengths(rng: Random, setting: Setting) -> list[Fraction]:
    """Cut the duration into scenes: 4 to 6 s at level 0, to 11 s in short worlds, to 20 s in long ones."""
    left, lengths = setting.duration, []
    shortest = 4 if setting.level < 2 else 6.5
    longest = (
        6 if setting.level == 0 else 11 if setting.duration <= 60 else 14 if setting.duration < 600 else 20
    )
    while left > 0:
        length = Fraction(eighths(shortest + (longest - shortest) * rng.random()))
        if left - length < shortest:
            length = left if left <= longest or left < 2 * shortest else Fraction(int(left * 4), 8)
        lengths.append(length)
        left -= length
    return lengths
