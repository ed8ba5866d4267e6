"""Ego and multihop: what the one who films does, and who is the same one elsewhere."""

from __future__ import annotations

from collections.abc import Iterator

from vidence.worlds.cast import THING_COLOURS, Actor, Thing
from vidence.worlds.ego import HANDS
from vidence.worlds.event import Event
from vidence.worlds.question import Question
from vidence.worlds.questions.asker import Asker
from vidence.worlds.questions.facts import Facts, deed
from vidence.worlds.questions.perception import ASKED
from vidence.worlds.questions.wrong import other_deeds, other_places, other_things


def ego(facts: Facts, asker: Asker) -> Iterator[Question]:
    """Ask what the hands of the one who films do."""
    tongue = asker.tongue
    scenes = [scene for scene in facts.scenes if scene.kind == "ego"]
    for scene in scenes:
        events = facts.events[scene.index]
        mine = [event for event in events if event.subject.noun == "filmer"]
        scope = "" if len(scenes) == 1 else asker.only(facts, scene.index)
        if scope is None or not mine:
            continue
        for verb in ("pick_up", "point"):
            done = [event for event in mine if event.verb == verb]
            if len(done) == 1 and done[0].thing:
                here = [part.entity for part in scene.parts if isinstance(part.entity, Thing)]
                wrong = [one for one in here if one.look != done[0].thing.look]
                wrong = (
                    wrong
                    if len(wrong) >= 3
                    else wrong + other_things(facts, asker, scene.index, done[0].thing)
                )
                yield from asker.made(
                    f"ego_{verb}", done[0].thing, wrong, tongue.thing, [done[0].span], scope=scope
                )
        for event in mine:
            same = [one for one in mine if one.thing == event.thing]
            if event.thing and len(same) == 1 and event.value:
                other = "left" if event.value == "right" else "right"
                yield from asker.made(
                    "ego_hand", event.value, [other], lambda one: tongue.plain("hands", one), [event.span], scope=scope,
                    t=tongue.thing(event.thing),
                )  # fmt: skip
        touched = [event for event in mine if event.thing]
        if len({event.thing.key for event in touched if event.thing}) >= 2:
            yield from _ends(asker, touched, scope)
        sleeve = scene.part(HANDS["left"])
        if sleeve:
            colours = [one for one in THING_COLOURS if one != sleeve.entity.colour]
            yield from asker.made(
                "ego_sleeve", sleeve.entity.colour, colours, lambda one: tongue.plain("colours", one), [scene.span],
                scope=scope,
            )  # fmt: skip


def _ends(asker: Asker, mine: list[Event], scope: str) -> Iterator[Question]:
    """Ask for the first or the last deed: never one that must come after another."""
    tongue = asker.tongue
    free = [event for event in mine if event.verb == "pick_up" or event.verb == "point"]
    said = {tongue.clause(event, ""): event for event in free}
    if len(said) < len(free) or len(free) < 2 or mine[0] not in free:
        return
    yield from asker.made(
        "ego_first",
        free[0],
        free[1:],
        lambda one: tongue.clause(one, "").strip(),
        [mine[0].span.hull(mine[-1].span)],
        scope=scope,
    )
    if mine[-1] in free:
        yield from asker.made(
            "ego_last",
            free[-1],
            free[:-1],
            lambda one: tongue.clause(one, "").strip(),
            [mine[0].span.hull(mine[-1].span)],
            scope=scope,
        )


def multihop(facts: Facts, asker: Asker) -> Iterator[Question]:
    """Ask of somebody who is known by another deed, a name or a word."""
    tongue = asker.tongue
    for event in facts.world.events:
        who = event.subject
        if not isinstance(who, Actor) or who.noun == "filmer":
            continue
        if event.verb in ("greet", "speak"):
            yield from _told(facts, asker, event, who)
        if event.verb not in ASKED or not facts.once(deed(event), event.scene):
            continue
        shown = facts.shown[who.look]
        elsewhere = [
            number
            for number in shown
            if facts.scenes[number].place.look != facts.scenes[event.scene].place.look
        ]
        if elsewhere and len(shown) <= 12:
            at = elsewhere[int(asker.rng.random() * len(elsewhere))]
            places = {facts.scenes[number].place.look for number in shown}
            wrong = [
                place
                for place in other_places(facts, at)
                if place.look not in places and place.look not in facts.empty
            ]
            spans = [
                event.span,
                *(
                    facts.scenes[number].span
                    for number in elsewhere
                    if facts.scenes[number].place.look == facts.scenes[at].place.look
                ),
            ]
            yield from asker.made(
                "hop_also",
                facts.scenes[at].place,
                wrong,
                tongue.where,
                spans,
                c=tongue.clause(event, "").strip(),
            )
        for verb in ("pick_up", "put_down"):
            done = [one for one in facts.deeds[who.look] if one.verb == verb]
            if (
                len(done) == 1
                and done[0].thing
                and done[0].scene != event.scene
                and done[0].thing != event.thing
            ):
                yield from asker.made(
                    "hop_thing", done[0].thing, other_things(facts, asker, done[0].scene, done[0].thing), tongue.thing,
                    [event.span, done[0].span], c=tongue.clause(event, "").strip(), v=tongue.plain("does", verb),
                )  # fmt: skip


def _told(facts: Facts, asker: Asker, event: Event, who: Actor) -> Iterator[Question]:
    tongue = asker.tongue
    if event.verb == "speak":
        if len([one for one in facts.deeds[who.look] if one.verb == "speak"]) == 1:
            colours = [one for one in THING_COLOURS if one != event.value]
            yield from asker.made(
                "hop_says", event.value, colours, lambda one: tongue.plain("colours", one), [event.span],
                needs=("frames", "speech"), a=tongue.actor(who),
            )  # fmt: skip
        return
    shown = any(overlay.text for overlay in facts.scenes[event.scene].overlays if overlay.kind == "speech")
    deeds = [one for one in facts.deeds[who.look] if one.verb in ASKED]
    if deeds:
        right = deeds[int(asker.rng.random() * len(deeds))]
        same = [one.span for one in deeds if one.signature == right.signature]
        wrong = other_deeds(facts, asker, right, facts.deeds[who.look])
        yield from asker.made(
            "hop_name", right, wrong, lambda one: tongue.clause(one, "").strip(),
            [event.span, *same], needs=("frames", "text" if shown else "speech"), n=event.value,
        )  # fmt: skip
