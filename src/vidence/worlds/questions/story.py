"""Plot, synopsis and anomaly: what it is all about, and what cannot be."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from vidence.worlds.cast import Actor, Thing
from vidence.worlds.event import Event
from vidence.worlds.places import Place
from vidence.worlds.plot import Plot
from vidence.worlds.question import Question
from vidence.worlds.questions.asker import Asker
from vidence.worlds.questions.facts import Facts
from vidence.worlds.questions.wrong import other_places, other_things
from vidence.worlds.special import ODDITIES
from vidence.worlds.synopsis import found_at, story, synopsis_of


def plot(facts: Facts, asker: Asker) -> Iterator[Question]:
    """Ask what somebody looks for and why, where it is found, and who gets it."""
    tongue, world = asker.tongue, facts.world
    for one in world.plots:
        lead = tongue.actor(one.lead)
        spans = {step: facts.scenes[number].span for number, step in one.scenes}
        events = {
            event.verb: event
            for number, _ in one.scenes
            for event in facts.events[number]
            if event.subject.key == one.lead.key
        }
        searched, found = events["search"], events["find"]
        yield from asker.made(
            "plot_what",
            one.thing,
            other_things(facts, asker, searched.scene, one.thing),
            tongue.thing,
            [searched.span],
            a=lead,
        )
        yield from asker.made(
            "plot_where", facts.scenes[found.scene].place, other_places(facts, found.scene), tongue.where,
            [searched.span, found.span], a=lead,
        )  # fmt: skip
        if "give" not in events or events["give"].thing != one.thing:
            continue
        given = events["give"]
        others = [actor for actor in world.actors if actor.person and actor not in (one.lead, one.receiver)]
        yield from asker.made(
            "plot_who", one.receiver, others, tongue.actor, [searched.span, given.span], a=lead
        )
        yield from asker.made(
            "plot_why", one.receiver, others[:4], lambda actor: asker.said("reason", o=tongue.actor(actor)),
            [found.span, given.span, spans["search"]], a=lead, t=tongue.thing(one.thing),
        )  # fmt: skip


def synopsis(facts: Facts, asker: Asker) -> Iterator[Question]:
    """Ask for a summary, and which summary fits."""
    world, tongue = facts.world, asker.tongue
    evidence = [facts.scenes[number].span for one in world.plots for number, _ in one.scenes] or [world.span]
    yield asker.open("synopsis_open", synopsis_of(world, tongue), evidence)
    for one in world.plots:
        place = found_at(world, one)
        things = other_things(facts, asker, one.scenes[-1][0], one.thing)
        actors = [actor for actor in world.actors if actor.person and actor not in (one.lead, one.receiver)]
        places = other_places(facts, one.scenes[-2][0])
        drawn = _altered(asker, one, place, things, actors, places)
        yield from asker.made(
            "synopsis_choice",
            (one, place),
            drawn,
            lambda pair: story(tongue, *pair),
            [facts.scenes[number].span for number, _ in one.scenes],
        )


def _altered(
    asker: Asker, plot: Plot, place: Place, things: list[Thing], actors: list[Actor], places: list[Place]
) -> list[tuple[Plot, Place]]:
    """Change a plot in two of its four slots each: no value is in more options than another by much."""
    rng = asker.rng
    thing = things[int(rng.random() * len(things))] if things else plot.thing
    other = actors[int(rng.random() * len(actors))] if actors else plot.receiver
    elsewhere = places[int(rng.random() * len(places))] if places else place
    made = [
        (replace(plot, thing=thing), elsewhere),
        (replace(plot, thing=thing, receiver=other), place),
        (replace(plot, receiver=other), elsewhere),
    ]
    return [pair for pair in made if pair[0] != plot or pair[1] != place]


def anomaly(facts: Facts, asker: Asker) -> Iterator[Question]:
    """Ask for the impossible thing that happens."""
    world, tongue = facts.world, asker.tongue
    odd = [event for event in world.events if event.verb in ODDITIES]
    for event in odd:
        scope = "" if len(odd) == 1 else asker.only(facts, event.scene)
        if scope is None:
            continue
        parts = [part.entity for part in facts.scenes[event.scene].parts]
        wrong = []
        for verb in ODDITIES:
            fit = [one for one in parts if _may(verb, one)]
            wrong += [
                Event(verb, event.span, event.scene, one)
                for one in fit
                if (verb, one.key) != (event.verb, event.subject.key)
            ]
        yield from asker.made(
            "anomaly",
            event,
            [one for one in wrong if one.verb != event.verb],
            tongue.clause,
            [event.span],
            scope=scope,
        )


def _may(verb: str, one: Actor | Thing) -> bool:
    if verb == "spin":
        return one.noun == "clock"
    if isinstance(one, Thing):
        return verb in ("float", "vanish") and one.noun != "clock"
    return verb == ("backwards" if one.person else "giant")
