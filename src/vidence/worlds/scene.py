"""A scene: a place, and what everybody in it does, as beats that can be read at any instant.

Positions are in stage units: y from 0 (top) to 1 (bottom), x from 0 to the picture's aspect. Times of beats are seconds
since the scene began, multiples of 1/8, so that floats hold them exactly.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import pi, sin

from vidence.timeline import Span
from vidence.worlds.cast import Entity, Thing
from vidence.worlds.places import Place


@dataclass(frozen=True, slots=True)
class Beat:
    """One stretch of what somebody or something does: from (x0, y0) to (x1, y1), in a pose, holding or held.

    `pose` is a key of the drawing ("walk", "jump"...); "held" follows the hand of the actor with key `other`;
    "hidden" is not drawn. `value` is a new colour or the factor of a size.
    """

    start_s: float
    end_s: float
    pose: str
    x0: float
    y0: float
    x1: float
    y1: float
    facing: int = 1
    other: int = -1
    value: str = ""


@dataclass(frozen=True, slots=True)
class State:
    """How a part is at an instant: where, in which pose and how far through it (0 to 1)."""

    x: float
    y: float
    pose: str
    phase: float
    facing: int
    other: int
    colour: str
    scale: float
    opened: bool


@dataclass(frozen=True, slots=True)
class Part:
    """What one entity does in a scene: beats in order. Between beats it stays as the last one left it."""

    entity: Entity
    beats: tuple[Beat, ...]
    scale: float = 1.0

    def at(self, time_s: float) -> State:
        """Return the state at an instant."""
        beats = self.beats
        colour, scale, opened = self.entity.colour, self.scale, False
        now = beats[0]
        for beat in beats:
            if beat.start_s > time_s:
                break
            now = beat
            done = time_s >= beat.end_s
            if beat.value:
                if beat.pose == "turn_colour":
                    colour = beat.value if time_s >= (beat.start_s + beat.end_s) / 2 else colour
                elif beat.pose == "scale":
                    share = 1.0 if done else (time_s - beat.start_s) / (beat.end_s - beat.start_s)
                    scale *= 1 + (float(beat.value) - 1) * share
                elif beat.pose == "lid":
                    opened = (beat.value == "open") if time_s >= (beat.start_s + beat.end_s) / 2 else opened
        if time_s < now.end_s and time_s >= now.start_s:
            phase = (time_s - now.start_s) / (now.end_s - now.start_s)
            x, y = now.x0 + (now.x1 - now.x0) * phase, now.y0 + (now.y1 - now.y0) * phase
            if now.pose in ("jump", "bounce"):
                y -= 0.16 * sin(pi * phase)
            return State(x, y, now.pose, phase, now.facing, now.other, colour, scale, opened)
        if time_s < now.start_s:  # before the first beat: as it begins
            pose = now.pose if now.pose in LASTING else "stand"
            return State(now.x0, now.y0, pose, 0.0, now.facing, now.other, colour, scale, opened)
        pose = now.pose if now.pose in LASTING else "stand"
        return State(now.x1, now.y1, pose, 1.0, now.facing, now.other, colour, scale, opened)


LASTING = ("held", "hidden", "sit", "carry", "upside_down")
"""Poses that go on until the next beat."""


@dataclass(frozen=True, slots=True)
class Camera:
    """How the view moves: zoom and centre at the start and the end (centre in 0..1 of the picture), and shaking."""

    zoom0: float = 1.0
    zoom1: float = 1.0
    x0: float = 0.5
    x1: float = 0.5
    shake: float = 0.0

    @property
    def still(self) -> bool:
        """Say whether the view never moves."""
        return self.zoom0 == self.zoom1 == 1.0 and not self.shake

    def view(self, share: float, time_s: float) -> tuple[float, float, float, float]:
        """Return what is seen at a share of the scene: left, top, right, bottom in 0..1 of the stage."""
        zoom = self.zoom0 + (self.zoom1 - self.zoom0) * share
        half = 0.5 / zoom
        x = min(max(self.x0 + (self.x1 - self.x0) * share, half), 1 - half)
        y = 1 - half if zoom > 1 else 0.5  # what happens, happens below
        dx, dy = self.shake * sin(7.1 * time_s), self.shake * sin(9.7 * time_s + 1)
        return (x - half + dx, y - half + dy, x + half + dx, y + half + dy)


@dataclass(frozen=True, slots=True)
class Sign:
    """A word on a board that stands in a place; its letters are `height` stage units high."""

    text: str
    language: str
    x: float
    y: float
    height: float


@dataclass(frozen=True, slots=True)
class Overlay:
    """What is drawn over a scene for a while, around (x, y).

    `kind` is "thought" (a bubble with a thing), "speech" (a bubble with dots, or with `text`), "banner" or "card".
    """

    kind: str
    start_s: float
    end_s: float
    x: float
    y: float
    text: str = ""
    thing: Thing | None = None
    colour: str = "white"


@dataclass(frozen=True, slots=True)
class Scene:
    """A stretch between two cuts. `kind` is "stage" (seen from outside) or "ego" (through somebody's eyes)."""

    index: int
    span: Span
    place: Place
    parts: tuple[Part, ...]
    camera: Camera = Camera()
    kind: str = "stage"
    sign: Sign | None = None
    overlays: tuple[Overlay, ...] = ()

    def part(self, key: int) -> Part | None:
        """Return the part of the entity with this key."""
        return next((part for part in self.parts if part.entity.key == key), None)
