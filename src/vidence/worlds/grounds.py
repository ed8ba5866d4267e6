"""Draws the grounds of places: walls, floors, skies, furniture, weather."""

from __future__ import annotations

from random import Random

from vidence.worlds.drawing import generator, pick
from vidence.worlds.pen import Colour, Pen, shade
from vidence.worlds.places import FURNITURE, GROUNDS, WALLS, Place

SKIES: dict[str, tuple[Colour, float]] = {
    "day": ((150, 204, 244), 1.0),
    "dusk": ((246, 164, 110), 0.82),
    "night": ((26, 34, 76), 0.6),
}
"""Colour of the sky, and how much of their brightness other things keep."""


def draw_ground(pen: Pen, place: Place) -> None:
    """Draw all of a place that does not move."""
    rng = generator("ground", *place.look, place.seed)
    if place.noun == "ground":
        pen.fill(GROUNDS[place.tone])
    elif place.indoors:
        _indoors(pen, place, rng)
    else:
        _outdoors(pen, place, rng)


def draw_weather(pen: Pen, place: Place, time_s: float) -> None:
    """Draw rain or snow as it falls at an instant."""
    if place.weather == "clear":
        return
    wide, rain = pen.aspect, place.weather == "rain"
    for drop in range(26 if rain else 22):
        speed = (1.3 if rain else 0.22) + 0.02 * (drop % 5)
        x = (drop * 0.377 + (0.0 if rain else 0.03 * (drop % 3) * time_s)) % 1 * wide
        y = (drop * 0.619 + speed * time_s) % 1.1 - 0.05
        if rain:
            pen.line(((x, y), (x - 0.012, y + 0.06)), (176, 196, 224), 0.006)
        else:
            pen.oval(x, y, 0.012, 0.012, (250, 250, 252))


def _indoors(pen: Pen, place: Place, rng: Random) -> None:
    wide, wall = pen.aspect, WALLS[place.tone]
    floor = pick(rng, ((150, 104, 66), (176, 136, 94), (120, 110, 104), (196, 170, 132)))
    pen.fill(wall)
    pen.box(0, 0.7, wide, 1, floor)
    for row in range(3):
        pen.line(((0, 0.77 + 0.09 * row), (wide, 0.77 + 0.09 * row)), shade(floor, 0.85), 0.004)
    pen.box(0, 0.68, wide, 0.705, shade(wall, 0.7))
    middle = 0.52 * wide
    if place.noun == "room":
        _window(pen, middle, 0.12, rng)
        pen.shape(
            ((0.02, 1), (0.5 * wide, 1), (0.45 * wide, 0.88), (0.08, 0.88)),
            shade(pick(rng, ((170, 60, 60), (60, 90, 150), (70, 130, 90))), 1.2),
        )
    elif place.noun == "kitchen":
        for row in range(3):
            for column in range(7):
                if (row + column) % 2:
                    pen.box(
                        0.4 * wide + 0.06 * column,
                        0.36 + 0.06 * row,
                        0.4 * wide + 0.06 * (column + 1),
                        0.42 + 0.06 * row,
                        shade(wall, 0.86),
                    )
        pen.box(0.4 * wide, 0.54, 0.4 * wide + 0.42, 0.7, (206, 206, 210))
        pen.box(0.4 * wide + 0.05, 0.58, 0.4 * wide + 0.2, 0.69, (60, 60, 66))
        for ring in (0.1, 0.3):
            pen.oval(0.4 * wide + ring, 0.535, 0.05, 0.012, (40, 40, 44))
        pen.box(0.4 * wide + 0.06, 0.06, 0.4 * wide + 0.36, 0.22, (150, 152, 158))
    elif place.noun == "shop":
        for level in (0.5,):
            pen.box(0.05 * wide, level, 0.38 * wide, level + 0.025, (120, 80, 46))
            for item in range(5):
                tone = pick(rng, ((190, 120, 120), (120, 150, 190), (150, 180, 120), (200, 180, 120)))
                left = 0.06 * wide + item * 0.06 * wide
                pen.box(left, level - 0.06 - 0.02 * (item % 2), left + 0.04 * wide, level, tone)
        pen.shape(((0.42 * wide, 0.0), (wide, 0.0), (0.97 * wide, 0.1), (0.45 * wide, 0.1)), (176, 70, 70))
        for stripe in range(0, 6, 2):
            left = (0.45 + 0.087 * stripe) * wide
            pen.box(left, 0.0, left + 0.085 * wide, 0.1, (240, 236, 226))
    elif place.noun == "office":
        _window(pen, 0.5 * wide, 0.14, rng)
        pen.box(0.42 * wide, 0.46, 0.42 * wide + 0.16, 0.7, (126, 132, 142))
        for drawer in (0.48, 0.56, 0.63):
            pen.box(0.42 * wide + 0.02, drawer, 0.42 * wide + 0.14, drawer + 0.05, (154, 160, 170))
    else:
        pen.box(0.1 * wide, 0.1, 0.62 * wide, 0.46, (120, 84, 50))
        pen.box(0.115 * wide, 0.12, 0.605 * wide, 0.44, (44, 92, 70))
        pen.line(((0.15 * wide, 0.4), (0.3 * wide, 0.4)), (220, 230, 220), 0.008)
    _furniture(pen, place)


