"""A stage on which a scene is planned: who stands where, what is held, what time it is; acts call its verbs.

Seconds count from the scene's start and are multiples of 1/8, so that sums of floats are exact.
"""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from random import Random

from vidence.timeline import Span
from vidence.worlds.body import hand
from vidence.worlds.cast import Actor, Entity, Thing
from vidence.worlds.event import Event, Line
from vidence.worlds.places import FLOOR, Place
from vidence.worlds.scene import Beat, Camera, Overlay, Part, Scene, Sign, State

LIFT_S = 1.25
WALK_S = 0.65
"""Heights of the picture walked in a second; more on a very wide stage."""


def eighths(seconds: float) -> float:
    """Round to an eighth of a second."""
    return round(seconds * 8) / 8


class Stage:
    """One scene in the making. `now_s` is the time at which the next verb begins."""

    def __init__(
        self,
        rng: Random,
        index: int,
        start: Fraction,
        duration: Fraction,
        place: Place,
        aspect: float,
        level: int,
        split: str,
    ) -> None:
        self.rng, self.index, self.start, self.place = rng, index, start, place
        self.aspect, self.level, self.split = aspect, level, split
        self.duration = duration
        self.now_s = 0.0
        self.events: list[Event] = []
        self.lines: list[Line] = []
        self.holding: dict[int, Thing] = {}
        self.entities: dict[int, Entity] = {}
        self.present: set[int] = set()
        self.spots: dict[int, str] = {}
        self.opened: set[int] = set()
        self._at: dict[int, tuple[float, float, int]] = {}
        self._beats: dict[int, list[Beat]] = {}
        self._scales: dict[int, float] = {}
        self.camera, self.kind = Camera(), "stage"
        self.sign: Sign | None = None
        self.overlays: list[Overlay] = []

    @property
    def left_s(self) -> float:
        """Seconds left until the cut."""
        return float(self.duration) - self.now_s

    def span(self, start_s: float, end_s: float) -> Span:
        """Return a stretch of the scene on the world's clock."""
        return Span(
            self.start + Fraction(start_s), min(self.start + Fraction(end_s), self.start + self.duration)
        )

    def put(
        self, entity: Entity, x: float, y: float = FLOOR, *, scale: float = 1.0, facing: int = 1, away: bool = False,
        spot: str = "",
    ) -> None:  # fmt: skip
        """Let an entity be there from the start (or, `away`, wait outside), `x` in stage units."""
        self.entities[entity.key] = entity
        self._at[entity.key], self._scales[entity.key] = (x, y, facing), scale
        self.spots[entity.key] = spot
        self._beats[entity.key] = [Beat(0.0, 0.0, "hidden" if away else "stand", x, y, x, y, facing)]
        if not away:
            self.present.add(entity.key)

    def x(self, entity: Entity) -> float:
        """Return where an entity is at present."""
        return self._at[entity.key][0]

    def at(self, entity: Entity) -> tuple[float, float, int]:
        """Return where an entity is at present, and where it looks."""
        return self._at[entity.key]

    def facing(self, entity: Entity) -> int:
        """Return where an entity looks: 1 to the right, -1 to the left."""
        return self._at[entity.key][2]

    def wait(self, seconds: float) -> None:
        """Let time pass."""
        self.now_s = min(self.now_s + eighths(seconds), float(self.duration))

    def beat(
        self, entity: Entity, pose: str, seconds: float, to: tuple[float, float] | None = None, *, facing: int = 0,
        other: int = -1, value: str = "", delay_s: float = 0.0,
    ) -> None:  # fmt: skip
        """Append what an entity does from now on; time does not pass."""
        x, y, looks = self._at[entity.key]
        x1, y1 = to or (x, y)
        looks = facing or looks
        start = self.now_s + eighths(delay_s)
        self._beats[entity.key].append(
            Beat(start, start + eighths(seconds), pose, x, y, x1, y1, looks, other, value)
        )
        self._at[entity.key] = (x1, y1, looks)

    def tell(
        self, verb: str, subject: Entity, seconds: float, thing: Thing | None = None, other: Actor | None = None,
        value: str = "",
    ) -> None:  # fmt: skip
        """Record an event that begins now, and let it pass."""
        span = self.span(self.now_s, self.now_s + eighths(seconds))
        self.events.append(Event(verb, span, self.index, subject, thing, other, value))
        self.wait(seconds)

    def walk(self, actor: Actor, x: float, *, verb: str = "", backwards: bool = False) -> float:
        """Walk to `x`; return the seconds it took. `verb` "" tells nothing (a few steps on the way)."""
        here, y, _ = self._at[actor.key]
        seconds = max(eighths(abs(x - here) / (WALK_S * max(self.aspect / 1.6, 1.0))), 0.5)
        ahead = 1 if x > here else -1
        carrying = actor.key in self.holding
        pose = "walk_back" if backwards else "walk_carry" if carrying else "walk"
        self.beat(actor, pose, seconds, (x, y), facing=-ahead if backwards else ahead)
        if verb:
            self.tell(verb, actor, seconds)
        else:
            self.wait(seconds)
        self.rest(actor)
        return seconds

    def rest(self, actor: Actor) -> None:
        """Stand, holding what is held."""
        self.beat(actor, "carry" if actor.key in self.holding else "stand", 0.0)

    def do(self, actor: Actor, pose: str, seconds: float, verb: str = "", **of: object) -> None:
        """Do something in place: wave, jump, sit..."""
        self.beat(actor, pose, seconds)
        if verb:
            self.tell(verb, actor, seconds, **of)  # type: ignore[arg-type]
        else:
            self.wait(seconds)
        if pose not in ("sit", "lie"):
            self.rest(actor)

    def approach(self, actor: Actor, thing: Entity, pose: str, distance: float = 0.0) -> None:
        """Walk to where a hand in `pose` meets a thing."""
        there = self.x(thing)
        side = 1 if self.x(actor) <= there else -1
        gap = distance or self._reach(actor, pose)
        if not 0.04 * self.aspect < there - side * gap < 0.96 * self.aspect:
            side = -side
        goal = there - side * gap
        if abs(goal - self.x(actor)) > 0.02:
            self.walk(actor, goal)
        x, y, _ = self._at[actor.key]
        self._at[actor.key] = (x, y, side)
        self.rest(actor)

    def _reach(self, actor: Actor, pose: str) -> float:
        state = State(0.0, 0.0, pose, 0.5, 1, -1, actor.colour, self._scales[actor.key], False)
        return max(hand(actor, state, self._scales[actor.key])[0], 0.05)

    def pose_for(self, thing: Thing) -> str:
        """Return how to reach for a thing: down to the floor, or out to a surface."""
        return "reach" if self._at[thing.key][1] > 0.8 else "touch"

    def pick_up(self, actor: Actor, thing: Thing) -> None:
        """Walk to a thing and take it."""
        pose = self.pose_for(thing)
        self.approach(actor, thing, pose)
        self.beat(actor, pose, LIFT_S)
        self.beat(thing, "held", float(self.duration), other=actor.key, delay_s=LIFT_S / 2)
        self.tell("pick_up", actor, LIFT_S, thing)
        self.holding[actor.key] = thing
        self.rest(actor)

    def say(self, actor: Actor, language: str, text: str, shown: str = "") -> None:
        """Speak a line under a bubble, which shows dots or a word."""
        seconds = max(eighths(len(text) / (4.5 if language == "zh" else 15.0) + 0.5), 1.25)
        seconds = min(seconds, max(self.left_s, 0.125))
        top = self._at[actor.key][1] - actor.size * self._scales[actor.key] * 1.12
        self.overlays.append(
            Overlay("speech", self.now_s, self.now_s + seconds, self.x(actor), top - 0.06, shown)
        )
        self.lines.append(Line(self.span(self.now_s, self.now_s + seconds), actor, language, text))
        self.wait(seconds)

    def take_along(self, actor: Actor, thing: Thing) -> None:
        """Let an actor hold a thing from the start."""
        self.put(thing, self.x(actor))
        self.beat(thing, "held", float(self.duration), other=actor.key)
        self.holding[actor.key] = thing
        self.rest(actor)

    def put_down(self, actor: Actor, spot: str, x: float, y: float) -> None:
        """Walk to a place and put down there what is held."""
        thing = self.holding[actor.key]
        self._at[thing.key] = (x, y, 1)
        pose = self.pose_for(thing)
        self.approach(actor, thing, pose)
        self.beat(actor, pose if pose == "touch" else "reach_carry", LIFT_S)
        self.drop(thing, x, y, LIFT_S / 2)
        self.spots[thing.key] = spot
        self.tell("put_down", actor, LIFT_S, thing, value=spot)
        del self.holding[actor.key]
        self.rest(actor)

    def give(self, actor: Actor, other: Actor) -> None:
        """Walk to somebody and hand over what is held."""
        thing = self.holding[actor.key]
        self.approach(actor, other, "", distance=2 * self._reach(actor, "hand") * 0.92)
        side = 1 if self.x(other) > self.x(actor) else -1
        x, y, _ = self._at[other.key]
        self._at[other.key] = (x, y, -side)
        self.rest(other)
        self.beat(actor, "hand", 1.5)
        self.beat(other, "take", 1.5)
        self._beats[thing.key][-1] = _cut(self._beats[thing.key][-1], self.now_s + 0.75)
        self.beat(thing, "held", float(self.duration), other=other.key, delay_s=0.75)
        self.tell("give", actor, 1.5, thing, other)
        del self.holding[actor.key]
        self.holding[other.key] = thing
        self.rest(actor)
        self.rest(other)

    def drop(self, thing: Thing, x: float, y: float, delay_s: float) -> None:
        """Let a held thing lie at (x, y) from `delay_s` seconds on."""
        at = self.now_s + delay_s
        self._beats[thing.key][-1] = _cut(self._beats[thing.key][-1], at)
        self._at[thing.key] = (x, y, 1)
        self._beats[thing.key].append(Beat(at, at, "stand", x, y, x, y))

    def enter(self, actor: Actor, x: float) -> None:
        """Come in from the nearer side, with what is held."""
        side = -1 if x < self.aspect / 2 else 1
        outside = -0.2 if side < 0 else self.aspect + 0.2
        _, y, _ = self._at[actor.key]
        self._at[actor.key] = (outside, y, -side)
        self.present.add(actor.key)
        self.walk(actor, x, verb="enter")

    def leave(self, actor: Actor) -> None:
        """Go out at the nearer side, with what is held."""
        x = -0.25 if self.x(actor) < self.aspect / 2 else self.aspect + 0.25
        self.walk(actor, x, verb="leave")
        self.present.discard(actor.key)

    def scene(self) -> Scene:
        """Return the scene as planned."""
        parts = tuple(
            Part(entity, tuple(self._beats[key]), self._scales[key]) for key, entity in self.entities.items()
        )
        span = Span(self.start, self.start + self.duration)
        return Scene(
            self.index, span, self.place, parts, self.camera, self.kind, self.sign, tuple(self.overlays)
        )


def _cut(beat: Beat, end_s: float) -> Beat:
    return replace(beat, end_s=max(end_s, beat.start_s))
