"""The script: from a seed to scenes, events and lines."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from random import Random

from vidence.worlds.acts import lay, play, slots
from vidence.worlds.cast import Actor, draw_actors, draw_things
from vidence.worlds.drawing import generator, pick, some
from vidence.worlds.event import Event, Line
from vidence.worlds.places import FLOOR, draw_place, places_of
from vidence.worlds.scene import Scene
from vidence.worlds.setting import Setting
from vidence.worlds.simple import LARGE_THING, simple_actor, simple_thing
from vidence.worlds.stage import Stage, eighths


@dataclass(frozen=True, slots=True)
class Script:
    """All that happens in a world."""

    actors: tuple[Actor, ...]
    scenes: tuple[Scene, ...]
    events: tuple[Event, ...]
    lines: tuple[Line, ...]


def write_script(seed: int, setting: Setting) -> Script:
    """Plan a world: cut it into scenes, cast them, and let acts fill them."""
    rng = generator("world", setting.split, setting.level, seed)
    lengths = _lengths(rng, setting)
    persons = 3 if setting.level < 2 else min(4 + len(lengths) // 12, 14)
    actors = draw_actors(rng, setting.split, setting.level, persons, 2 if setting.level < 2 else 3)
    places = places_of(setting.split, setting.level)
    scenes, events, lines, start, key = [], [], [], Fraction(0), 1000
    for index, length in enumerate(lengths):
        stage = Stage(
            generator("scene", setting.split, setting.level, seed, index),
            index, start, length, draw_place(rng, places), setting.aspect, setting.level,
        )  # fmt: skip
        key = _fill(stage, setting, actors, key)
        scenes.append(stage.scene())
        events += sorted(stage.events, key=lambda event: event.span)
        lines += stage.lines
        start += length
    return Script(tuple(actors), tuple(scenes), tuple(events), tuple(lines))


def _lengths(rng: Random, setting: Setting) -> list[Fraction]:
    """Cut the duration into scenes of 4 to 20 s (level 0: 4 to 6); a short world is one scene."""
    left, lengths = setting.duration, []
    longest = 6 if setting.level == 0 else 14 if setting.duration < 600 else 20
    while left > 0:
        length = Fraction(eighths(4 + (longest - 4) * rng.random()))
        if left - length < 4:
            length = left if left <= longest or left < 8 else Fraction(int(left * 4), 8)
        lengths.append(length)
        left -= length
    return lengths


def _fill(stage: Stage, setting: Setting, actors: list[Actor], key: int) -> int:
    rng = stage.rng
    if setting.level == 0:
        if rng.random() < 0.55:
            thing = draw_things(rng, setting.split, 0, 1, key, size=LARGE_THING)[0]
            simple_thing(stage, thing, setting.split)
        else:
            simple_actor(stage, pick(rng, actors))
        return key + 1
    things = draw_things(
        rng, setting.split, setting.level, 2 + int(rng.random() * (2 if setting.level == 1 else 3)), key
    )
    lay(stage, things)
    cast = some(rng, actors, 2 if setting.level == 1 else 3)
    for actor, x in zip(cast, slots(stage, len(cast)), strict=True):
        away = actor is not cast[0] and rng.random() < 0.4
        stage.put(actor, x, FLOOR - 0.02 + 0.02 * rng.random(), facing=pick(rng, (-1, 1)), away=away)
    play(stage, 3 + setting.level)
    return key + len(things)