def _window(pen: Pen, x: float, y: float, rng: Random) -> None:
    pane = pick(rng, ((186, 220, 244), (170, 210, 240), (210, 230, 244)))
    pen.box(x - 0.02, y - 0.02, x + 0.3, y + 0.3, (250, 250, 246))
    pen.box(x, y, x + 0.28, y + 0.28, pane)
    pen.box(x + 0.13, y, x + 0.15, y + 0.28, (250, 250, 246))
    pen.box(x, y + 0.13, x + 0.28, y + 0.15, (250, 250, 246))


def _outdoors(pen: Pen, place: Place, rng: Random) -> None:
    wide = pen.aspect
    sky, keep = SKIES[place.tone]
    pen.fill(shade(sky, 0.75) if place.weather == "rain" else sky)
    white = place.weather == "snow"
    sun = {"day": (255, 236, 130), "dusk": (255, 110, 70), "night": (240, 240, 220)}[place.tone]
    if place.weather == "clear":
        pen.oval(
            wide * (0.12 + 0.2 * rng.random()),
            {"day": 0.12, "dusk": 0.4, "night": 0.12}[place.tone],
            0.07,
            0.07,
            sun,
        )
    if place.tone == "night":
        for _ in range(14):
            pen.oval(wide * rng.random(), 0.45 * rng.random(), 0.006, 0.006, (230, 230, 240))
    else:
        for _ in range(2):
            x, y = wide * rng.random(), 0.08 + 0.12 * rng.random()
            for puff in (-0.07, 0.0, 0.07):
                pen.oval(
                    x + puff,
                    y - 0.02 * (puff == 0),
                    0.08,
                    0.04,
                    shade((250, 250, 252), keep + 0.1 if keep < 0.9 else 1.0),
                )
    {"street": _street, "beach": _beach, "forest": _forest, "park": _park, "station": _station}[place.noun](
        pen, rng, keep, white
    )
    _furniture(pen, place, keep)


def _meadow(pen: Pen, keep: float, white: bool, tone: Colour = (104, 168, 84)) -> Colour:
    ground = shade((236, 240, 246) if white else tone, keep)
    pen.box(0, 0.66, pen.aspect, 1, ground)
    return ground


def _street(pen: Pen, rng: Random, keep: float, white: bool) -> None:
    wide = pen.aspect
    x = -0.05
    while x < wide:
        across, tall = 0.22 + 0.14 * rng.random(), 0.3 + 0.22 * rng.random()
        wall = shade(pick(rng, ((186, 110, 86), (206, 186, 150), (150, 130, 120), (176, 150, 170))), keep)
        pen.box(x, 0.68 - tall, x + across, 0.68, wall)
        lit = (250, 220, 120) if keep < 0.7 else shade((170, 206, 226), keep)
        for row in range(int(tall / 0.14)):
            for column in range(2):
                left, top = x + across * (0.16 + 0.42 * column), 0.71 - tall + 0.14 * row
                pen.box(left, top, left + across * 0.25, top + 0.075, lit)
        x += across + 0.015
    pen.box(0, 0.68, wide, 0.8, shade((230, 234, 240) if white else (176, 172, 166), keep))
    pen.box(0, 0.8, wide, 1, shade((90, 92, 98), keep))
    for dash in range(5):
        pen.box(
            wide * (0.03 + 0.21 * dash),
            0.965,
            wide * (0.12 + 0.21 * dash),
            0.98,
            shade((236, 232, 210), keep),
        )


def _beach(pen: Pen, rng: Random, keep: float, white: bool) -> None:
    wide = pen.aspect
    pen.box(0, 0.48, wide, 0.7, shade((46, 130, 190), keep))
    for _ in range(7):
        x, y = wide * rng.random(), 0.52 + 0.13 * rng.random()
        pen.line(((x, y), (x + 0.08, y)), shade((150, 206, 234), keep), 0.008)
    pen.box(0, 0.68, wide, 1, shade((240, 240, 246) if white else (236, 212, 150), keep))
    pen.line(
        [(wide * step / 8, 0.685 + 0.012 * (step % 2)) for step in range(9)],
        shade((250, 250, 250), keep),
        0.014,
    )
    x = wide * (0.05 + 0.1 * rng.random())
    pen.line(((x, 0.72), (x + 0.05, 0.5), (x + 0.07, 0.3)), shade((130, 92, 56), keep), 0.03)
    for dx, dy in ((-0.16, 0.06), (-0.12, -0.06), (0.0, -0.1), (0.14, -0.04), (0.16, 0.08)):
        pen.line(
            ((x + 0.07, 0.3), (x + 0.07 + dx * 0.6, 0.27 + dy), (x + 0.07 + dx, 0.31 + dy)),
            shade((50, 140, 70), keep),
            0.028,
        )


