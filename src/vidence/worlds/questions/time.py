"""Order and grounding: what comes before what, and when."""

from __future__ import annotations

from collections.abc import Iterator

from vidence.timeline import Span
from vidence.worlds.drawing import some
from vidence.worlds.event import Event
from vidence.worlds.question import Question
from vidence.worlds.questions.asker import Asker
from vidence.worlds.questions.facts import Facts


def unique_events(facts: Facts) -> list[Event]:
    """Return the events that words tell apart from all others, in order of time."""
    return [event for event in facts.world.events if facts.once(("event", event.signature), event.scene)]


def order(facts: Facts, asker: Asker) -> Iterator[Question]:
    """Ask which of some events comes first or last, and what comes next."""
    tongue = asker.tongue
    events = unique_events(facts)
    for number in range(0, len(events), 3):
        near = events[number : number + 12]
        fresh: dict[int, list[Event]] = {}
        for event in near:  # of one scene only one: comings and goings would tell the order
            fresh.setdefault(event.scene, []).append(event)
        chosen = some(asker.rng, [some(asker.rng, group, 1)[0] for group in fresh.values()], 4)
        form = "order_first" if asker.rng.random() < 0.5 else "order_last"
        if len(chosen) < 2:
            continue
        chosen.sort(key=lambda event: event.span)
        right = chosen[0] if form == "order_first" else chosen[-1]
        made = asker.choice(
            form,
            right,
            [one for one in chosen if one is not right],
            tongue.clause,
            [one.span for one in chosen],
        )
        if made:
            yield made
    everything = facts.world.events
    index = {id(event): number for number, event in enumerate(everything)}
    for event in events:
        at = index[id(event)]
        if at + 1 >= len(everything) or everything[at + 1].span.start < event.span.end:
            continue
        after = everything[at + 1]
        if after.signature == event.signature or not facts.once(("event", after.signature), after.scene):
            continue
        others = [one for one in events[max(0, at - 8) : at + 10] if one is not after and one is not event]
        made = asker.choice(
            "order_next", after, others, tongue.clause, [event.span.hull(after.span)], c=tongue.clause(event)
        )
        if made:
            yield made


def grounding(facts: Facts, asker: Asker) -> Iterator[Question]:
    """Ask when something happens."""
    for event in facts.world.events:
        scope = asker.scope(facts, ("event", event.signature), event.scene)
        if scope is not None:
            yield asker.open(
                "grounding", seconds(event.span, asker.tongue.language), [event.span], span=event.span, scope=scope,
                c=asker.tongue.clause(event),
            )  # fmt: skip


def seconds(span: Span, language: str) -> str:
    """Write a span as an answer."""
    unit = {"en": " seconds", "zh": " 秒", "es": " segundos"}[language]
    return f"{float(span.start):.1f} - {float(span.end):.1f}{unit}"
