"""Spatial and counting: where things are, which way somebody goes, how many."""

from __future__ import annotations

from collections.abc import Iterator
from math import factorial

from vidence.worlds.cast import Thing
from vidence.worlds.question import Question
from vidence.worlds.questions.asker import Asker
from vidence.worlds.questions.facts import Facts
from vidence.worlds.questions.wrong import PLAIN_VERBS, other_things
from vidence.worlds.scene import Part, Scene

SPOTS_KEPT = {"floor": 0.33, "ground": 0.42, "shelf": 0.6, "bench": 0.85}
UNDER_OFFERED = 0.5  # little lies under tables, so it is not always an option
LONGEST_COUNTED_S = 180
JUMPS_NEED_S = 5.25
"""In a scene of level 0 that lasts this long, one to four jumps are as likely."""


def spatial(facts: Facts, asker: Asker) -> Iterator[Question]:
    """Ask where a thing is, what is beside it, and which way somebody goes."""
    tongue, level = asker.tongue, facts.world.setting.level
    for scene in facts.scenes:
        for event in facts.events[scene.index]:
            kind, _, way = event.verb.partition("_")
            if kind in ("walk", "move") and way in ("left", "right", "up", "down"):
                scope = asker.scope(facts, ("goes", event.subject.look), scene.index)
                ways = ("left", "right", "up", "down") if kind == "move" else ("left", "right")
                if scope is not None:
                    made = asker.choice(
                        "spatial_way", way, [one for one in ways if one != way],
                        lambda one: tongue.plain("directions", one), [event.span], scope=scope,
                        a=tongue.name(event.subject),
                    )  # fmt: skip
                    if made:
                        yield made
        still = [part for part in facts.parts(scene, Thing) if not facts.moved(scene, part.entity)]  # type: ignore[arg-type]
        if level:
            yield from _spots(facts, asker, scene, still)
            yield from _beside(facts, asker, scene.index, still)


def _spots(facts: Facts, asker: Asker, scene: Scene, still: list[Part]) -> Iterator[Question]:
    tongue, spots = asker.tongue, scene.place.spots
    ground = next(iter(spots))
    raised = [reach for spot, reach in spots.items() if spot not in (ground, "shelf")]
    if scene.kind != "stage" or len(spots) < 2:
        return
    for part in still:
        at = part.at(0.0)
        lies = [spot for spot, (left, right, y) in spots.items() if spot != ground and abs(y - at.y) < 0.001]
        clear = all(
            not left - 0.08 < at.x / facts.world.setting.aspect < right + 0.08 for left, right, y in raised
        )
        on = lies[0] if lies else ground if at.y > 0.9 and clear else ""
        scope = asker.scope(facts, ("seen", part.entity.look), scene.index)
        # More lie on floors and shelves than elsewhere: fewer of those are asked for, so that no spot is likelier.
        if not on or scope is None or asker.rng.random() > SPOTS_KEPT.get(on, 1.0):
            continue
        without = "under" if asker.rng.random() > UNDER_OFFERED else on
        wrong = [spot for spot in spots if spot not in (on, without)]
        yield from asker.made(
            "spatial_spot", on, wrong, lambda one: tongue.plain("spots", one),
            [facts.seen(scene, part) or scene.span], scope=scope, t=tongue.name(part.entity),
        )  # fmt: skip


def _beside(facts: Facts, asker: Asker, index: int, still: list[Part]) -> Iterator[Question]:
    tongue, scene = asker.tongue, facts.scenes[index]
    if len(still) != sum(isinstance(part.entity, Thing) for part in scene.parts):
        return  # one is hidden, or carried about and beside now this, now that
    row = sorted(still, key=lambda part: part.at(0.0).x)
    places = [part.at(0.0).x for part in row]
    for number, part in enumerate(row):
        scope = asker.scope(facts, ("seen", part.entity.look), index)
        for step, form in ((-1, "spatial_left"), (1, "spatial_right")):
            at = number + step
            if scope is None or not 0 <= at < len(row) or len(row) < 3:
                continue
            if abs(places[at] - places[number]) < 0.08:
                continue
            beyond = at + step
            if 0 <= beyond < len(row) and abs(places[beyond] - places[at]) < 0.06:
                continue
            wrong = [one.entity for one in row if one not in (part, row[at])]
            wrong += other_things(facts, asker, index, row[at].entity) if len(wrong) < 3 else []
            wrong = [one for one in wrong if one.look != part.entity.look]
            made = asker.choice(
                form,
                row[at].entity,
                wrong,
                tongue.name,
                [scene.span],
                scope=scope,
                t=tongue.name(part.entity),
            )
            if made:
                yield made


