"""Watching scenes of worlds (`vidence.worlds`), each written as a clip of its own: who comes, goes, falls and stays.

The actors are drawn figures, which no detector has learned, before grounds with things that lie about: what is found of
them is found by movement, so that who stands all the time is not. Of a scene is true when each actor is in the picture
(half of it at least), when it comes in and goes out, when it falls over, and that one who is there for `LOITER_S`
loiters. Spans match at a temporal IoU of 0.5, instants within `SLACK_S`. No rule was changed after these scenes were
seen.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

from common import Bar
from matching import Tally, near, tally, write_film
from vidence.apps.watch import Watch, watch
from vidence.apps.watch.scene import Scene, Zone
from vidence.timeline import Span, union
from vidence.video import open as open_video
from vidence.worlds import Setting, make_world
from vidence.worlds.cast import Actor
from vidence.worlds.scene import Scene as Stage
from vidence.worlds.world import World

SEEDS = tuple(range(200, 210))
SIZE, RATE_HZ = (640, 360), 10
SLACK_S, LOITER_S, LEAST_S = 1.5, 4.0, 6  # LEAST_S: of a scene
WALKS = ("enter", "leave", "walk_left", "walk_right")
WHOLE = Zone("all", ((0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0)), loiter_s=LOITER_S)
PLACE = Scene("world", movers="person", also={}, zones=(WHOLE,), left_s=2)


def measure_worlds(folder: Path) -> tuple[list[dict[str, Any]], list[Bar]]:
    """Return rows and bars."""
    totals: dict[str, Tally] = {}
    spent_s = media_s = 0.0
    for number, (world, stage) in enumerate(_stages()):
        path = folder / f"world-{world.seed}-{stage.index}.mp4"
        seconds = int(stage.span.duration)
        write_film(
            path, seconds, SIZE, lambda at, world=world, stage=stage: world.frame(stage.span.start + at)
        )
        with open_video(path, memory=folder / f"worlds-{number % 4}.sqlite") as video:
            started_s = time.process_time()
            found = watch(video, PLACE)
            spent_s, media_s = spent_s + time.process_time() - started_s, media_s + seconds
        for what, counted in compared(found, world, stage, seconds).items():
            totals[what] = totals.get(what, Tally()) + counted
    rows = [
        {"clip": "scenes of worlds", "what": what, "truth": one.truth, "found": one.found, "right": one.right,
         "precision": one.precision, "recall": one.recall, "count_error": abs(one.found - one.truth)}
        for what, one in totals.items()
    ]  # fmt: skip
    rows.append({"clip": "scenes of worlds", "what": "CPU seconds, perceiving included", "truth": media_s,
                 "found": spent_s, "right": 0, "precision": 0.0, "recall": 0.0, "count_error": 0.0})  # fmt: skip
    bars = []
    for what, one in totals.items():
        if " of who " not in what:
            bars.append(Bar(f"scenes of worlds: {what}, precision", one.precision, "", "reported"))
        bars.append(Bar(f"scenes of worlds: {what}, recall", one.recall, "", "reported"))
    return rows, bars


def _stages() -> Iterator[tuple[World, Stage]]:
    """Give scenes that a camera which stands still shows, long enough for something to happen."""
    for seed in SEEDS:
        world = make_world(seed, Setting(40, SIZE, RATE_HZ, 1, split="test"))
        for stage in world.scenes:
            if stage.camera.still and stage.span.duration >= LEAST_S and _actors(stage):
                yield world, stage


def _actors(stage: Stage) -> list[Actor]:
    return [part.entity for part in stage.parts if isinstance(part.entity, Actor)]


def compared(found: Watch, world: World, stage: Stage, seconds: int) -> dict[str, Tally]:
    """Hold what was found in a scene against its truth."""
    there = {actor.key: _presence(world, stage, actor, seconds) for actor in _actors(stage)}
    walked = {
        event.subject.key for event in world.events if event.scene == stage.index and event.verb in WALKS
    }
    passing = [span for key, spans in there.items() if key in walked for span in spans]
    told = [
        event for event in world.events if event.scene == stage.index and isinstance(event.subject, Actor)
    ]
    starts = {
        verb: [_since(event.span.start, stage) for event in told if event.verb == verb]
        for verb in ("enter", "fall")
    }
    gone = [_since(event.span.end, stage) for event in told if event.verb == "leave"]
    by = {
        kind: [one.span for one in found.findings if one.kind == kind and one.certain]
        for kind in ("entering", "leaving", "fall-like", "loitering")
    }
    subjects = [one.span for one in found.subjects if one.moves]
    stays = {key: [span for span in spans if span.duration >= LOITER_S] for key, spans in there.items()}

    def at(kind: str, truth: list[float]) -> Tally:
        return near([float(span.start) for span in by[kind]], truth, SLACK_S)

    return {
        "presence": _spans(subjects, [span for spans in there.values() for span in spans]),
        "presence of who walks": _recalled(subjects, passing),
        "entering": at("entering", starts["enter"]),
        "leaving": at("leaving", gone),
        "fall-like": at("fall-like", starts["fall"]),
        "loitering": _spans(by["loitering"], [span for spans in stays.values() for span in spans]),
        "loitering of who walked": _recalled(
            by["loitering"], [span for key, spans in stays.items() if key in walked for span in spans]
        ),
    }


def _spans(found: list[Span], truth: list[Span]) -> Tally:
    return tally([("", span) for span in found], [("", span) for span in truth])


def _recalled(found: list[Span], truth: list[Span]) -> Tally:
    """Match a part of the truth: what is found of the rest is not wrong."""
    right = _spans(found, truth).right
    return Tally(len(truth), right, right)


def _since(at: Fraction, stage: Stage) -> float:
    return float(at - stage.span.start)


def _presence(world: World, stage: Stage, actor: Actor, seconds: int) -> list[Span]:
    """Return when an actor is in the picture."""
    part = next(part for part in stage.parts if part.entity is actor)
    step = Fraction(1, RATE_HZ)
    seen = []
    for number in range(seconds * RATE_HZ):
        state = part.at(number / RATE_HZ)
        if state.pose != "hidden" and 0 <= state.x <= world.setting.aspect:
            seen.append(Span(number * step, (number + 1) * step))
    return union(seen, gap=step)
