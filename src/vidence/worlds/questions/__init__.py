"""Questions about a world, one family of kinds a file; `ask` puts them in a mix."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from math import ceil
from typing import TYPE_CHECKING

from vidence.worlds.drawing import generator
from vidence.worlds.question import SHARES, Question
from vidence.worlds.questions.asker import Asker
from vidence.worlds.questions.change import chain, state
from vidence.worlds.questions.facts import Facts
from vidence.worlds.questions.people import ego, multihop
from vidence.worlds.questions.perception import action, attribute, object_
from vidence.worlds.questions.reading import needle, text
from vidence.worlds.questions.space import counting, spatial
from vidence.worlds.questions.story import anomaly, plot, synopsis
from vidence.worlds.questions.time import grounding, order

if TYPE_CHECKING:
    from vidence.worlds.world import World

Family = Callable[[Facts, Asker], Iterator[Question]]

FAMILIES: dict[str, Family] = {
    "action": action,
    "anomaly": anomaly,
    "attribute": attribute,
    "chain": chain,
    "counting": counting,
    "ego": ego,
    "grounding": grounding,
    "multihop": multihop,
    "needle": needle,
    "object": object_,
    "order": order,
    "plot": plot,
    "spatial": spatial,
    "state": state,
    "synopsis": synopsis,
    "text": text,
}


def ask(world: World, language: str, kinds: Sequence[str], most: int | None) -> list[Question]:
    """Return the questions of some kinds in an order whose every beginning is mixed as `SHARES` says, if it can be."""
    facts = Facts(world)
    drawn = {}
    for kind in kinds:
        rng = generator("questions", world.setting.split, world.setting.level, world.seed, kind)
        drawn[kind] = list(FAMILIES[kind](facts, Asker(world, language, kind, rng)))
        rng.shuffle(drawn[kind])
    total = sum(map(len, drawn.values()))
    for kind, found in drawn.items():  # what is easily asked must not crowd out the rest
        del found[max(ceil(1.6 * SHARES[kind] / 100 * total), 3) :]
    return _mixed(world, drawn, most)


def _mixed(world: World, drawn: dict[str, list[Question]], most: int | None) -> list[Question]:
    rng = generator("mix", world.setting.split, world.setting.level, world.seed)
    mixed: list[Question] = []
    owed = {kind: rng.random() for kind in sorted(drawn) if drawn[kind]}
    while owed and (most is None or len(mixed) < most):
        whole = sum(SHARES[kind] for kind in owed)
        for kind in owed:
            owed[kind] += SHARES[kind] / whole
        kind = max(owed, key=lambda one: owed[one])
        owed[kind] -= 1
        mixed.append(drawn[kind].pop())
        if not drawn[kind]:
            del owed[kind]
    return mixed
