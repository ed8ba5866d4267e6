"""Action, object and attribute: what is done, by whom, to what, and what it looks like."""

from __future__ import annotations

from collections.abc import Iterator

from vidence.worlds.cast import (
    COLOURS,
    HATS,
    PATTERNED,
    PATTERNS,
    THING_COLOURS,
    Actor,
    Thing,
    allowed,
)
from vidence.worlds.drawing import some
from vidence.worlds.event import Event
from vidence.worlds.question import Question
from vidence.worlds.questions.asker import Asker
from vidence.worlds.questions.facts import Facts, deed
from vidence.worlds.questions.wrong import (
    ANYBODYS,
    PLAIN_VERBS,
    SIMPLE_VERBS,
    other_deeds,
    other_nouns,
    other_things,
)

JUMPS_LEFT_OUT = 0.4
"""Jumping has scenes of its own, for counting."""
ASKED = (*PLAIN_VERBS, "walk_left", "walk_right", "pick_up", "put_down", "give", "open", "close")


def action(facts: Facts, asker: Asker) -> Iterator[Question]:
    """Ask what somebody does, and who does something."""
    tongue = asker.tongue
    for scene in facts.scenes:
        events = facts.events[scene.index]
        for event in _asked([one for one in events if one.subject.noun != "filmer"]):
            done = facts.deeds[event.subject.look]
            same = [one.span for one in done if one.signature == event.signature]
            if event.verb == "jump" and facts.world.setting.level and asker.rng.random() < JUMPS_LEFT_OUT:
                continue
            near = asker.near(facts, scene.index)
            thing_at_work = isinstance(event.subject, Thing) and facts.world.setting.level > 0
            if len(same) <= 4 and event.verb != "search" and not thing_at_work:
                made = asker.choice(
                    "action_what", event, other_deeds(facts, asker, event, done),
                    lambda one: tongue.clause(one, "").strip(),
                    [event.span] if near else same, scope=near, a=tongue.name(event.subject),
                )  # fmt: skip
                if made:
                    yield made
            key = deed(event)
            who = asker.scope(facts, key, scene.index)
            if who is not None and isinstance(event.subject, Actor) and event.subject.noun != "filmer":
                able = [actor for actor in facts.world.actors if actor.person or event.verb in ANYBODYS]
                others = [
                    actor for actor in able if actor.look != event.subject.look and actor is not event.other
                ]
                alike = [actor for actor in others if actor.person == event.subject.person]
                others = alike if len(alike) >= 3 else others
                made = asker.choice(
                    "action_who", event.subject, others, tongue.actor, [event.span], scope=who,
                    c=tongue.clause(event, "").strip(),
                )  # fmt: skip
                if made:
                    yield made


def _asked(events: list[Event]) -> list[Event]:
    """Return events worth asking for: each subject's repeated deeds once."""
    known, found = set(), []
    for event in events:
        if event.signature not in known and event.verb in (*ASKED, *SIMPLE_VERBS, "turn_colour", "search"):
            known.add(event.signature)
            found.append(event)
    return found


def object_(facts: Facts, asker: Asker) -> Iterator[Question]:
    """Ask which thing: picked up, put down, given, moving, lying somewhere, or seen at all."""
    tongue = asker.tongue
    for scene in facts.scenes:
        for event in facts.events[scene.index]:
            key = ("does", event.verb, event.subject.look)
            if (
                event.verb in ("pick_up", "put_down", "give")
                and event.thing
                and event.subject.noun != "filmer"
            ):
                scope = asker.scope(facts, key, scene.index)
                if scope is not None:
                    made = asker.choice(
                        f"object_{event.verb}", event.thing, other_things(facts, asker, scene.index, event.thing),
                        tongue.thing, [event.span], scope=scope, a=tongue.name(event.subject),
                    )  # fmt: skip
                    if made:
                        yield made
            elif isinstance(event.subject, Thing) and event.verb in (*SIMPLE_VERBS, "turn_colour"):
                scope = asker.scope(facts, deed(event), scene.index)
                if scope is not None:
                    nouns = other_nouns(facts, asker, event)
                    made = asker.choice(
                        "object_does", event.subject.noun, nouns, lambda noun: tongue.the("things", noun), [event.span],
                        scope=scope, c=tongue.clause(event, "").strip(),
                    )  # fmt: skip
                    if made:
                        yield made
        if facts.at_place[scene.place.look] == {scene.index}:
            for part in some(asker.rng, facts.parts(scene, Thing), 2):
                here = {one.entity.look for one in scene.parts}
                here |= {
                    (event.subject.noun, event.value, event.subject.pattern)
                    for event in facts.events[scene.index]
                    if event.verb == "turn_colour" and isinstance(event.subject, Thing)
                }
                here |= {overlay.thing.look for overlay in scene.overlays if overlay.thing}
                span = facts.seen(scene, part)
                wrong = [
                    one
                    for one in other_things(facts, asker, scene.index, part.entity)
                    if one.look not in here
                ]
                made = asker.choice(
                    "object_seen", part.entity, wrong, tongue.name, [span or scene.span],
                    scope=tongue.where(scene.place),
                )  # fmt: skip
                if made:
                    yield made


