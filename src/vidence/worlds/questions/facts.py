"""What is true of a world, indexed so that a question can tell whether it has one answer."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable, Iterator
from functools import cached_property
from typing import TYPE_CHECKING

from vidence.timeline import Span
from vidence.worlds.cast import Actor, Thing
from vidence.worlds.event import Event
from vidence.worlds.questions.sight import seen_span
from vidence.worlds.scene import Part, Scene

if TYPE_CHECKING:
    from vidence.worlds.world import World


class Facts:
    """A world's events and appearances, by what words tell of them.

    `found[key]` are the scenes in which a key holds, one entry an occurrence; keys are tuples whose first item says
    what they are: ("done", ...), ("seen", look), ("noun", noun)...
    """

    def __init__(self, world: World) -> None:
        self.world = world
        self.scenes = world.scenes
        self.split = world.setting.split
        self.events: dict[int, list[Event]] = defaultdict(list)
        self.deeds: dict[Hashable, list[Event]] = defaultdict(list)
        self.found: dict[Hashable, list[int]] = defaultdict(list)
        self._seen: dict[tuple[int, int], Span | None] = {}
        self.ways: dict[Hashable, set[str]] = defaultdict(set)
        self.at_place: dict[Hashable, set[int]] = defaultdict(set)
        for scene in world.scenes:
            self.at_place[scene.place.look].add(scene.index)
            for part in scene.parts:
                self._appears(scene, part)
        for event in world.events:
            self.events[event.scene].append(event)
            self.deeds[event.subject.look].append(event)
            for key in keys(event):
                self.found[key].append(event.scene)

    @cached_property
    def unique(self) -> list[Event]:
        """Return the events that words tell apart from all others, in order of time, told once each."""
        events = [event for event in self.world.events if event.verb != "find"]
        return [event for event in events if self.once(moment(event), event.scene)]

    @cached_property
    def shown(self) -> dict[Hashable, list[int]]:
        """The scenes in which each look is seen at all."""
        found: dict[Hashable, list[int]] = defaultdict(list)
        for scene in self.scenes:
            for part in self.parts(scene, Actor):
                if part.entity.noun == "hand":
                    continue
                found[part.entity.look].append(scene.index)
        return found

    @cached_property
    def _marks(self) -> dict[int, Event]:
        """A unique event of each scene, to name what comes before or after it."""
        return {event.scene: event for event in self.unique if event.subject.noun not in ("filmer", "banner")}

    def around(self, scene: int) -> Iterator[tuple[str, range, Event]]:
        """Give (form, scenes, event): "after" an event of the last scenes before, "before" one of the next."""
        for number in range(scene - 1, max(scene - 4, -1), -1):
            if number in self._marks:
                yield "scope_after", range(number + 1, len(self.scenes)), self._marks[number]
        for number in range(scene + 1, min(scene + 4, len(self.scenes))):
            if number in self._marks:
                yield "scope_before", range(number), self._marks[number]

    def _appears(self, scene: Scene, part: Part) -> None:
        entity = part.entity
        self.found["seen", entity.look].append(scene.index)
        self.found["noun", entity.noun].append(scene.index)
        self.found["noun+colour", entity.noun, entity.colour].append(scene.index)
        for beat in part.beats:
            if (beat.x0, beat.y0) != (beat.x1, beat.y1) and beat.pose.startswith(("walk", "slide", "roll")):
                self.found["goes", entity.look].append(scene.index)
                if beat.pose.startswith("walk"):
                    self._walks(scene.index, entity.look, "left" if beat.x1 < beat.x0 else "right")

    @cached_property
    def empty(self) -> set[Hashable]:
        """Looks of places in none of whose scenes anybody is seen."""
        peopled: set[Hashable] = {
            self.scenes[number].place.look for numbers in self.shown.values() for number in numbers
        }
        return {look for look in self.at_place if look not in peopled}

    def _walks(self, scene: int, look: Hashable, way: str) -> None:
        """Note a walk, told as an event or only on the way to something: it can be seen all the same."""
        self.ways[look].add(way)
        self.found["way", way].append(scene)
        self.found["way of", way, look].append(scene)

    def parts(self, scene: Scene, kind: type[Thing] | type[Actor]) -> list[Part]:
        """Return a scene's things or actors that are ever seen in it."""
        return [part for part in scene.parts if isinstance(part.entity, kind) and self.seen(scene, part)]

    def seen(self, scene: Scene, part: Part) -> Span | None:
        """Return from when to when a part can be seen; None if never."""
        key = (scene.index, part.entity.key)
        if key not in self._seen:
            self._seen[key] = seen_span(scene, part, self.world.setting.aspect)
        return self._seen[key]

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
    if event.verb.startswith("walk_"):
        return ("way", event.verb.removeprefix("walk_"))
    thing, other = event.thing, event.other
    return ("done", event.verb, thing.look if thing else None, other.look if other else None, event.value)


def moment(event: Event) -> tuple[Hashable, ...]:
    """Return the key of what is done by whom."""
    if event.verb.startswith("walk_"):
        return ("way of", event.verb.removeprefix("walk_"), event.subject.look)
    return ("event", event.signature)


def keys(event: Event) -> list[tuple[Hashable, ...]]:
    """Return what may be said of an event, more or less completely."""
    found: list[tuple[Hashable, ...]] = [("does", event.verb, event.subject.look)]
    if not event.verb.startswith("walk_"):
        found += [deed(event), moment(event)]
    if event.verb == "turn_colour":
        found.append(("turns", event.subject.noun))
    return found
