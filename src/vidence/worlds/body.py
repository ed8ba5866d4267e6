"""Bodies: draws people and animals in their poses, and knows where their hands are.

Angles are radians from straight down, forwards positive. Lengths are shares of the actor's height.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import cos, pi, sin

from vidence.worlds.cast import COLOURS, Actor
from vidence.worlds.pen import At, Colour, Pen, Point, shade
from vidence.worlds.scene import State


@dataclass(frozen=True, slots=True)
class Pose:
    """Angles of a person's limbs (upper, lower), how far it leans and how high the hips are."""

    near_arm: tuple[float, float] = (0.12, 0.2)
    far_arm: tuple[float, float] = (-0.15, -0.1)
    near_leg: tuple[float, float] = (0.05, 0.0)
    far_leg: tuple[float, float] = (-0.08, -0.05)
    lean: float = 0.0
    hips: float = 0.46
    turn: float = 0.0


STEPS_PER_HEIGHT = 2.2  # strides in walking as far as one is tall


def pose_of(state: State, height: float) -> Pose:
    """Return the limbs of a state; walking swings with the way gone, so that feet hardly slide."""
    phase, kind = state.phase, state.pose
    bell = min(1.0, 2.6 * min(phase, 1 - phase))
    swing = sin(2 * pi * STEPS_PER_HEIGHT * state.x / height)
    if kind in ("walk", "walk_back", "walk_carry"):
        leg = 0.55 * swing
        near = (0.75, 1.5) if kind == "walk_carry" else (-0.6 * swing, -0.6 * swing + 0.35)
        return Pose(
            near, (0.6 * swing, 0.6 * swing + 0.35), (leg, leg - 0.25), (-leg, -leg - 0.25), 0.06, 0.45
        )
    if kind == "upside_down":
        return Pose((2.9, 3.0), (-2.8, -2.9), turn=pi)
    if kind == "carry":
        return Pose(near_arm=(0.75, 1.5))
    if kind == "jump":
        return Pose((2.4, 2.6), (2.2, 2.5), (0.35, -0.5), (-0.1, -0.8))
    if kind == "wave":
        beat = sin(2 * pi * 3 * phase)
        return Pose(near_arm=(0.12 + 2.2 * bell, 0.2 + (2.75 + 0.5 * beat) * bell))
    if kind == "sit":
        low = min(1.0, phase * 3)
        return Pose(
            (0.5 * low, 1.1 * low),
            (0.4 * low, 1.0 * low),
            (1.45 * low, 0.1),
            (1.35 * low, 0.0),
            0,
            0.46 - 0.2 * low,
        )
    if kind == "bow":
        return Pose((0.1, 0.1), (0.0, 0.0), lean=1.25 * bell)
    if kind == "dance":
        beat = sin(2 * pi * 4 * phase)
        return Pose(
            (2.0 + 0.6 * beat, 2.6),
            (-2.0 + 0.6 * beat, -2.6),
            (0.5 * beat, 0.2),
            (-0.5 * beat, -0.2),
            0.15 * beat,
        )
    if kind in ("reach", "reach_carry"):  # down to the ground before the feet, and up again
        reach = 0.75 + 0.25 * bell if kind == "reach_carry" else bell
        carrying = kind == "reach_carry"
        arm = (0.75, 1.5) if carrying and bell < 0.2 else (0.75 * bell + 0.12, 0.55 * bell + 0.2)
        return Pose(
            arm,
            (0.3 * bell, 0.5 * bell),
            (0.9 * bell, -0.5 * bell),
            (0.2, -1.1 * bell),
            1.15 * bell * reach,
            0.46 - 0.14 * bell,
        )
    if kind == "touch":  # a hand forwards, at the height of a table
        return Pose((0.12 + 1.0 * bell, 0.2 + 1.1 * bell), lean=0.25 * bell)
    if kind == "hand":
        return Pose((0.75 + 0.75 * bell, 1.5), lean=0.1 * bell)
    if kind == "take":
        return Pose((0.12 + 1.35 * bell, 0.2 + 1.3 * bell), lean=0.1 * bell)
    if kind == "look":
        return Pose(near_arm=(1.3 * bell + 0.12, 2.9 * bell + 0.2), lean=0.12 * sin(2 * pi * 2 * phase))
    if kind == "lie":
        return Pose(turn=1.45 * min(1.0, phase * 4))
    if kind == "fall":
        return Pose(
            (1.5 * bell, 1.9 * bell), (1.2 * bell, 1.6 * bell), turn=1.5 * min(1.0, 3 * min(phase, 1 - phase))
        )
    return Pose()


