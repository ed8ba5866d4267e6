"""Scenes through somebody's own eyes: a table, things on it, and two hands."""

from __future__ import annotations

from collections.abc import Sequence

from vidence.worlds.acts import slots
from vidence.worlds.cast import SKINS, THING_COLOURS, Actor, Thing
from vidence.worlds.drawing import pick
from vidence.worlds.stage import Stage

FILMER = Actor(800_000, "filmer", "black")
HANDS = {"left": 800_001, "right": 800_002}
REST_Y, REACH_S = 1.02, 0.75


def ego(stage: Stage, things: Sequence[Thing], most: int) -> None:
    """Let the one who films pick up, put down and point at things."""
    stage.kind = "ego"
    rng, wide = stage.rng, stage.aspect
    skin, sleeve = pick(rng, SKINS), pick(rng, THING_COLOURS)
    for thing, x in zip(things, slots(stage, max(len(things), 3), 0.14, 0.86), strict=False):
        stage.put(thing, x, 0.68 + 0.1 * rng.random(), scale=1.35, spot="table")
    hands = {}
    for side, way in (("left", -1), ("right", 1)):
        hands[side] = Actor(HANDS[side], "hand", sleeve, skin=skin)
        stage.put(hands[side], wide * (0.5 + 0.3 * way), REST_Y, facing=way)
    stage.wait(0.5)
    for _ in range(most):
        if stage.left_s < 3.25:
            break
        lying = [thing for thing in things if thing not in stage.holding.values()]
        held = {side: stage.holding[hand.key] for side, hand in hands.items() if hand.key in stage.holding}
        free = [side for side in hands if side not in held]
        verb = pick(rng, ["pick_up", "pick_up", "point"] if not held else ["put_down", "put_down", "point"])
        if verb == "put_down":
            side = next(iter(held))
            _put_down(stage, hands[side], side, held[side], things)
        elif lying and free:
            thing = pick(rng, lying)
            near = "left" if stage.x(thing) < wide / 2 else "right"
            side = near if near in free else free[0]
            (_pick_up if verb == "pick_up" else _point)(stage, hands[side], side, thing)
        stage.wait(0.375)


def _pick_up(stage: Stage, hand: Actor, side: str, thing: Thing) -> None:
    x, y, _ = stage.at(thing)
    home = stage.at(hand)
    stage.beat(hand, "move", REACH_S, (x, y - 0.06))
    stage.beat(thing, "held", float(stage.duration), other=hand.key, delay_s=REACH_S)
    _then(stage, hand, (home[0], 0.72), REACH_S)
    stage.tell("pick_up", FILMER, 2 * REACH_S, thing, value=side)
    stage.holding[hand.key] = thing


def _put_down(stage: Stage, hand: Actor, side: str, thing: Thing, things: Sequence[Thing]) -> None:
    others = [stage.x(one) for one in things if one is not thing]
    wanted = [stage.aspect * (0.16 + 0.17 * number) for number in range(5)]
    x = max(
        wanted, key=lambda x: min(abs(x - other) for other in [*others, -1.0]) + 0.04 * stage.rng.random()
    )
    y = 0.72
    home = (stage.aspect * (0.5 + 0.3 * (1 if side == "right" else -1)), REST_Y)
    stage.beat(hand, "move", REACH_S, (x, y - 0.06))
    stage.drop(thing, x, y, REACH_S)
    _then(stage, hand, home, REACH_S)
    stage.tell("put_down", FILMER, 2 * REACH_S, thing, value=side)
    del stage.holding[hand.key]


def _point(stage: Stage, hand: Actor, side: str, thing: Thing) -> None:
    x, y, _ = stage.at(thing)
    hx, hy, _ = stage.at(hand)
    stage.beat(hand, "move", REACH_S, (x + (0.03 if side == "right" else -0.03), y + 0.04))
    _then(stage, hand, (hx, hy), REACH_S, wait_s=0.5)
    stage.tell("point", FILMER, 2 * REACH_S + 0.5, thing, value=side)


def _then(stage: Stage, hand: Actor, to: tuple[float, float], seconds: float, wait_s: float = 0.0) -> None:
    stage.beat(hand, "move", seconds, to, delay_s=REACH_S + wait_s)
