"""Order and grounding: what comes before what, and when."""

from __future__ import annotations

from collections.abc import Iterator

from vidence.timeline import Span
from vidence.worlds.drawing import some
from vidence.worlds.event import Event
from vidence.worlds.question import Question
from vidence.worlds.questions.asker import Asker
from vidence.worlds.questions.facts import Facts, moment

TELLING = ("search", "vain", "greet", "enter", "leave", "flag", "speak")
"""What mostly comes early, or late, in a story or a scene."""


UNLIKELY = ("speak", "greet", "search", "vain", "put_down", "walk_left", "walk_right")
"""What seldom comes next, or may go on unnamed (walking): asked for neither as the right answer nor as a wrong one."""


def order(facts: Facts, asker: Asker) -> Iterator[Question]:
    """Ask which of some events comes first or last, and what comes next."""
    tongue = asker.tongue
    events = facts.unique
    wanted = [plot.thing for plot in facts.world.plots]  # it is found late and given away last
    for number in range(0, len(events), 3):
        near = [
            one for one in events[number : number + 12] if one.verb not in TELLING and one.thing not in wanted
        ]
        fresh: dict[int, list[Event]] = {}
        for event in near:  # of one scene only one: comings and goings would tell the order
            fresh.setdefault(event.scene, []).append(event)
        chosen = some(asker.rng, [some(asker.rng, group, 1)[0] for group in fresh.values()], 4)
        chosen = list({one.thing or one.span: one for one in chosen}.values())  # taking comes before giving
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
    everything = [event for event in facts.world.events if event.verb != "find"]
    index = {id(event): number for number, event in enumerate(everything)}
    for number, event in enumerate(events):
        at = index[id(event)]
        if at + 1 >= len(everything) or everything[at + 1].span.start < event.span.end:
            continue
        after = everything[at + 1]
        if after.verb in UNLIKELY or (
            at + 2 < len(everything) and everything[at + 2].span.start == after.span.start
        ):
            continue
        if after.signature == event.signature or not facts.once(moment(after), after.scene):
            continue
        same = after.subject is event.subject
        if event.thing and after.thing == event.thing:
            continue  # who takes a thing puts it down again: no need to look
        near = [
            one for one in events[max(0, number - 8) : number + 9] if (one.subject is event.subject) == same
        ]
        others = [one for one in near if one is not after and one is not event and one.verb not in UNLIKELY]
        if len(others) < 2:
            continue
        made = asker.choice(
            "order_next", after, others, tongue.clause, [event.span.hull(after.span)], c=tongue.clause(event)
        )
        if made:
            yield made


def grounding(facts: Facts, asker: Asker) -> Iterator[Question]:
    """Ask when something happens."""
    for event in facts.world.events:
        if event.verb in ("find", "speak"):  # who speaks may speak again without saying anything of use
            continue
        scope = asker.scope(facts, moment(event), event.scene)
        if scope is not None:
            yield asker.open(
                "grounding", seconds(event.span, asker.tongue.language), [event.span], span=event.span, scope=scope,
                c=asker.tongue.clause(event),
            )  # fmt: skip


def seconds(span: Span, language: str) -> str:
    """Write a span as an answer."""
    unit = {"en": " seconds", "zh": " 秒", "es": " segundos"}[language]
    return f"{float(span.start):.1f} - {float(span.end):.1f}{unit}"