def attribute(facts: Facts, asker: Asker) -> Iterator[Question]:
    """Ask for colours, patterns, headgear and shirts."""
    tongue, world, split = asker.tongue, facts.world, facts.world.setting.split
    for scene in facts.scenes:
        for part in facts.parts(scene, Thing):
            thing, span = part.entity, facts.seen(scene, part) or scene.span
            assert isinstance(thing, Thing)
            turned = any(event.verb == "turn_colour" for event in facts.events[scene.index])
            scope = asker.scope(facts, ("noun", thing.noun), scene.index)
            if scope is not None and not turned and thing.colour:
                colours = [
                    one
                    for one in THING_COLOURS
                    if one != thing.colour and (split == "test" or allowed(split, thing.noun, one))
                ]
                made = asker.choice(
                    "attribute_colour", thing.colour, colours, lambda one: tongue.plain("colours", one), [span],
                    scope=scope, n=tongue.the("things", thing.noun),
                )  # fmt: skip
                if made:
                    yield made
            if thing.noun in PATTERNED and world.setting.level >= 2:
                scope = asker.scope(facts, ("noun+colour", thing.noun, thing.colour), scene.index)
                if scope is not None:
                    named = tongue.the("things", thing.noun, ("colours", thing.colour))
                    wrong = [one for one in PATTERNS if one != thing.pattern]
                    made = asker.choice(
                        "attribute_pattern", thing.pattern, wrong, lambda one: tongue.plain("patterns", one), [span],
                        scope=scope, t=named,
                    )  # fmt: skip
                    if made:
                        yield made
    yield from _looks_of_people(facts, asker)


def _looks_of_people(facts: Facts, asker: Asker) -> Iterator[Question]:
    tongue, world = asker.tongue, facts.world
    for actor in world.actors:
        alike = [one for one in world.actors if (one.noun, one.colour) == (actor.noun, actor.colour)]
        shown = [
            scene for scene in world.scenes if (part := scene.part(actor.key)) and facts.seen(scene, part)
        ]
        if actor.person and shown and len(alike) == 1 and world.setting.level >= 1:
            spans = [facts.seen(scene, part) for scene in shown[:3] if (part := scene.part(actor.key))]
            hats = [hat for hat in HATS if hat != actor.hat]
            made = asker.choice(
                "attribute_hat", actor.hat, hats, lambda hat: tongue.plain("hats", hat),
                [span for span in spans if span], a=tongue.actor(actor),
            )  # fmt: skip
            if made:
                yield made
    for event in world.events:
        if (
            isinstance(event.subject, Actor)
            and event.subject.person
            and event.verb in (*ASKED, "search", "vain")
        ):
            key = deed(event)
            scope = asker.scope(facts, key, event.scene)
            if scope is not None:
                colours = [
                    one
                    for one in (THING_COLOURS if world.setting.level == 0 else COLOURS)
                    if one != event.subject.colour
                ]
                made = asker.choice(
                    "attribute_shirt", event.subject.colour, colours, lambda one: tongue.plain("colours", one),
                    [event.span], scope=scope, c=tongue.clause(event, "").strip(),
                )  # fmt: skip
                if made:
                    yield made
