"""Draws things: each in a box from -0.5 to 0.5 across and 0 to 1 upwards, times its width."""

from __future__ import annotations

from collections.abc import Callable
from math import cos, pi, sin

from vidence.worlds.cast import COLOURS, Thing
from vidence.worlds.pen import At, Colour, Pen, Point, shade
from vidence.worlds.pictures import paste


def draw_thing(
    pen: Pen,
    thing: Thing,
    x: float,
    y: float,
    *,
    scale: float = 1.0,
    colour: str = "",
    opened: bool = False,
    turned: float = 0.0,
) -> None:
    """Draw a thing whose foot stands at (x, y); dark ones have a light edge, so that they show at night."""
    size = thing.size * scale
    if not thing.colour:
        paste(pen, thing.noun, x, y, size)
        return
    tone = COLOURS[colour or thing.colour]
    edge = shade(tone, 0.5) if sum(tone) > 150 else (176, 176, 184)

    def at(across: float, up: float) -> Point:
        return x + across * size, y - up * size

    if thing.noun == "clock":
        _clock(pen, at, size, tone, edge, turned)
    elif thing.noun == "box":
        _box(pen, at, size, tone, edge, thing.pattern, opened)
    elif thing.noun in _OUTLINES:
        points = [at(*point) for point in _OUTLINES[thing.noun]]
        pen.shape(points, tone, edge)
        _pattern(pen, at, size, tone, thing.pattern, _BELLY.get(thing.noun, 0.5))
        _detail(pen, thing.noun, at, size, tone, edge)
    else:
        _DRAWINGS[thing.noun](pen, at, size, tone, edge)
        _pattern(pen, at, size, tone, thing.pattern, _BELLY.get(thing.noun, 0.5))


def _ring(points: int, inner: float, turn: float = 0.0) -> list[Point]:
    return [
        (
            0.5 * (1 if number % 2 == 0 else inner) * sin(turn + pi * number / points),
            0.5 + 0.5 * (1 if number % 2 == 0 else inner) * cos(turn + pi * number / points),
        )
        for number in range(2 * points)
    ]


def _heart() -> list[Point]:
    turns = [2 * pi * number / 32 for number in range(32)]
    return [
        (0.5 * sin(t) ** 3, 0.52 + (13 * cos(t) - 5 * cos(2 * t) - 2 * cos(3 * t) - cos(4 * t)) / 32)
        for t in turns
    ]


_OUTLINES: dict[str, list[Point]] = {
    "star": _ring(5, 0.45),
    "heart": _heart(),
    "cone": [(-0.46, 0), (0.46, 0), (0.08, 1), (-0.08, 1)],
    "cup": [(-0.34, 0), (0.24, 0), (0.32, 0.85), (-0.42, 0.85)],
    "book": [(-0.5, 0.05), (0.42, 0.0), (0.5, 0.72), (-0.42, 0.78)],
    "bottle": [(-0.2, 0), (0.2, 0), (0.2, 0.62), (0.09, 0.82), (0.09, 1.15),
               (-0.09, 1.15), (-0.09, 0.82), (-0.2, 0.62)],
    "bag": [(-0.48, 0), (0.48, 0), (0.36, 0.66), (-0.36, 0.66)],
    "phone": [(-0.24, 0), (0.24, 0), (0.24, 0.95), (-0.24, 0.95)],
    "drum": [(-0.45, 0.08), (0.45, 0.08), (0.45, 0.7), (-0.45, 0.7)],
    "car": [(-0.5, 0.14), (0.5, 0.14), (0.5, 0.36), (0.3, 0.42), (0.18, 0.68), (-0.22, 0.68), (-0.34, 0.42),
            (-0.5, 0.4)],
    "lamp": [(-0.42, 0.52), (0.42, 0.52), (0.22, 1.0), (-0.22, 1.0)],
    "umbrella": [(0.55 * cos(pi * n / 8), 0.5 + 0.45 * sin(pi * n / 8)) for n in range(9)],
}  # fmt: skip

_BELLY = {"cup": 0.42, "book": 0.38, "bag": 0.33, "drum": 0.39, "umbrella": 0.7, "balloon": 0.68, "box": 0.36}
"""How high the middle of the patterned part is."""


def _pattern(pen: Pen, at: At, size: float, tone: Colour, pattern: str, middle: float) -> None:
    ink = (250, 250, 250) if sum(tone) < 480 else (60, 60, 70)
    if pattern == "striped":
        for up in (-0.17, 0.0, 0.17):
            wide = 0.3 - 0.25 * abs(up)
            pen.line((at(-wide, middle + up), at(wide, middle + up)), ink, 0.075 * size)
    elif pattern == "dotted":
        for across, up in (
            (-0.2, 0.12),
            (0.05, 0.15),
            (0.2, -0.02),
            (-0.08, -0.06),
            (0.06, -0.2),
            (-0.24, -0.14),
        ):
            pen.oval(*at(across, middle + up), 0.055 * size, 0.055 * size, ink)