def _tree(pen: Pen, x: float, y: float, tall: float, keep: float, white: bool, fir: bool) -> None:
    pen.box(x - 0.07 * tall, y - 0.45 * tall, x + 0.07 * tall, y, shade((104, 72, 44), keep))
    leaf = shade((222, 232, 238) if white else (44, 112, 58), keep)
    if fir:
        for step in range(3):
            top, half = y - tall + 0.2 * tall * step, (0.2 + 0.08 * step) * tall
            pen.shape(
                ((x, top), (x + half, top + 0.36 * tall), (x - half, top + 0.36 * tall)),
                shade(leaf, 0.9 + 0.05 * step),
            )
    else:
        for dx, dy in ((-0.18, -0.6), (0.18, -0.6), (0.0, -0.8)):
            pen.oval(x + dx * tall, y + dy * tall, 0.26 * tall, 0.23 * tall, shade(leaf, 1.0 if dx else 1.1))


def _forest(pen: Pen, rng: Random, keep: float, white: bool) -> None:
    wide = pen.aspect
    ground = _meadow(pen, keep, white, (90, 128, 66))
    pen.box(0, 0.5, wide, 0.67, shade(ground, 0.7))
    for tree in range(9):
        _tree(
            pen,
            wide * (tree + rng.random() * 0.8) / 9,
            0.68 + 0.05 * rng.random(),
            0.5 + 0.25 * rng.random(),
            keep,
            white,
            True,
        )


def _park(pen: Pen, rng: Random, keep: float, white: bool) -> None:
    wide = pen.aspect
    ground = _meadow(pen, keep, white)
    pen.oval(wide * 0.3, 0.7, 0.5, 0.14, shade(ground, 0.92))
    for tree in range(3):
        _tree(
            pen,
            wide * (0.14 + 0.34 * tree + 0.1 * rng.random()),
            0.7,
            0.42 + 0.15 * rng.random(),
            keep,
            white,
            False,
        )
    pen.shape(
        ((0.3 * wide, 1), (0.62 * wide, 1), (0.5 * wide, 0.68), (0.46 * wide, 0.68)),
        shade((214, 190, 146), keep),
    )


def _station(pen: Pen, rng: Random, keep: float, white: bool) -> None:
    wide = pen.aspect
    train = shade(pick(rng, ((90, 130, 120), (150, 100, 96), (110, 110, 150))), keep)
    pen.box(0, 0.3, wide, 0.64, train)
    for window in range(6):
        left = wide * (0.03 + 0.17 * window)
        pen.box(left, 0.36, left + wide * 0.11, 0.48, (250, 226, 140) if keep < 0.7 else (200, 224, 236))
    pen.box(0, 0.64, wide, 0.7, (50, 50, 54))
    pen.box(0, 0.7, wide, 1, shade((232, 236, 242) if white else (178, 176, 172), keep))
    pen.box(0, 0.72, wide, 0.735, shade((246, 214, 60), keep))
    for post in (0.06, 0.6):
        pen.box(wide * post, 0.08, wide * post + 0.025, 0.72, shade((80, 84, 92), keep))
    pen.box(0, 0.05, wide, 0.1, shade((110, 60, 54), keep))


def _furniture(pen: Pen, place: Place, keep: float = 1.0) -> None:
    wide = pen.aspect
    wood, dark = shade((150, 98, 56), keep), shade((104, 66, 38), keep)
    for spot, (left, right, y) in FURNITURE[place.noun].items():
        left, right = left * wide - 0.05, right * wide + 0.05
        if spot == "table":
            for leg in (left + 0.03, right - 0.055):
                pen.box(leg, y, leg + 0.025, 0.93, dark)
            pen.box(left, y, right, y + 0.035, wood)
            if place.noun == "shop":
                pen.box(left + 0.01, y + 0.035, right - 0.01, 0.93, shade(wood, 0.85))
        elif spot == "shelf":
            pen.box(left, y, right, y + 0.025, dark)
            for bracket in (left + 0.04, right - 0.05):
                pen.box(bracket, y + 0.025, bracket + 0.015, y + 0.06, dark)
        elif spot == "bench":
            for leg in (left + 0.03, right - 0.055):
                pen.box(leg, y, leg + 0.025, 0.88, (70, 72, 78))
            pen.box(left, y - 0.14, right, y - 0.09, wood)
            pen.box(left, y, right, y + 0.03, wood)
        elif spot == "blanket":
            pen.shape(
                ((left + 0.03, y - 0.04), (right - 0.03, y - 0.04), (right, y + 0.045), (left, y + 0.045)),
                shade((196, 90, 120), keep),
            )
            pen.line(((left + 0.02, y), (right - 0.02, y)), shade((250, 230, 230), keep), 0.01)
