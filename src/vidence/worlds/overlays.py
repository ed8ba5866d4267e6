"""Draws signs, bubbles, banners, and what belongs to a view through somebody's own eyes."""

from __future__ import annotations

from functools import cache
from math import sin

import cv2

from vidence.worlds.cast import COLOURS, Actor
from vidence.worlds.pen import Pen, shade
from vidence.worlds.places import Place
from vidence.worlds.scene import Overlay, Sign, State
from vidence.worlds.things import draw_thing

INK, PAPER = (28, 28, 34), (250, 248, 238)
BOARDS = ((34, 70, 120), (30, 96, 70), (120, 40, 44), (60, 56, 64))


@cache
def face() -> cv2.FontFace:
    """Return OpenCV's own typeface, which has Latin, Greek, Cyrillic, Chinese, Japanese and Korean letters."""
    return cv2.FontFace("uni")


def width_of(text: str, height: float) -> float:
    """Return about how wide a line is, in the units of its height."""
    return sum(1.0 if ord(letter) > 0x2E80 else 0.64 for letter in text) * height


def draw_sign(pen: Pen, place: Place, sign: Sign) -> None:
    """Draw a board with a word; out of doors it stands on a post."""
    wide, tall = width_of(sign.text, sign.height) / 2 + 0.35 * sign.height, 0.72 * sign.height
    if place.noun == "ground":
        pen.text(sign.x, sign.y, sign.text, INK, sign.height, face())
        return
    board = BOARDS[place.seed % len(BOARDS)]
    if not place.indoors:
        pen.box(sign.x - 0.012, sign.y, sign.x + 0.012, 0.78, (96, 92, 90))
    corners = (
        (sign.x - wide, sign.y - tall), (sign.x + wide, sign.y - tall),
        (sign.x + wide, sign.y + tall), (sign.x - wide, sign.y + tall),
    )  # fmt: skip
    pen.shape(corners, board, PAPER)
    pen.text(sign.x, sign.y, sign.text, PAPER, sign.height, face())


def draw_overlay(pen: Pen, overlay: Overlay, time_s: float) -> None:
    """Draw what lies over the scene."""
    if overlay.kind == "banner":
        _banner(pen, overlay, time_s)
        return
    x = min(max(overlay.x, 0.14), pen.aspect - 0.14)
    y = max(overlay.y, 0.12)
    if overlay.kind == "thought":
        for step in (0.0, 1.0):
            pen.oval(
                x - 0.02 + 0.02 * step,
                y + 0.2 - 0.045 * step,
                0.014 + 0.008 * step,
                0.012 + 0.008 * step,
                PAPER,
                INK,
            )
        for dx, dy in ((-0.09, 0.02), (0.09, 0.02), (-0.04, -0.05), (0.05, -0.05)):
            pen.oval(x + dx, y + dy, 0.08, 0.075, PAPER)
        pen.oval(x, y, 0.13, 0.1, PAPER)
        if overlay.thing is not None:
            draw_thing(pen, overlay.thing, x, y + 0.065, scale=0.13 / overlay.thing.size)
        return
    wide = max(width_of(overlay.text, 0.08) / 2 + 0.03, 0.09)
    pen.shape(((x - 0.03, y + 0.04), (x + 0.02, y + 0.04), (x - 0.03, y + 0.11)), PAPER)
    pen.oval(x, y, wide, 0.062, PAPER, INK)
    if overlay.text:
        pen.text(x, y, overlay.text, INK, 0.08, face())
    else:
        for dot in (-1, 0, 1):
            size = 0.012 + 0.006 * (1 + sin(9 * time_s - dot)) / 2
            pen.oval(x + 0.045 * dot, y, size, size, INK)


def _banner(pen: Pen, overlay: Overlay, time_s: float) -> None:
    """Draw a banner on a string of balloons that waves a little."""
    cloth = COLOURS[overlay.colour]
    x, y = overlay.x, overlay.y + 0.01 * sin(4 * time_s)
    wide = width_of(overlay.text, 0.1) / 2 + 0.05
    corners = (
        (x - wide, y - 0.075),
        (x + wide, y - 0.075),
        (x + wide - 0.03, y),
        (x + wide, y + 0.075),
        (x - wide, y + 0.075),
    )
    pen.shape(corners, cloth, shade(cloth, 0.5))
    pen.text(x - 0.01, y, overlay.text, INK if sum(cloth) > 380 else PAPER, 0.1, face())


def draw_desk(pen: Pen) -> None:
    """Draw the table top before the one who films."""
    wide = pen.aspect
    pen.shape(
        ((0.06 * wide, 0.56), (0.94 * wide, 0.56), (1.1 * wide, 1.0), (-0.1 * wide, 1.0)),
        (186, 142, 92),
        (120, 84, 48),
    )
    for share in (0.3, 0.5, 0.7):
        pen.line(
            ((share * wide, 0.565), ((share - 0.5) * 1.35 * wide + 0.5 * wide, 1.0)), (170, 126, 78), 0.006
        )


def draw_hand(pen: Pen, actor: Actor, state: State, scale: float) -> None:
    """Draw a hand and its sleeve as its owner sees them; facing 1 is the right hand."""
    x, y, side = state.x, state.y, state.facing
    sleeve = COLOURS[actor.colour]
    elbow = (x + side * 0.16, max(y + 0.5, 1.15))
    wrist = (x + side * 0.025, y + 0.11)
    pen.line((elbow, (x + side * 0.06, y + 0.24)), sleeve, 0.15 * scale)
    pen.line(((x + side * 0.06, y + 0.24), wrist), actor.skin, 0.075 * scale)
    pen.oval(x + side * 0.01, y + 0.05, 0.06 * scale, 0.065 * scale, actor.skin, shade(actor.skin, 0.6))
    for finger in (-1, 0, 1):
        pen.line(((x + finger * 0.03, y + 0.02), (x + finger * 0.026, y - 0.03)), actor.skin, 0.026 * scale)
    pen.line(((x - side * 0.04, y + 0.06), (x - side * 0.075, y + 0.01)), actor.skin, 0.028 * scale)