def _box(pen: Pen, at: At, size: float, tone: Colour, edge: Colour, pattern: str, opened: bool) -> None:
    pen.shape([at(*point) for point in ((-0.5, 0), (0.5, 0), (0.5, 0.72), (-0.5, 0.72))], tone, edge)
    _pattern(pen, at, size, tone, pattern, _BELLY["box"])
    lid = ((-0.55, 0.72), (0.55, 0.72), (0.55, 0.9), (-0.55, 0.9))
    if opened:  # the lid stands up behind, and the inside is dark
        pen.shape(
            [at(*point) for point in ((-0.5, 0.72), (0.5, 0.72), (0.42, 0.9), (-0.42, 0.9))],
            (28, 24, 22),
            edge,
        )
        lid = ((-0.42, 0.9), (0.42, 0.9), (0.5, 1.35), (-0.5, 1.35))
    pen.shape([at(*point) for point in lid], shade(tone, 0.8), edge)


def _detail(pen: Pen, noun: str, at: At, size: float, tone: Colour, edge: Colour) -> None:
    dark, light = shade(tone, 0.65), shade(tone, 1.5)
    if noun == "cup":
        pen.arc(*at(0.3, 0.46), 0.2 * size, 0.2 * size, -80, 95, dark, 0.09 * size)
        pen.oval(*at(-0.05, 0.85), 0.37 * size, 0.08 * size, dark)
    elif noun == "cone":
        pen.line((at(-0.3, 0.36), at(0.3, 0.36)), (250, 250, 250), 0.12 * size)
        pen.shape([at(*point) for point in ((-0.55, 0), (0.55, 0), (0.55, 0.09), (-0.55, 0.09))], dark)
    elif noun == "book":
        pen.shape([at(*point) for point in ((-0.5, 0.05), (-0.42, 0.05), (-0.34, 0.78), (-0.42, 0.78))], dark)
        pen.line((at(-0.15, 0.55), at(0.3, 0.52)), light, 0.06 * size)
    elif noun == "bottle":
        pen.shape(
            [at(*point) for point in ((-0.2, 0.16), (0.2, 0.16), (0.2, 0.46), (-0.2, 0.46))], (246, 240, 220)
        )
        pen.line((at(0, 1.12), at(0, 1.2)), edge, 0.16 * size)
    elif noun == "bag":
        pen.arc(*at(0, 0.66), 0.22 * size, 0.3 * size, 180, 360, dark, 0.08 * size)
        pen.oval(*at(0, 0.5), 0.05 * size, 0.05 * size, (250, 220, 90))
    elif noun == "phone":
        pen.shape(
            [at(*point) for point in ((-0.18, 0.16), (0.18, 0.16), (0.18, 0.85), (-0.18, 0.85))],
            (180, 226, 240),
        )
        pen.oval(*at(0, 0.08), 0.05 * size, 0.05 * size, light)
    elif noun == "drum":
        pen.oval(*at(0, 0.7), 0.45 * size, 0.14 * size, (246, 238, 214), edge)
        pen.line((at(-0.45, 0.1), at(0.45, 0.1)), dark, 0.06 * size)
    elif noun == "car":
        pen.shape(
            [at(*point) for point in ((-0.2, 0.42), (0.16, 0.42), (0.1, 0.61), (-0.18, 0.61))],
            (190, 226, 240),
        )
        for wheel in (-0.28, 0.28):
            pen.oval(*at(wheel, 0.14), 0.14 * size, 0.14 * size, (30, 30, 34), (110, 110, 118))
    elif noun == "lamp":
        pen.line((at(0, 0.52), at(0, 0.05)), (90, 90, 96), 0.07 * size)
        pen.line((at(-0.22, 0.04), at(0.22, 0.04)), (90, 90, 96), 0.09 * size)
    elif noun == "umbrella":
        pen.line((at(0, 0.95), at(0, 0.08), at(0.1, 0.02), at(0.16, 0.1)), (80, 60, 50), 0.06 * size)


def _ball(pen: Pen, at: At, size: float, tone: Colour, edge: Colour) -> None:
    pen.oval(*at(0, 0.5), 0.5 * size, 0.5 * size, tone, edge)
    pen.oval(*at(-0.18, 0.7), 0.1 * size, 0.08 * size, shade(tone, 1.6))


