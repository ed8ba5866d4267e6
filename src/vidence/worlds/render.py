"""Draws any instant of a scene by itself."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from vidence.worlds.animals import draw_animal
from vidence.worlds.body import draw_person, hand
from vidence.worlds.cast import Actor, Thing
from vidence.worlds.grounds import draw_ground, draw_weather
from vidence.worlds.overlays import draw_desk, draw_hand, draw_overlay, draw_sign
from vidence.worlds.pen import Pen
from vidence.worlds.places import Place
from vidence.worlds.scene import Scene, Sign, State
from vidence.worlds.things import draw_thing

Region = tuple[float, float, float, float]
WHOLE: Region = (0.0, 0.0, 1.0, 1.0)


def draw_scene(
    scene: Scene, time_s: float, aspect: float, size: tuple[int, int], region: Region = WHOLE
) -> np.ndarray:
    """Draw a scene `time_s` seconds after its start as uint8 RGB (height, width, 3)."""
    width, height = size
    view = region
    if not scene.camera.still:
        view = _within(scene.camera.view(time_s / float(scene.span.duration), time_s), region)
        image = np.empty((height, width, 3), np.uint8)
        pen = Pen(image, aspect, view)
        _draw_still(pen, scene.place, scene.sign, scene.kind)
    else:
        image = _ground(scene.place, scene.sign, scene.kind, aspect, size, view).copy()
        pen = Pen(image, aspect, view)
    _draw_parts(pen, scene, time_s)
    draw_weather(pen, scene.place, time_s)
    for overlay in scene.overlays:
        if overlay.start_s <= time_s < overlay.end_s:
            draw_overlay(pen, overlay, time_s)
    return image


@lru_cache(maxsize=8)
def _ground(
    place: Place, sign: Sign | None, kind: str, aspect: float, size: tuple[int, int], view: Region
) -> np.ndarray:
    """Draw a ground once for all instants that see it from the same place; it is the same drawn anew."""
    image = np.empty((size[1], size[0], 3), np.uint8)
    _draw_still(Pen(image, aspect, view), place, sign, kind)
    return image


def _draw_still(pen: Pen, place: Place, sign: Sign | None, kind: str) -> None:
    draw_ground(pen, place)
    if kind == "ego":
        draw_desk(pen)
    if sign is not None:
        draw_sign(pen, place, sign)


def _within(outer: Region, inner: Region) -> Region:
    left, top, right, bottom = outer
    wide, tall = right - left, bottom - top
    return (left + inner[0] * wide, top + inner[1] * tall, left + inner[2] * wide, top + inner[3] * tall)


def _draw_parts(pen: Pen, scene: Scene, time_s: float) -> None:
    states = [(part, part.at(time_s)) for part in scene.parts]
    held: dict[int, list[tuple[Thing, State, float]]] = {}
    shown = []
    for part, state in states:
        if state.pose == "held" and isinstance(part.entity, Thing):
            held.setdefault(state.other, []).append((part.entity, state, part.scale))
        elif state.pose != "hidden":
            shown.append((part, state))
    # Things that lie on furniture are behind whoever stands before it; on one level, things are in front.
    shown.sort(key=lambda one: one[1].y)
    for part, state in shown:
        entity = part.entity
        if isinstance(entity, Actor):
            draw = draw_hand if entity.noun == "hand" else draw_person if entity.person else draw_animal
            draw(pen, entity, state, state.scale)
            for thing, of, _ in held.get(entity.key, ()):
                x, y = hand(entity, state, state.scale)
                draw_thing(pen, thing, x, y + 0.4 * thing.size * of.scale, scale=of.scale, colour=of.colour)
        else:
            turned = 2.3 * state.phase if state.pose == "spin" else 0.0
            draw_thing(
                pen,
                entity,
                state.x,
                state.y,
                scale=state.scale,
                colour=state.colour,
                opened=state.opened,
                turned=turned,
            )