def counting(facts: Facts, asker: Asker) -> Iterator[Question]:
    """Ask how often somebody jumps, and how many of a kind there are."""
    tongue = asker.tongue
    yield from _deeds(facts, asker)
    for scene in facts.scenes:
        if facts.world.setting.level == 0 and scene.span.duration < JUMPS_NEED_S:
            continue
        if facts.world.setting.level:
            yield from _counted_things(facts, asker, scene.index)
        jumps = [event for event in facts.events[scene.index] if event.verb == "jump"]
        for who in {event.subject.key: event.subject for event in jumps}.values():
            mine = [event.span for event in jumps if event.subject.key == who.key]
            scope = _only(facts, asker, ("does", "jump", who.look), scene.index)
            planned = facts.world.setting.level == 0 or len(facts.events[scene.index]) == len(jumps)
            if scope is not None and 1 <= len(mine) <= 4 and planned:
                made = asker.choice(
                    "counting_jumps", len(mine), [n for n in range(1, 5) if n != len(mine)], str,
                    [mine[0].hull(mine[-1])], scope=scope, keep_order=True, a=tongue.name(who),
                )  # fmt: skip
                if made:
                    yield made


def _deeds(facts: Facts, asker: Asker) -> Iterator[Question]:
    """Ask how often anybody does something in a short world; the more common a count, the more rarely it is asked."""
    world = facts.world
    if world.setting.level == 0 or world.setting.duration > LONGEST_COUNTED_S:
        return
    mean = sum(event.verb in PLAIN_VERBS for event in world.events) / len(PLAIN_VERBS)
    chances = {n: mean**n / factorial(n) for n in range(1, 5)}  # as often as by chance alone
    for verb in PLAIN_VERBS:
        done = [event for event in world.events if event.verb == verb]
        drawn = asker.rng.random()
        if 1 <= len(done) <= 4 and drawn * chances[len(done)] < min(chances.values()):
            wrong = [n for n in range(1, 5) if n != len(done)]
            yield from asker.made(
                "counting_deeds", len(done), wrong, str, [event.span for event in done], keep_order=True,
                c=asker.tongue.clause(done[0], "").strip(),
            )  # fmt: skip


def _counted_things(facts: Facts, asker: Asker, index: int) -> Iterator[Question]:
    tongue, scene = asker.tongue, facts.scenes[index]
    copies = [part.entity for part in facts.parts(scene, Thing) if part.entity.noun != "banner"]
    if (
        facts.events[index] and any(event.verb != "flag" for event in facts.events[index])
    ) or scene.kind != "stage":
        return
    for thing in copies[:1]:
        number = sum(one.look == thing.look for one in copies)
        noun = tongue.noun("things", thing.noun)
        scope = _only(facts, asker, ("noun", thing.noun), index)
        if scope is not None and 1 <= number <= 4:
            wrong = [n for n in range(1, 5) if n != number]
            yield from asker.made(
                "counting_things", number, wrong, str, [scene.span], scope=scope, keep_order=True, n=noun
            )


def _only(facts: Facts, asker: Asker, key: tuple[object, ...], scene: int) -> str | None:
    """Return words for where a key holds in `scene` alone, however often."""
    if set(facts.found[key]) == {scene}:
        return ""
    place = facts.scenes[scene].place
    if set(facts.found[key]) & facts.at_place[place.look] == {scene}:
        return asker.tongue.where(place)
    return None