class Skeleton:
    """Joints of a person on the stage."""

    __slots__ = (
        "_facing",
        "_scale",
        "_turn",
        "_x",
        "_y",
        "far_arm",
        "far_leg",
        "head",
        "hips",
        "near_arm",
        "near_leg",
        "neck",
    )

    def __init__(self, actor: Actor, state: State, scale: float) -> None:
        height = actor.size * scale
        pose = pose_of(state, height)
        self._x, self._y, self._facing, self._scale, self._turn = (
            state.x,
            state.y,
            state.facing,
            height,
            pose.turn,
        )
        hip = (0.0, pose.hips)
        neck = _along(hip, pi - pose.lean, 0.31)
        self.hips, self.neck = self._place(hip), self._place(neck)
        self.head = self._place(_along(neck, pi - pose.lean * 0.8, 0.115))
        shoulder = _along(hip, pi - pose.lean, 0.28)
        self.near_arm, self.far_arm = (
            self._limb(shoulder, pose.near_arm, 0.18),
            self._limb(shoulder, pose.far_arm, 0.18),
        )
        self.near_leg, self.far_leg = (
            self._limb(hip, pose.near_leg, 0.235),
            self._limb(hip, pose.far_leg, 0.235),
        )

    def _limb(self, start: Point, angles: tuple[float, float], length: float) -> tuple[Point, Point, Point]:
        middle = _along(start, angles[0], length)
        return self._place(start), self._place(middle), self._place(_along(middle, angles[1], length))

    def _place(self, point: Point) -> Point:
        x, y = point
        if self._turn:
            x, y = (
                x * cos(self._turn) + y * sin(self._turn),
                y * cos(self._turn) - x * sin(self._turn) + (1.0 if self._turn > 2 else 0.06),
            )
        return self._x + self._facing * x * self._scale, self._y - y * self._scale


def _along(start: Point, angle: float, length: float) -> Point:
    return start[0] + sin(angle) * length, start[1] - cos(angle) * length


def hand(actor: Actor, state: State, scale: float) -> Point:
    """Return where an actor holds what it holds: a person's near hand, an animal's mouth."""
    if actor.noun == "hand":
        return state.x, state.y
    if actor.person:
        return Skeleton(actor, state, scale).near_arm[2]
    size = actor.size * scale
    low = min(1.0, 2.6 * min(state.phase, 1 - state.phase)) if state.pose.startswith("reach") else 0.0
    return state.x + state.facing * 0.78 * size, state.y - (0.72 - 0.5 * low) * size


def draw_person(pen: Pen, actor: Actor, state: State, scale: float) -> None:
    """Draw a person from behind to front: far limbs, body, head, near arm."""
    size = actor.size * scale
    bones = Skeleton(actor, state, scale)
    shirt, lower = COLOURS[state.colour], COLOURS[actor.lower]
    dark = shade(shirt, 0.72)
    shoe, edge = (50, 40, 36), shade(shirt, 0.5)
    skirt = actor.noun in ("woman", "girl")
    legs = actor.skin if skirt else lower
    _sleeve(pen, bones.far_arm, dark, shade(actor.skin, 0.85), size)
    for leg, tone in ((bones.far_leg, shade(legs, 0.75)), (bones.near_leg, legs)):
        pen.line(leg, tone, 0.075 * size)
        foot = leg[2]
        pen.line((foot, (foot[0] + state.facing * 0.06 * size, foot[1])), shoe, 0.055 * size)
    (hx, hy), (nx, ny) = bones.hips, bones.neck
    across = _across(hx, hy, nx, ny)
    top, low = 0.115 * size, 0.085 * size
    body = (
        (nx + across[0] * top, ny + across[1] * top), (nx - across[0] * top, ny - across[1] * top),
        (hx - across[0] * low, hy - across[1] * low), (hx + across[0] * low, hy + across[1] * low),
    )  # fmt: skip
    if skirt:
        wide, down = 0.16 * size, 0.2 * size
        ux, uy = across[1], -across[0]  # from the hips to the feet
        if uy < 0:
            ux, uy = -ux, -uy
        low_x, low_y = hx + ux * down, hy + uy * down
        hem = (low_x + across[0] * wide, low_y + across[1] * wide)
        back = (low_x - across[0] * wide, low_y - across[1] * wide)
        pen.shape((body[2], body[3], hem, back), lower)
    pen.shape(body, shirt, edge)
    _head(pen, actor, state, bones, size)
    _sleeve(pen, bones.near_arm, shade(shirt, 0.86), actor.skin, size)