def _key(pen: Pen, at: At, size: float, tone: Colour, edge: Colour) -> None:
    for ink, width in ((edge, 0.2), (tone, 0.13)):
        pen.arc(*at(-0.26, 0.5), 0.2 * size, 0.2 * size, 0, 360, ink, width * size)
        pen.line((at(-0.06, 0.5), at(0.5, 0.5)), ink, width * size)
        pen.line((at(0.32, 0.5), at(0.32, 0.26)), ink, width * size)
        pen.line((at(0.48, 0.5), at(0.48, 0.26)), ink, width * size)


def _apple(pen: Pen, at: At, size: float, tone: Colour, edge: Colour) -> None:
    pen.oval(*at(-0.15, 0.4), 0.3 * size, 0.38 * size, tone, edge)
    pen.oval(*at(0.15, 0.4), 0.3 * size, 0.38 * size, tone, edge)
    pen.oval(*at(0, 0.4), 0.28 * size, 0.34 * size, tone)
    pen.line((at(0, 0.7), at(0.05, 0.98)), (90, 60, 30), 0.07 * size)
    pen.oval(*at(0.2, 0.9), 0.16 * size, 0.07 * size, (70, 150, 60))


def _flower(pen: Pen, at: At, size: float, tone: Colour, edge: Colour) -> None:
    pen.line((at(0, 0.6), at(0.03, 0)), (50, 130, 50), 0.08 * size)
    pen.oval(*at(0.16, 0.2), 0.16 * size, 0.07 * size, (50, 130, 50))
    for petal in range(5):
        turn = 2 * pi * petal / 5
        pen.oval(*at(0.24 * sin(turn), 0.75 + 0.24 * cos(turn)), 0.17 * size, 0.17 * size, tone, edge)
    pen.oval(
        *at(0, 0.75),
        0.14 * size,
        0.14 * size,
        (250, 210, 60) if tone[2] > 90 or tone[1] < 180 else (120, 70, 30),
    )


def _fish(pen: Pen, at: At, size: float, tone: Colour, edge: Colour) -> None:
    pen.shape(
        [at(*point) for point in ((-0.2, 0.4), (-0.52, 0.68), (-0.46, 0.4), (-0.52, 0.12))],
        shade(tone, 0.75),
        edge,
    )
    pen.oval(*at(0.08, 0.4), 0.4 * size, 0.26 * size, tone, edge)
    pen.shape([at(*point) for point in ((0.15, 0.62), (-0.1, 0.82), (-0.12, 0.6))], shade(tone, 0.75))
    pen.oval(*at(0.3, 0.46), 0.06 * size, 0.06 * size, (250, 250, 250))
    pen.oval(*at(0.31, 0.46), 0.03 * size, 0.03 * size, (10, 10, 10))


def _balloon(pen: Pen, at: At, size: float, tone: Colour, edge: Colour) -> None:
    pen.line((at(0, 0.3), at(0.04, 0.15), at(-0.03, 0.0)), (90, 90, 90), 0.03 * size)
    pen.oval(*at(0, 0.68), 0.34 * size, 0.4 * size, tone, edge)
    pen.shape([at(*point) for point in ((0, 0.32), (0.08, 0.22), (-0.08, 0.22))], shade(tone, 0.75))
    pen.oval(*at(-0.12, 0.86), 0.07 * size, 0.08 * size, shade(tone, 1.6))


def _guitar(pen: Pen, at: At, size: float, tone: Colour, edge: Colour) -> None:
    pen.line((at(0.0, 0.5), at(0.0, 1.3)), (110, 74, 40), 0.1 * size)
    pen.line((at(0.0, 1.28), at(0.0, 1.38)), (60, 40, 26), 0.2 * size)
    pen.oval(*at(0, 0.62), 0.24 * size, 0.2 * size, tone, edge)
    pen.oval(*at(0, 0.28), 0.34 * size, 0.28 * size, tone, edge)
    pen.oval(*at(0, 0.46), 0.1 * size, 0.1 * size, (30, 22, 18))


def _clock(pen: Pen, at: At, size: float, tone: Colour, edge: Colour, turned: float) -> None:
    pen.oval(*at(0, 0.5), 0.5 * size, 0.5 * size, tone, edge)
    pen.oval(*at(0, 0.5), 0.4 * size, 0.4 * size, (250, 250, 246))
    for length, speed in ((0.34, 1.0), (0.22, 1 / 12)):
        turn = 2 * pi * (turned * speed + 0.15)
        pen.line((at(0, 0.5), at(length * sin(turn), 0.5 + length * cos(turn))), (30, 30, 36), 0.06 * size)


_DRAWINGS: dict[str, Callable[[Pen, At, float, Colour, Colour], None]] = {
    "ball": _ball, "key": _key, "apple": _apple, "flower": _flower, "fish": _fish, "balloon": _balloon,
    "guitar": _guitar,
}  # fmt: skip
