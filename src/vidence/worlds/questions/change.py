"""State and chain: what has changed in the end, and in which order deeds follow each other."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise, permutations

from vidence.timeline import Span
from vidence.worlds.acts import PERSONAL
from vidence.worlds.cast import THING_COLOURS, Actor, Thing, allowed
from vidence.worlds.event import Event
from vidence.worlds.lexicon import Tongue, word
from vidence.worlds.question import Question
from vidence.worlds.questions.asker import Asker
from vidence.worlds.questions.facts import Facts
from vidence.worlds.questions.wrong import other_deeds
from vidence.worlds.scene import Scene

JOINTS = {"en": " → ", "zh": " → ", "es": " → "}


@dataclass(frozen=True, slots=True)
class Change:
    """How a thing is in the end: a key of the lexicon's states, with a spot or who holds it."""

    thing: Thing
    state: str
    spot: str = ""
    holder: Actor | None = None

    def said(self, tongue: Tongue) -> str:
        """Say it."""
        return tongue.say(
            word("states", self.state, tongue.language), t=tongue.thing(self.thing),
            v=tongue.plain("spots", self.spot) if self.spot else "", o=tongue.actor(self.holder) if self.holder else "",
        )  # fmt: skip


def state(facts: Facts, asker: Asker) -> Iterator[Question]:
    """Ask what has changed in a scene."""
    tongue = asker.tongue
    for scene in facts.scenes:
        events = facts.events[scene.index]
        for event in events:
            if event.verb == "turn_colour" and isinstance(event.subject, Thing):
                yield from _colour(facts, asker, scene, event)
        deeds = [
            event
            for event in events
            if event.verb in ("pick_up", "put_down", "give", "open", "close")
            and isinstance(event.subject, Actor)
            and event.subject.noun != "filmer"
        ]
        scope = asker.only(facts, scene.index)
        if scope is None or not deeds:
            continue
        last = {event.thing.key: event for event in deeds if event.thing}
        changes = [
            _change(scene, event, [one for one in events if one.span.start >= event.span.end])
            for event in last.values()
        ]
        right = [one for one in changes if one is not None]
        things = [part.entity for part in facts.parts(scene, Thing) if isinstance(part.entity, Thing)]
        wrong = [
            one
            for one in _untrue(facts, scene, things)
            if all(_differs(one, true) for true in changes if true)
        ]
        for change in right[:1]:
            # of one kind with the right one first, so that its wording does not give it away
            alike = [one for one in wrong if one.state == change.state]
            rest = [one for one in wrong if one.state != change.state]
            spans = [event.span for event in last.values() if event.thing is change.thing]
            pool = alike if len(alike) >= 3 else alike + rest
            shut = [
                one for one in wrong if one.state == "open"
            ]  # where a box is, that it is open is an option
            if shut and change.state != "open":
                pool = [shut[0], *[one for one in pool if one.state != "open"][:2]]
            yield from asker.made(
                "state_end", change, pool, lambda one: one.said(tongue), [scene.span, *spans][:1], scope=scope
            )
        for event in last.values():
            if event.verb == "put_down" and event.thing and len(scene.place.spots) > 1:
                spots = [spot for spot in scene.place.spots if spot not in (event.value, "under", "shelf")]
                ground = next(iter(scene.place.spots))
                if event.value == ground and asker.rng.random() < 0.5:
                    continue
                yield from asker.made(
                    "state_where", event.value, spots, lambda one: tongue.plain("spots", one), [event.span],
                    scope=scope, t=tongue.thing(event.thing),
                )  # fmt: skip


def _colour(facts: Facts, asker: Asker, scene: Scene, event: Event) -> Iterator[Question]:
    tongue, thing = asker.tongue, event.subject
    scope = asker.scope(facts, ("turns", thing.noun), scene.index)
    if scope is None:
        return
    split = facts.world.setting.split
    colours = [
        one
        for one in THING_COLOURS
        if one not in (event.value, thing.colour) and (split == "test" or allowed(split, thing.noun, one))
    ]
    yield from asker.made(
        "state_colour", event.value, colours, lambda one: tongue.plain("colours", one), [event.span], scope=scope,
        n=tongue.the("things", thing.noun),
    )  # fmt: skip


