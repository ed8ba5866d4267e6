"""What is true of a world, indexed so that a question can tell whether it has one answer."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable
from fractions import Fraction
from typing import TYPE_CHECKING

from vidence.timeline import Span
from vidence.worlds.cast import Actor, Entity, Thing
from vidence.worlds.event import Event
from vidence.worlds.scene import Part, Scene

if TYPE_CHECKING:
    from vidence.worlds.world import World


class Facts:
    """A world's events and appearances, by what words tell of them.

    `found[key]` are the scenes in which a key holds, one entry an occurrence; keys are tuples whose first item says
    what they are: ("verb", ...), ("seen", look), ("noun", noun)...
    """

    def __init__(self, world: World) -> None:
        self.world = world
        self.scenes = world.scenes
        self.events: dict[int, list[Event]] = defaultdict(list)
        self.deeds: dict[Hashable, list[Event]] = defaultdict(list)
        self.found: dict[Hashable, list[int]] = defaultdict(list)
        self.at_place: dict[Hashable, set[int]] = defaultdict(set)
        for scene in world.scenes:
            self.at_place[scene.place.look].add(scene.index)
            for part in scene.parts:
                self._appears(scene, part.entity)
        for event in world.events:
            self.events[event.scene].append(event)
            self.deeds[event.subject.look].append(event)
            for key in keys(event):
                self.found[key].append(event.scene)

    def _appears(self, scene: Scene, entity: Entity) -> None:
        self.found["seen", entity.look].append(scene.index)
        self.found["noun", entity.noun].append(scene.index)
        self.found["noun+colour", entity.noun, entity.colour].append(scene.index)

    def parts(self, scene: Scene, kind: type[Thing] | type[Actor]) -> list[Part]:
        """Return a scene's things or actors that are ever seen in it."""
        return [part for part in scene.parts if isinstance(part.entity, kind) and self.seen(scene, part)]

    def seen(self, scene: Scene, part: Part) -> Span | None:
        """Return from when to when a part is in the picture, whole; None if never."""
        inside = (0.0, self.world.setting.aspect)
        times = [step / 4 for step in range(int(scene.span.duration * 4))]
        shown = []
        for time in times:
            state = part.at(time)
            if state.pose == "held" or (state.pose != "hidden" and inside[0] <= state.x <= inside[1]):
                shown.append(time)
        if not shown:
            return None
        return Span.of(scene.span.start, scene.span.end) if len(shown) == len(times) else Span(
            scene.span.start + Fraction(shown[0]), min(scene.span.start + Fraction(shown[-1] + 0.25), scene.span.end)
        )  # fmt: skip

    def moved(self, scene: Scene, thing: Thing) -> bool:
        """Say whether a thing is moved or changed in a scene."""
        part = scene.part(thing.key)
        return part is not None and len(part.beats) > 1

    def once(self, key: Hashable, scene: int, within: Iterable[int] | None = None) -> bool:
        """Say whether a key holds exactly once in a set of scenes (default: all), and that in `scene`."""
        places = self.found[key]
        if within is not None:
            within = set(within)
            places = [place for place in places if place in within]
        return places == [scene]


def deed(event: Event) -> tuple[Hashable, ...]:
    """Return the key of what is done, whoever does it."""
    thing, other = event.thing, event.other
    return ("done", event.verb, thing.look if thing else None, other.look if other else None, event.value)


def keys(event: Event) -> list[tuple[Hashable, ...]]:
    """Return what may be said of an event, more or less completely."""
    who = event.subject.look
    found: list[tuple[Hashable, ...]] = [
        ("event", event.signature),
        ("verb", event.verb),
        ("does", event.verb, who),
        ("of", who),
        deed(event),
    ]  # fmt: skip
    if event.verb.startswith(("walk_", "move_", "enter", "leave")):
        found.append(("goes", who))
    if event.other:
        found.append(("gets", event.other.look))
    return found