def _across(hx: float, hy: float, nx: float, ny: float) -> Point:
    length = max(((nx - hx) ** 2 + (ny - hy) ** 2) ** 0.5, 1e-6)
    return (ny - hy) / length, (hx - nx) / length


def _sleeve(pen: Pen, arm: tuple[Point, Point, Point], cloth: Colour, skin: Colour, size: float) -> None:
    pen.line(arm, cloth, 0.065 * size)
    pen.oval(*arm[2], 0.042 * size, 0.042 * size, skin)


def _head(pen: Pen, actor: Actor, state: State, bones: Skeleton, size: float) -> None:
    x, y = bones.head
    nx, ny = bones.neck
    ux, uy = (x - nx) / (0.115 * size), (y - ny) / (0.115 * size)  # from neck to crown
    vx, vy = -uy * state.facing, ux * state.facing  # to where it looks
    r = 0.1 * size

    def at(up: float, front: float) -> Point:
        return x + (ux * up + vx * front) * r, y + (uy * up + vy * front) * r

    if actor.noun in ("woman", "girl"):
        pen.shape((at(1.0, -0.2), at(0.9, -1.0), at(-1.5, -1.5), at(-1.5, -0.3), at(0, 0)), actor.hair)
    pen.oval(*at(0.15, -0.12), r * 1.08, r * 1.08, actor.hair)
    pen.oval(*at(-0.12, 0.16), r * 0.92, r * 0.95, actor.skin)
    pen.oval(*at(0.05, 0.55), r * 0.14, r * 0.17, (30, 24, 24))
    pen.line((at(-0.5, 0.35), at(-0.45, 0.75)), (150, 60, 60), r * 0.13)
    if actor.hat != "none":
        _hat(pen, actor.hat, at, r)


def _hat(pen: Pen, hat: str, at: At, r: float) -> None:
    if hat == "cap":
        pen.shape(
            (
                at(0.45, -1.1),
                at(1.15, -0.8),
                at(1.35, 0),
                at(1.0, 0.8),
                at(0.6, 1.9),
                at(0.42, 1.9),
                at(0.45, 1),
            ),
            (40, 60, 120),
        )
    elif hat == "top hat":
        pen.shape((at(0.5, -1.5), at(0.75, -1.5), at(0.75, 1.5), at(0.5, 1.5)), (24, 24, 28))
        pen.shape((at(0.7, -0.95), at(2.3, -1.0), at(2.3, 1.0), at(0.7, 0.95)), (24, 24, 28))
        pen.line((at(0.95, -0.95), at(0.95, 0.95)), (200, 40, 50), r * 0.22)
    elif hat == "beanie":
        pen.shape((at(0.3, -1.15), at(1.1, -0.95), at(1.5, 0), at(1.1, 0.95), at(0.3, 1.15)), (190, 60, 150))
        pen.oval(*at(1.75, 0), r * 0.36, r * 0.36, (250, 240, 250))
    elif hat == "straw hat":
        pen.shape(
            (at(0.5, -2.0), at(0.75, -2.0), at(0.75, 2.0), at(0.5, 2.0)), (226, 190, 104), (150, 110, 50)
        )
        pen.shape((at(0.7, -0.95), at(1.4, -0.7), at(1.4, 0.7), at(0.7, 0.95)), (226, 190, 104))
    elif hat == "crown":
        points = (
            at(0.5, -1),
            at(1.6, -1.1),
            at(1.05, -0.5),
            at(1.75, 0),
            at(1.05, 0.5),
            at(1.6, 1.1),
            at(0.5, 1),
        )
        pen.shape(points, (250, 206, 40), (150, 110, 20))