def _change(scene: Scene, event: Event, later: list[Event]) -> Change | None:
    """Return what an event and those later have changed since the scene's start; boxes are closed then."""
    thing = event.thing
    assert thing is not None
    if event.verb in ("open", "close"):
        return Change(thing, "open") if event.verb == "open" else None
    if event.verb == "put_down":
        part = scene.part(thing.key)
        before = part.at(0.0) if part else None
        lay_there = (
            before and before.pose != "held" and abs(before.y - scene.place.spots[event.value][2]) < 0.05
        )
        return None if lay_there else Change(thing, "spot", event.value)
    holder = event.other if event.verb == "give" else event.subject
    if holder is not None and any(one.verb == "leave" and one.subject.key == holder.key for one in later):
        return Change(thing, "gone")
    return Change(thing, "held", holder=holder) if isinstance(holder, Actor) and holder.person else None


def _untrue(facts: Facts, scene: Scene, things: list[Thing]) -> list[Change]:
    actors = [
        one for part in facts.parts(scene, Actor) if isinstance(one := part.entity, Actor) and one.person
    ]
    actors += [actor for actor in facts.world.actors if actor.person and actor not in actors][:2]
    made = [Change(thing, "held", holder=actor) for thing in things for actor in actors]
    made += [
        Change(thing, "spot", spot)
        for thing in things
        for spot in scene.place.spots
        if spot not in ("under", "shelf")
    ]
    made += [Change(thing, "gone") for thing in things]
    made += [Change(thing, "open") for thing in things if thing.noun == "box"]
    return made


def _differs(one: Change, true: Change) -> bool:
    """Say whether a statement is surely untrue beside a true one, or of an unmoved thing and so no change."""
    return one.thing is not true.thing or (one.state, one.spot, one.holder) != (
        true.state,
        true.spot,
        true.holder,
    )


def chain(facts: Facts, asker: Asker) -> Iterator[Question]:
    """Ask in which order three deeds (four at level 3) follow each other, all of which could come in any order."""
    tongue = asker.tongue
    for scene in facts.scenes:
        events = [
            event for event in facts.events[scene.index] if event.verb in PERSONAL or event.verb == "point"
        ]
        events = [event for event in events if sum(one.signature == event.signature for one in events) == 1]
        for subject in {event.subject.key: event.subject for event in events}.values():
            mine = [event for event in events if event.subject.key == subject.key]
            scope = asker.only(facts, scene.index)
            if len(mine) >= 3 and scope is not None:
                yield from _ordered(asker, mine, "chain", scope, tongue.name(subject))
            if len(mine) >= 2 and scope is not None and isinstance(subject, Actor):
                yield from _following(facts, asker, mine, scope)
        mixed = [event for event in events if event.subject.noun != "filmer"]
        if len(mixed) >= 3 and len({event.subject.key for event in mixed}) > 1:
            scope = asker.only(facts, scene.index)
            if scope is not None:
                yield from _ordered(asker, mixed, "chain_all", scope, "")


def _following(facts: Facts, asker: Asker, mine: list[Event], scope: str) -> Iterator[Question]:
    """Ask what comes right after a deed: wrong are deeds of before, and such as are never done."""
    tongue, who = asker.tongue, mine[0].subject
    deeds = [event for event in facts.events[mine[0].scene] if event.subject.key == who.key]
    for before, after in pairwise(deeds):
        if before not in mine or after not in mine:
            continue
        others = [event for event in mine if event not in (before, after)]
        wrong = others[:1] + other_deeds(facts, asker, after, facts.deeds[who.look])
        yield from asker.made(
            "chain_next", after, [one for one in wrong if one.verb in PERSONAL],
            lambda one: tongue.clause(one, "").strip(),
            [before.span.hull(after.span)], scope=scope, a=tongue.name(who), c=tongue.clause(before, "").strip(),
        )  # fmt: skip


def _ordered(asker: Asker, events: list[Event], form: str, scope: str, who: str) -> Iterator[Question]:
    tongue = asker.tongue
    length = 4 if asker.world.setting.level > 2 and len(events) > 3 else 3
    first = int(asker.rng.random() * (len(events) - length + 1))
    chosen = events[first : first + length]
    joint = JOINTS[tongue.language]
    said = [tongue.clause(event, "").strip() if who else tongue.clause(event) for event in chosen]
    orders = [joint.join(order) for order in permutations(said)]
    span: Span = chosen[0].span.hull(chosen[-1].span)
    yield from asker.made(form, orders[0], orders[1:], str, [span], scope=scope, a=who)
