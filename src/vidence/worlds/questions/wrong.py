"""Wrong answers: things, places and deeds that could as well be right, to one who has not looked.

Each is drawn as right ones come about, so that no option is likelier than another by its words alone.
"""

from __future__ import annotations

from vidence.worlds.cast import (
    PATTERNED,
    PATTERNS,
    SIMPLE,
    THING_COLOURS,
    THINGS,
    Actor,
    Entity,
    Thing,
    allowed,
)
from vidence.worlds.drawing import some
from vidence.worlds.event import Event
from vidence.worlds.pictures import draw_pictures
from vidence.worlds.places import Place, places_of
from vidence.worlds.questions.asker import Asker
from vidence.worlds.questions.facts import Facts

PLAIN_VERBS = ("jump", "wave", "sit", "bow", "fall", "dance")
SIMPLE_VERBS = ("move_left", "move_right", "move_up", "move_down", "grow", "shrink", "jump")
ANYBODYS = ("jump", "sit", "fall", "dance", "walk_left", "walk_right", "pick_up", "put_down")
"""What animals do too."""
WALKS_KEPT = 0.35
"""Above level 0 somebody walks from side to side less often than it jumps or waves."""


def other_deeds(facts: Facts, asker: Asker, event: Event, done: list[Event]) -> list[Event]:
    """Return deeds of the kind of `event` that its subject does not do anywhere."""
    who = event.subject
    if event.thing is not None:
        made = _with_things(facts, event)
    elif isinstance(who, Actor):
        kept = 1.0 if facts.world.setting.level == 0 else WALKS_KEPT
        verbs = [verb for verb in PLAIN_VERBS if who.person or verb in ANYBODYS]
        verbs += [
            f"walk_{way}"
            for way in ("left", "right")
            if asker.rng.random() < kept and way not in facts.ways[who.look]
        ]
        made = [Event(verb, event.span, event.scene, who) for verb in verbs]
    else:
        made = [Event(verb, event.span, event.scene, who) for verb in SIMPLE_VERBS]
        colours = (
            [one for one in THING_COLOURS if one != who.colour and allowed(facts.split, who.noun, one)]
            if who.colour
            else []
        )
        for colour in some(asker.rng, colours, 1):
            made.append(Event("turn_colour", event.span, event.scene, who, value=colour))
    known = {one.signature for one in done}
    return [one for one in made if one.signature not in known]


def _with_things(facts: Facts, event: Event) -> list[Event]:
    """Return the same deed with other things: who puts down has first picked up, so verbs are not mixed."""
    who = event.subject
    things = [*_things(facts, event.scene, 0), *_things(facts, event.scene, 2)]
    if event.verb in ("open", "close"):
        return []
    if event.verb == "give":
        others = [one for one in facts.world.actors if one.person and one is not who]
        return [Event("give", event.span, event.scene, who, thing, one) for thing in things for one in others]
    return [Event(event.verb, event.span, event.scene, who, thing, value=event.value) for thing in things]


def _things(facts: Facts, scene: int, reach: int) -> list[Thing]:
    """Return the things of scenes up to `reach` away."""
    near = facts.scenes[max(scene - reach, 0) : scene + reach + 1]
    parts = [part.entity for one in near for part in one.parts]
    return [entity for entity in parts if isinstance(entity, Thing) and entity.noun != "clock"]


def other_things(facts: Facts, asker: Asker, scene: int, right: Entity) -> list[Thing]:
    """Return things that could be meant: some of the world's, and some drawn as its things are drawn."""
    split, level = facts.split, facts.world.setting.level
    if facts.world.setting.cast == "pictures":
        things = [*_things(facts, scene, 8), *draw_pictures(asker.rng, split, 4, 0)]
        return [one for one in things if one.look != right.look]
    nouns = SIMPLE if level == 0 else THINGS
    looks = [(noun, colour) for noun in nouns for colour in THING_COLOURS if allowed(split, noun, colour)]
    things = _things(facts, scene, 8)
    for _ in range(4):
        noun, colour = looks[int(asker.rng.random() * len(looks))]
        pattern = PATTERNS[int(asker.rng.random() * 3)] if level >= 2 and noun in PATTERNED else "plain"
        things.append(Thing(-1, noun, colour, pattern))
    return [one for one in things if one.look != right.look]


def other_nouns(facts: Facts, asker: Asker, event: Event) -> list[str]:
    """Return what might do instead what a thing does: such as come in its colour."""
    thing = event.subject
    if not thing.colour:
        return [one.noun for one in other_things(facts, asker, event.scene, thing)]
    nouns = SIMPLE if facts.world.setting.level == 0 else THINGS
    return [one for one in nouns if one != thing.noun and allowed(facts.split, one, thing.colour)]


def other_places(facts: Facts, scene: int) -> list[Place]:
    """Return places that could be meant instead: those of scenes nearby, and others where these are few."""
    setting = facts.world.setting
    look = facts.scenes[scene].place.look
    near = [one.place for one in facts.scenes[max(0, scene - 6) : scene + 7] if one.place.look != look]
    known = {place.look for place in near} | {look}
    if len(known) > 3:
        return near
    return (
        near
        + [one for one in places_of(setting.split, setting.level) if one.look not in known][scene % 5 :: 7]
    )
