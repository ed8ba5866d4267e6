"""Draws the animals: a body on legs, with what tells a dog from a cat, a rabbit, a horse and a duck."""

from __future__ import annotations

from math import pi, sin

from vidence.worlds.cast import COLOURS, Actor
from vidence.worlds.pen import At, Colour, Pen, Point, shade
from vidence.worlds.scene import State


def draw_animal(pen: Pen, actor: Actor, state: State, scale: float) -> None:
    """Draw an animal of any kind."""
    size = actor.size * scale
    fur = COLOURS[state.colour]
    edge = shade(fur, 0.55) if sum(fur) > 150 else (90, 90, 96)
    low = min(1.0, 2.6 * min(state.phase, 1 - state.phase)) if state.pose.startswith("reach") else 0.0
    sunk = 0.18 * min(1.0, state.phase * 3) if state.pose == "sit" else 0.0
    hop = 0.0
    if state.pose == "dance":
        hop = 0.16 * abs(sin(2 * pi * 4 * state.phase))
    elif state.pose.startswith("walk") and actor.noun == "rabbit":
        hop = 0.1 * abs(sin(8 * state.x / size))
    shake = 0.2 * sin(2 * pi * 4 * state.phase) if state.pose == "dance" else 0.0

    tip = 1.3 * min(1.0, 3 * min(state.phase, 1 - state.phase)) if state.pose == "fall" else 0.0

    def at(front: float, up: float) -> Point:
        up = up + hop - (sunk if front < 0.2 else 0.0)
        if tip:
            front, up = front, 0.25 + (up - 0.25) * (1 - 1.45 * tip / 1.3)
        return state.x + state.facing * (front + shake * up) * size, state.y - max(up, 0.0) * size

    (_duck if actor.noun == "duck" else _beast)(pen, actor.noun, at, size, fur, edge, low, state)


def _beast(
    pen: Pen, noun: str, at: At, size: float, fur: Colour, edge: Colour, low: float, state: State
) -> None:
    swing = 0.16 * sin(9 * state.x / size) if state.pose.startswith("walk") else 0.0
    if state.pose == "jump":
        swing = 0.2
    tall = {"horse": 0.62, "rabbit": 0.34}.get(noun, 0.46)
    leg = {"horse": 0.09, "rabbit": 0.13}.get(noun, 0.12)
    for base, side in ((-0.36, 1), (0.36, -1), (-0.28, -1), (0.3, 1)):
        tone = shade(fur, 0.75) if side > 0 else fur
        pen.line((at(base, tall), at(base + swing * side, 0.03)), tone, leg * size)
    wag = 0.12 * sin(2 * pi * 5 * state.phase) if state.pose in ("wave", "dance") else 0.0
    tail = {
        "dog": ((-0.45, 0.6), (-0.68, 0.85 + wag)), "cat": ((-0.45, 0.55), (-0.7, 0.6), (-0.75 + wag, 1.0)),
        "rabbit": ((-0.46, 0.45), (-0.5, 0.48)), "horse": ((-0.45, 0.75), (-0.62, 0.6), (-0.62 + wag, 0.25)),
    }[noun]  # fmt: skip
    pen.line(
        [at(*point) for point in tail],
        (245, 245, 245) if noun == "rabbit" else shade(fur, 0.7),
        (0.16 if noun == "rabbit" else 0.08) * size,
    )
    deep = 0.26 if noun == "rabbit" else 0.19
    pen.oval(*at(0, tall + 0.06), 0.47 * size, deep * size, fur, edge)
    hx, hy = {"dog": (0.55, 0.82), "cat": (0.5, 0.78), "rabbit": (0.45, 0.68), "horse": (0.62, 1.0)}[noun]
    hy, hx = hy - 0.5 * low, hx + 0.1 * low
    pen.line((at(0.34, tall + 0.1), at(hx, hy)), fur, (0.2 if noun != "horse" else 0.16) * size)
    pen.oval(
        *at(hx, hy),
        (0.2 if noun != "horse" else 0.15) * size,
        (0.18 if noun != "horse" else 0.13) * size,
        fur,
        edge,
    )
    if noun in ("dog", "horse"):
        long = 0.2 if noun == "dog" else 0.26
        pen.line(
            (at(hx + 0.05, hy - 0.05), at(hx + long, hy - 0.08 if noun == "dog" else hy - 0.14)),
            shade(fur, 1.15),
            0.14 * size,
        )
        pen.oval(
            *at(hx + long + 0.05, hy - (0.06 if noun == "dog" else 0.15)),
            0.04 * size,
            0.04 * size,
            (25, 22, 22),
        )
    ears = {
        "dog": (((-0.12, 0.12), (-0.22, -0.14), (-0.02, 0.02)),),
        "cat": (((-0.16, 0.1), (-0.1, 0.34), (0.0, 0.16)), ((0.02, 0.16), (0.1, 0.34), (0.17, 0.08))),
        "rabbit": (((-0.1, 0.12), (-0.2, 0.58), (-0.02, 0.16)), ((0.0, 0.14), (0.02, 0.6), (0.1, 0.12))),
        "horse": (((-0.1, 0.1), (-0.06, 0.26), (0.0, 0.12)),),
    }[noun]  # fmt: skip
    for ear in ears:
        pen.shape([at(hx + front, hy + up) for front, up in ear], shade(fur, 0.65), edge)
    if noun == "horse":
        pen.line((at(0.3, tall + 0.25), at(hx - 0.12, hy + 0.1)), shade(fur, 0.5), 0.12 * size)
    pen.oval(
        *at(hx + 0.07, hy + 0.04),
        0.035 * size,
        0.045 * size,
        (20, 20, 20) if sum(fur) > 150 else (240, 240, 200),
    )


def _duck(
    pen: Pen, noun: str, at: At, size: float, fur: Colour, edge: Colour, low: float, state: State
) -> None:
    del noun
    swing = 0.12 * sin(11 * state.x / size) if state.pose.startswith("walk") else 0.0
    for side in (1, -1):
        pen.line(
            (at(0.0, 0.3), at(swing * side, 0.03), at(swing * side + 0.12, 0.03)), (236, 130, 30), 0.06 * size
        )
    pen.shape((at(-0.35, 0.5), at(-0.72, 0.72), at(-0.45, 0.32)), fur, edge)
    pen.oval(*at(0, 0.42), 0.45 * size, 0.25 * size, fur, edge)
    hy, hx = 0.92 - 0.55 * low, 0.42 + 0.12 * low
    pen.line((at(0.3, 0.5), at(hx, hy)), fur, 0.17 * size)
    pen.oval(*at(hx, hy), 0.17 * size, 0.16 * size, fur, edge)
    pen.shape((at(hx + 0.12, hy + 0.06), at(hx + 0.42, hy - 0.03), at(hx + 0.12, hy - 0.08)), (240, 140, 30))
    flap = 0.25 * abs(sin(2 * pi * 3 * state.phase)) if state.pose in ("wave", "dance", "jump") else 0.0
    pen.shape((at(-0.3, 0.5 + flap), at(0.15, 0.5), at(-0.1, 0.3)), shade(fur, 0.8), edge)
    pen.oval(
        *at(hx + 0.05, hy + 0.04),
        0.035 * size,
        0.04 * size,
        (20, 20, 20) if sum(fur) > 150 else (240, 240, 200),
    )
