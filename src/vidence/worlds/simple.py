"""Scenes of level 0: one thing or one actor on a plain ground does one thing."""

from __future__ import annotations

from vidence.worlds.acts import PERSONAL, PETS
from vidence.worlds.cast import COLOURS, THING_COLOURS, Actor, Thing, allowed
from vidence.worlds.drawing import pick
from vidence.worlds.stage import Stage, eighths

THING_ACTS = ("move_left", "move_right", "move_up", "move_down", "grow", "shrink", "jump", "turn_colour")
LARGE_THING, LARGE_ACTOR, LARGE_ANIMAL = 0.34, 1.55, 0.52


def simple_thing(stage: Stage, thing: Thing) -> None:
    """Show one large thing that moves, grows, shrinks, jumps or changes its colour."""
    rng, wide = stage.rng, stage.aspect
    verb = pick(rng, THING_ACTS if thing.colour else THING_ACTS[:-1])
    x, y = (0.3 + 0.4 * rng.random()) * wide, 0.6 + 0.2 * rng.random()
    go = {"move_left": (-1, 0), "move_right": (1, 0), "move_up": (0, -1), "move_down": (0, 1)}.get(verb)
    if go:
        x, y = wide * (0.5 - 0.3 * go[0]), 0.66 - 0.26 * go[1]
    stage.put(thing, x, y, spot="ground")
    stage.wait(_pause(stage))
    seconds = max(min(2.0, eighths(stage.left_s - 0.25)), 0.5)
    if go:
        stage.beat(thing, "slide", seconds, (wide * (0.5 + 0.3 * go[0]), 0.66 + 0.26 * go[1]))
        stage.tell(verb, thing, seconds)
    elif verb in ("grow", "shrink"):
        stage.beat(thing, "scale", seconds, value="1.7" if verb == "grow" else "0.5")
        stage.tell(verb, thing, seconds)
    elif verb == "jump":
        jumps(stage, thing, "bounce")
    else:
        colours = [
            one for one in THING_COLOURS if one != thing.colour and allowed(stage.split, thing.noun, one)
        ]
        colour = pick(rng, colours or [one for one in COLOURS if one != thing.colour])
        stage.beat(thing, "turn_colour", 1.0, value=colour)
        stage.tell("turn_colour", thing, min(1.0, stage.left_s), value=colour)


def simple_actor(stage: Stage, actor: Actor) -> None:
    """Show one large actor that walks, jumps, waves, sits down, bows, falls over or dances."""
    rng, wide = stage.rng, stage.aspect
    verbs = [*(PERSONAL if actor.person else PETS), "walk_left", "walk_right"]
    verb = pick(rng, [one for one in verbs if PERSONAL.get(one, 1.5) + 0.25 <= stage.left_s] or ["jump"])
    scale = LARGE_ACTOR if actor.person else LARGE_ANIMAL / actor.size
    way = {"walk_left": -1, "walk_right": 1}.get(verb, 0)
    x = wide * (0.5 - 0.3 * way) if way else wide * (0.35 + 0.3 * rng.random())
    stage.put(actor, x, 0.94, scale=scale, facing=way or pick(rng, (-1, 1)))
    stage.wait(_pause(stage))
    if way:
        seconds = max(min(2.5, eighths(stage.left_s - 0.25)), 1.0)
        stage.beat(actor, "walk", seconds, (wide * (0.5 + 0.3 * way), 0.94), facing=way)
        stage.tell(verb, actor, min(seconds, stage.left_s))
    elif verb == "jump":
        jumps(stage, actor, "jump")
    else:
        stage.do(actor, verb, PERSONAL[verb], verb)


def jumps(stage: Stage, who: Actor | Thing, pose: str) -> None:
    """Jump one to four times, as the time allows."""
    most = max(min(4, int((stage.left_s - 0.125) / 1.0)), 1)
    for _ in range(1 + int(stage.rng.random() * most)):
        seconds = min(0.75, stage.left_s)
        stage.beat(who, pose, seconds)
        stage.tell("jump", who, seconds)
        if isinstance(who, Actor):
            stage.rest(who)
        stage.wait(0.25)


def _pause(stage: Stage) -> float:
    return min(0.25 + eighths(0.5 * stage.rng.random()), max(stage.left_s - 1.25, 0))
