"""What of a scene can be seen when: outside of the picture, hidden, or behind somebody is not."""

from __future__ import annotations

from fractions import Fraction

from vidence.timeline import Span
from vidence.worlds.cast import Actor, Thing
from vidence.worlds.scene import Part, Scene

STEP_S = 0.5


def seen_span(scene: Scene, part: Part, aspect: float) -> Span | None:
    """Return from when to when (to half a second) a part can be seen; None if never."""
    last = int(float(scene.span.duration) / STEP_S)
    shown = [step for step in range(last) if _visible(scene, part, step * STEP_S, aspect)]
    if not shown:
        return None
    if len(shown) == last:
        return scene.span
    start = scene.span.start + Fraction(shown[0] * STEP_S)
    return Span(start, min(start + Fraction((shown[-1] + 1 - shown[0]) * STEP_S), scene.span.end))


def _visible(scene: Scene, part: Part, time_s: float, aspect: float) -> bool:
    state = part.at(time_s)
    if state.pose == "hidden":
        return False
    if state.pose == "held":
        return True
    if not 0.0 <= state.x <= aspect:
        return False
    return not isinstance(part.entity, Thing) or not _covered(scene, part.entity, state.x, state.y, time_s)


def _covered(scene: Scene, thing: Thing, x: float, y: float, time_s: float) -> bool:
    """Say whether somebody or something stands before a thing, so that little of it shows."""
    for other in scene.parts:
        if other.entity is thing:
            continue
        state = other.at(time_s)
        if state.pose in ("hidden", "held") or state.y <= y:
            continue
        if isinstance(other.entity, Actor):
            if other.entity.noun == "hand":
                continue
            height = other.entity.size * state.scale
            half = 0.12 * height if other.entity.person else 0.6 * height
        else:
            height = other.entity.size * state.scale
            half = 0.3 * height
        if abs(state.x - x) < half + 0.1 * thing.size and y - thing.size * 0.5 > state.y - height:
            return True
    return False
