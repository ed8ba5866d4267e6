"""Scenes with a purpose: counting, chains of deeds, impossible things, names, favourites, words on the screen."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from vidence.worlds.acts import PERSONAL, PETS, lay, open_or_close, slots
from vidence.worlds.cast import THING_COLOURS, Actor, Thing, allowed
from vidence.worlds.drawing import pick, some
from vidence.worlds.event import Event
from vidence.worlds.lexicon import Tongue, table
from vidence.worlds.overlays import width_of
from vidence.worlds.places import FLOOR
from vidence.worlds.scene import Overlay, Sign
from vidence.worlds.stage import Stage, eighths

MOST_COUNTED = 4
ODDITIES = ("float", "backwards", "vanish", "giant", "spin")


def words(split: str, what: str) -> list[str]:
    """Return the code words or names of a split."""
    return table("words")[split][what]


def put_sign(stage: Stage, split: str, small: float) -> None:
    """Put up a board with a word in a language of the split, in small letters with chance `small`."""
    rng, signs = stage.rng, table("words")[split]["signs"]
    language = pick(rng, sorted(signs))
    text = pick(rng, signs[language])
    height = 0.052 if rng.random() < small else 0.1
    height = min(height, height * 0.42 * stage.aspect / width_of(text, height))
    x = stage.aspect * 0.91 - width_of(text, height) / 2 - 0.4 * height
    stage.sign = Sign(text, language, x, 0.2 if stage.place.noun != "station" else 0.22, height)


def show_word(stage: Stage, split: str) -> None:
    """Show one large word on a plain ground."""
    signs = table("words")[split]["signs"]
    language = pick(stage.rng, sorted(signs))
    text = pick(stage.rng, signs[language])
    height = min(0.3, 0.3 * 0.9 * stage.aspect / width_of(text, 0.3))
    stage.sign = Sign(text, language, stage.aspect / 2, 0.3 + 0.4 * stage.rng.random(), height)


def count_things(stage: Stage, things: Sequence[Thing]) -> None:
    """Lay out one to four of the first thing among the others; nothing happens to them."""
    first = things[0]
    number = 1 + int(stage.rng.random() * MOST_COUNTED)
    same = [
        Thing(first.key + 500 + copy, first.noun, first.colour, first.pattern, first.size)
        for copy in range(number)
    ]
    rest = [thing for thing in things[1:] if thing.noun != first.noun]
    places = slots(stage, len(same) + len(rest), 0.06, 0.94)
    for thing, x in zip([*same, *rest], places, strict=True):
        stage.put(thing, x, FLOOR + 0.03 - 0.08 * stage.rng.random(), spot=next(iter(stage.place.spots)))
    stage.wait(stage.left_s)


def count_jumps(stage: Stage, actor: Actor) -> None:
    """Let somebody jump one to four times."""
    stage.put(actor, stage.aspect * (0.3 + 0.4 * stage.rng.random()), FLOOR, facing=pick(stage.rng, (-1, 1)))
    stage.wait(0.375)
    for _ in range(1 + int(stage.rng.random() * MOST_COUNTED)):
        stage.do(actor, "jump", 0.75, "jump")
        stage.wait(0.25)


def chain(stage: Stage, actor: Actor, things: Sequence[Thing], most: int) -> None:
    """Let somebody do different things one after the other, in any order."""
    lay(stage, list(things))
    stage.put(actor, stage.aspect * (0.4 + 0.2 * stage.rng.random()), FLOOR, facing=pick(stage.rng, (-1, 1)))
    stage.wait(0.25)
    for verb in some(stage.rng, list(PERSONAL if actor.person else PETS), most):
        if PERSONAL[verb] + 0.5 > stage.left_s:
            break
        stage.do(actor, verb, PERSONAL[verb], verb)
        stage.wait(0.25)
        stage.rest(actor)


def oddity(
    stage: Stage, person: Actor, animal: Actor, things: Sequence[Thing], verb: str, split: str
) -> None:
    """Show one impossible thing, among others to whom it might have happened."""
    rng, wide = stage.rng, stage.aspect
    lay(stage, list(things), 0.26, 0.62, without=("table", "under", "bench", "blanket"))
    colours = [one for one in THING_COLOURS if allowed(split, "clock", one)]
    clock = Thing(things[0].key + 500, "clock", pick(rng, colours), size=0.2)
    stage.put(clock, wide * 0.5, 0.3)
    stage.put(person, wide * (0.1 + 0.1 * rng.random()), FLOOR - 0.02)
    stage.put(animal, wide * (0.8 + 0.1 * rng.random()), FLOOR, facing=-1)
    stage.wait(0.75 + eighths(rng.random()))
    thing = pick(rng, list(things))
    seconds = min(2.0, stage.left_s - 0.25)
    if verb == "float":
        stage.beat(thing, "slide", seconds, (stage.x(thing), 0.3))
        stage.tell("float", thing, seconds)
    elif verb == "vanish":
        stage.wait(0.5)
        stage.beat(thing, "hidden", 0.0, delay_s=0.5)
        stage.tell("vanish", thing, 1.0)
    elif verb == "giant":
        stage.beat(animal, "scale", seconds, value="2.1")
        stage.tell("giant", animal, seconds)
    elif verb == "spin":
        stage.beat(clock, "spin", seconds)
        stage.tell("spin", clock, seconds)
    else:
        stage.put(person, wide * 0.2, FLOOR - 0.02)
        stage.walk(person, wide * 0.62, verb="backwards", backwards=True)


def introduce(stage: Stage, actor: Actor, language: str, shown: bool) -> None:
    """Let somebody say its name, in a bubble too where `shown`."""
    line = pick(stage.rng, table("templates")["line_name"][language]).format(n=actor.name)
    start = stage.now_s
    stage.say(actor, language, line, actor.name if shown else "")
    span = stage.span(start, stage.now_s)
    stage.events.append(Event("greet", span, stage.index, actor, value=actor.name))


def favourite(stage: Stage, actor: Actor, tongue: Tongue) -> None:
    """Let somebody say which colour it likes best."""
    colour = pick(stage.rng, THING_COLOURS)
    line = pick(stage.rng, table("templates")["line_colour"][tongue.language])
    start = stage.now_s
    stage.say(actor, tongue.language, line.format(n=tongue.plain("colours", colour)))
    stage.events.append(Event("speak", stage.span(start, stage.now_s), stage.index, actor, value=colour))


def fly_banner(stage: Stage, code: str, colour: str, rng: Random) -> None:
    """Show a banner with a code word for one and a half to three seconds."""
    seconds = 1.5 + eighths(1.5 * rng.random())
    start = eighths((float(stage.duration) - seconds) * rng.random())
    x = stage.aspect * 0.3
    stage.overlays.append(Overlay("banner", start, start + seconds, x, 0.13, code, colour=colour))
    banner = Thing(900_000 + stage.index, "banner", colour)
    stage.events.append(Event("flag", stage.span(start, start + seconds), stage.index, banner, value=code))


def open_boxes(stage: Stage, actor: Actor, boxes: Sequence[Thing]) -> None:
    """Let somebody open boxes one after the other."""
    for box in boxes:
        if stage.left_s > 4:
            open_or_close(stage, actor, box)
            stage.wait(0.25)
