"""Acts: what may happen next on a stage, one small function an act; a scene is acts until its time is used."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from vidence.worlds.cast import THING_COLOURS, Actor, Thing, allowed
from vidence.worlds.drawing import pick
from vidence.worlds.event import Event
from vidence.worlds.places import FLOOR
from vidence.worlds.stage import Stage, eighths

PERSONAL = {"jump": 1.0, "wave": 1.5, "sit": 1.5, "bow": 1.5, "fall": 1.75, "dance": 2.0}
"""What anybody may do in place, with its seconds."""
PETS = ("jump", "sit", "fall", "dance")
Act = Callable[[], object]
STEP_S = 2.5  # the longest walk on a stage


def actors_of(stage: Stage) -> list[Actor]:
    """Return who is on the stage."""
    return [one for key, one in stage.entities.items() if isinstance(one, Actor) and key in stage.present]


def things_of(stage: Stage) -> list[Thing]:
    """Return the things that lie about."""
    held = {thing.key for thing in stage.holding.values()}
    return [one for key, one in stage.entities.items() if isinstance(one, Thing) and key not in held]


def slots(stage: Stage, count: int, left: float = 0.12, right: float = 0.88) -> list[float]:
    """Return `count` places across the stage, apart from each other, in random order."""
    width = (right - left) / count
    places = [left + width * (number + 0.5 + 0.3 * (stage.rng.random() - 0.5)) for number in range(count)]
    order = sorted(places, key=lambda _: stage.rng.random())
    return [place * stage.aspect for place in order]


def lay(
    stage: Stage, things: list[Thing], left: float = 0.1, right: float = 0.9, *, without: tuple[str, ...] = ()
) -> None:
    """Lay things about: on spots of the place (but `without` some), else on the floor, apart from each other."""
    spots = stage.place.spots
    ground = next(iter(spots))
    raised = [spot for spot in spots if spot != ground and spot not in without and stage.level >= 1]
    places = slots(stage, max(len(things), 3), left, right)
    for thing, x in zip(things, places, strict=False):
        spot, y = ground, FLOOR + 0.03
        if raised and stage.rng.random() < 0.4:
            spot = raised.pop(int(stage.rng.random() * len(raised)))
            first, last, y = spots[spot]
            x = (first + (last - first) * (0.3 + 0.4 * stage.rng.random())) * stage.aspect
        stage.put(thing, x, y, spot=spot)


def personal(stage: Stage) -> Act | None:
    """Somebody jumps, waves, sits down, bows, falls over or dances."""
    actors = [actor for actor in actors_of(stage) if actor.key not in stage.holding]
    if not actors:
        return None
    actor = pick(stage.rng, actors)
    verb = pick(stage.rng, list(PERSONAL) if actor.person else PETS)
    if PERSONAL[verb] > stage.left_s:  # none instead: the shortest would be the likeliest
        return None

    def act() -> None:
        stage.do(actor, verb, PERSONAL[verb], verb)
        if verb == "sit":
            stage.wait(0.5)
            stage.rest(actor)

    return act


def stroll(stage: Stage) -> Act | None:
    """Somebody walks to the other side."""
    actors = actors_of(stage)
    if not actors or stage.left_s < STEP_S:
        return None
    actor = pick(stage.rng, actors)
    here = stage.x(actor) / stage.aspect
    goal = (0.12 + 0.2 * stage.rng.random()) if here > 0.5 else (0.68 + 0.2 * stage.rng.random())
    verb = "walk_left" if goal < here else "walk_right"
    return partial(stage.walk, actor, goal * stage.aspect, verb=verb)


def lift(stage: Stage) -> Act | None:
    """Somebody picks something up."""
    actors = [actor for actor in actors_of(stage) if actor.key not in stage.holding]
    things = [
        one for one in things_of(stage) if _light(one) and stage.spots[one.key] not in ("under", "shelf", "")
    ]
    if not actors or not things or stage.left_s < STEP_S + 1.5:
        return None
    actor, thing = pick(stage.rng, actors), pick(stage.rng, things)
    if not actor.person and stage.pose_for(thing) == "touch":
        return None
    return lambda: stage.pick_up(actor, thing)


def drop(stage: Stage) -> Act | None:
    """Somebody puts down what it holds."""
    actors = [actor for actor in actors_of(stage) if actor.key in stage.holding]
    if not actors or stage.left_s < STEP_S + 1.5:
        return None
    actor = pick(stage.rng, actors)
    spots = stage.place.spots
    ground = next(iter(spots))
    taken = {stage.spots[thing.key] for thing in things_of(stage)}
    free = [spot for spot in spots if spot not in ("under", "shelf", *taken)] if actor.person else []
    spot = pick(stage.rng, [ground, *free]) if free else ground
    first, last, y = spots[spot]
    y = FLOOR + 0.03 if spot == ground else y
    others = [stage.x(one) for one in things_of(stage)]
    wanted = [(first + (last - first) * share / 6) * stage.aspect for share in range(1, 6)]
    x = max(
        wanted, key=lambda x: min([abs(x - other) for other in others] + [0.5]) + 0.05 * stage.rng.random()
    )
    return lambda: stage.put_down(actor, spot, x, y)


def hand_over(stage: Stage) -> Act | None:
    """Somebody gives what it holds to somebody else."""
    givers = [actor for actor in actors_of(stage) if actor.key in stage.holding and actor.person]
    takers = [actor for actor in actors_of(stage) if actor.key not in stage.holding and actor.person]
    if not givers or not takers or stage.left_s < STEP_S + 1.5:
        return None
    giver, taker = pick(stage.rng, givers), pick(stage.rng, takers)
    return lambda: stage.give(giver, taker)


def lid(stage: Stage) -> Act | None:
    """Somebody opens or closes a box."""
    actors = [actor for actor in actors_of(stage) if actor.person and actor.key not in stage.holding]
    boxes = [
        thing
        for thing in things_of(stage)
        if thing.noun == "box" and stage.spots[thing.key] not in ("shelf", "under")
    ]
    if not actors or not boxes or stage.left_s < STEP_S + 1.25:
        return None
    actor, box = pick(stage.rng, actors), pick(stage.rng, boxes)
    return lambda: open_or_close(stage, actor, box)


def open_or_close(stage: Stage, actor: Actor, box: Thing) -> None:
    """Go to a box and open it, or close it where it is open."""
    verb = "close" if box.key in stage.opened else "open"
    pose = stage.pose_for(box)
    stage.approach(actor, box, pose)
    stage.beat(actor, pose, 1.25)
    stage.beat(box, "lid", 1.25, value=verb)
    stage.tell(verb, actor, 1.25, box)
    stage.opened ^= {box.key}
    stage.rest(actor)


def bump(stage: Stage) -> Act | None:
    """Two things on the floor roll towards each other and bump."""
    things = [
        one
        for one in things_of(stage)
        if one.noun in ("ball", "car") and stage.spots[one.key] in ("floor", "ground")
    ]
    if len(things) < 2 or stage.left_s < 2:
        return None
    one, other = things[0], things[1]

    def act() -> None:
        middle, reach = (stage.x(one) + stage.x(other)) / 2, (one.size + other.size) / 4
        side = 1 if stage.x(one) < stage.x(other) else -1
        y = FLOOR + 0.03
        stage.beat(one, "roll", 1.0, (middle - side * reach, y))
        stage.beat(other, "roll", 1.0, (middle + side * reach, y))
        stage.events.append(
            Event("collide", stage.span(stage.now_s, stage.now_s + 2), stage.index, one, other)
        )
        stage.wait(1.0)
        stage.beat(one, "roll", 1.0, (middle - side * (reach + 0.14), y))
        stage.beat(other, "roll", 1.0, (middle + side * (reach + 0.14), y))
        stage.wait(1.0)

    return act


def recolour(stage: Stage) -> Act | None:
    """A thing changes its colour, once a scene."""
    turned = any(event.verb == "turn_colour" for event in stage.events)
    things = [thing for thing in things_of(stage) if thing.colour]
    if stage.level < 2 or turned or not things or stage.left_s < 1.5:
        return None
    thing = pick(stage.rng, things)
    colours = [one for one in THING_COLOURS if one != thing.colour and allowed(stage.split, thing.noun, one)]
    colour = pick(stage.rng, colours)

    def act() -> None:
        stage.beat(thing, "turn_colour", 1.0, value=colour)
        stage.tell("turn_colour", thing, 1.0, value=colour)

    return act


def come(stage: Stage) -> Act | None:
    """Somebody who waits outside comes in."""
    away = [one for key, one in stage.entities.items() if isinstance(one, Actor) and key not in stage.present]
    if not away or stage.left_s < STEP_S:
        return None
    actor = pick(stage.rng, away)
    taken = [stage.x(one) for one in actors_of(stage)]
    spots = [(0.15 + 0.14 * number) * stage.aspect for number in range(6)]
    x = max(spots, key=lambda x: min([abs(x - other) for other in taken] + [0.4]) + 0.05 * stage.rng.random())
    return lambda: stage.enter(actor, x)


def go(stage: Stage) -> Act | None:
    """Somebody leaves."""
    actors = actors_of(stage)
    if len(actors) < 2 or stage.left_s < STEP_S:
        return None
    actor = pick(stage.rng, actors)
    return lambda: stage.leave(actor)


ACTS = (
    personal,
    personal,
    personal,
    stroll,
    lift,
    lift,
    drop,
    hand_over,
    hand_over,
    lid,
    lid,
    bump,
    come,
    come,
    recolour,
    recolour,
    go,
)


def play(stage: Stage, most: int) -> None:
    """Let acts follow each other, with pauses, until the time is used or `most` have been played."""
    stage.wait(0.25 + eighths(0.5 * stage.rng.random()))
    for _ in range(most):
        possible = [found for found in (act(stage) for act in ACTS) if found is not None]
        if not possible:
            break
        pick(stage.rng, possible)()
        stage.wait(min(0.25 + eighths(0.75 * stage.rng.random()), max(stage.left_s, 0)))


def _light(thing: Thing) -> bool:
    return thing.size <= 0.15
