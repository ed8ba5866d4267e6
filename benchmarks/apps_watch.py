"""Watching against known truth: counts made by hand on real clips (benchmarks/truth/watch.json), made yards, worlds.

Events match truth of the same kind at a temporal IoU of 0.5; events of an instant (crossings, the wrong way, falls,
things put down or taken away) within `SLACK_S`. The error of a count is the mean difference from the hand count over
the instants counted. The clips were looked at while the rules were written; the yards measured here were not.
"""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from random import Random
from typing import Any

import numpy as np

from common import Bar
from matching import Tally, near, tally, write_film
from vidence.apps.watch import Watch, watch
from vidence.apps.watch.scene import Line, Scene, Zone, read_scene
from vidence.apps.watch.watching import present
from vidence.senses.motion import Motion
from vidence.timeline import Span, instant
from vidence.video import open as open_video
from watching_worlds import measure_worlds

TRUTH = json.loads((Path(__file__).parent / "truth/watch.json").read_text(encoding="utf-8"))
SLACK_S = 1.5
INSTANT = ("object-left", "object-removed", "wrong-way", "fall-like")
YARDS = tuple(range(10, 13))
SIZE = (320, 240)
GATE = Line("gate", (0.5, 0.2), (0.5, 1.0), allowed="right")
COURT = Zone("court", ((0.3, 0.5), (0.7, 0.5), (0.7, 1.0), (0.3, 1.0)), loiter_s=8)
YARD = Scene("yard", movers="person", lines=(GATE,), zones=(COURT,), anchor="foot", left_s=5)


def measure(videos: Path, memory: Path) -> tuple[list[dict[str, Any]], list[Bar]]:
    """Return the rows and bars."""
    rows, bars = [], []
    for name, truth in TRUTH.items():
        if name == "note" or not (videos / name).is_file():
            continue
        scene = read_scene(json.dumps(truth["scene"]), f"truth/watch.json: {name}")
        with open_video(videos / name, memory=memory) as video:
            started_s = time.process_time()
            found = watch(video, scene)
            spent_s, media_s = time.process_time() - started_s, float(video.media.info.duration)
        clip_rows, clip_bars = compared(name, found, truth)
        rows += clip_rows
        rows.append({"clip": name, "what": "CPU seconds, perceived before", "truth": media_s, "found": spent_s,
                     "right": 0, "precision": 0.0, "recall": 0.0, "count_error": 0.0})  # fmt: skip
        bars += clip_bars
    yard_rows, yard_bars = _yards()
    with tempfile.TemporaryDirectory() as folder:
        world_rows, world_bars = measure_worlds(Path(folder))
    return rows + yard_rows + world_rows, bars + yard_bars + world_bars


def compared(name: str, found: Watch, truth: dict[str, Any]) -> tuple[list[dict[str, Any]], list[Bar]]:
    """Hold what was found on one clip against its truth."""
    rows, bars = [], []
    for line, ways in truth.get("crossings", {}).items():
        for way, times in ways.items():
            mine = [
                float(e.span.start)
                for e in found.findings
                if e.kind == "crossing" and (e.data["line"], e.data["way"]) == (line, way)
            ]
            counted = near(mine, times, SLACK_S)
            rows.append(_row(name, f"crossings {way}", counted))
            bars.append(
                Bar(f"{name}: count of crossings {way}, error", abs(len(mine) - len(times)), "", "reported")
            )
    if "people" in truth:
        errors = [present(found.subjects, instant(t), "person") - count for t, count in truth["people"]]
        mean = float(np.mean(np.abs(errors)))
        total = Tally(
            sum(c for _, c in truth["people"]),
            sum(c + e for (_, c), e in zip(truth["people"], errors, strict=True)),
        )
        rows.append(
            {**_row(name, "people at a time", total), "precision": 0.0, "recall": 0.0, "count_error": mean}
        )
        bars.append(Bar(f"{name}: people at a time, mean error", mean, "", "<= 1.5"))
    for kind, count in truth.get("passing", {}).items():
        mine = found.counts.get(kind, {}).get("passing", 0)
        bars.append(Bar(f"{name}: count of {kind}s, error", abs(mine - count), "", "== 0"))
    if "cars" in truth:
        spans = [("car", Span.of(*span)) for span in truth["cars"]]
        rows.append(
            _row(name, "cars, spans", tally([("car", s.span) for s in found.subjects if s.moves], spans))
        )
    if "events" in truth:
        counted = _events(found, [(kind, start, end) for kind, start, end in truth["events"]])
        rows.append(_row(name, "events", counted))
        bars += _bars(name, counted)
    return rows, bars


def _events(found: Watch, truth: Sequence[tuple[str, float, float]]) -> Tally:
    """Match events: long ones by their spans, those of an instant by their start."""
    kinds = {kind for kind, _, _ in truth}
    total = Tally()
    for kind in sorted(kinds):
        spans = [one.span for one in found.findings if one.kind == kind and one.certain]
        true = [Span.of(start, end) for name, start, end in truth if name == kind]
        if kind in INSTANT:
            total = total + near([float(s.start) for s in spans], [float(s.start) for s in true], SLACK_S)
        else:
            total = total + tally([(kind, s) for s in spans], [(kind, s) for s in true])
    return total


def _bars(name: str, counted: Tally) -> list[Bar]:
    return [
        Bar(f"{name}: events, precision", counted.precision, "", ">= 0.7"),
        Bar(f"{name}: events, recall", counted.recall, "", ">= 0.7"),
    ]


def _row(name: str, what: str, counted: Tally) -> dict[str, Any]:
    return {
        "clip": name, "what": what, "truth": counted.truth, "found": counted.found, "right": counted.right,
        "precision": counted.precision, "recall": counted.recall, "count_error": abs(counted.found - counted.truth),
    }  # fmt: skip


# Yards: figures that walk, wait, fall and put things down before a still ground, drawn with known times


def _yards() -> tuple[list[dict[str, Any]], list[Bar]]:
    ways, events, spent_s, media_s = Tally(), Tally(), 0.0, 0.0
    with tempfile.TemporaryDirectory() as folder:
        for seed in YARDS:
            film = Path(folder) / f"yard-{seed}.mp4"
            crossings, truth, seconds = draw_yard(film, seed)
            with open_video(film, memory=Path(folder) / f"yard-{seed}.sqlite") as video:
                video.senses = [Motion()]
                started_s = time.process_time()
                found = watch(video, YARD)
                spent_s, media_s = spent_s + time.process_time() - started_s, media_s + seconds
            for way, times in crossings.items():
                mine = [
                    float(e.span.start)
                    for e in found.findings
                    if e.kind == "crossing" and e.data["way"] == way
                ]
                ways = ways + near(mine, times, SLACK_S)
            events = events + _events(found, truth)
    rows = [_row("made yards", "crossings", ways), _row("made yards", "events", events)]
    rows.append({"clip": "made yards", "what": "CPU seconds, perceiving included", "truth": media_s, "found": spent_s,
                 "right": 0, "precision": 0.0, "recall": 0.0, "count_error": 0.0})  # fmt: skip
    return rows, [
        *_bars("made yards", events),
        Bar("made yards: crossings, recall", ways.recall, "", ">= 0.9"),
    ]


def draw_yard(path: Path, seed: int) -> tuple[dict[str, list[float]], list[tuple[str, float, float]], int]:
    """Draw a yard; return crossings of the gate by way, events as (kind, start, end), and its length in seconds.

    One after another, with pauses: figures cross to the right and (the wrong way) to the left, one waits in the court,
    one puts a box down, one takes it away, one falls and lies.
    """
    rng = Random(seed)
    plan = ["right", "left", "wait", "put", "right", "fall", "take", "left"]
    rng.shuffle(plan)
    if plan.index("put") > plan.index("take"):
        a, b = plan.index("put"), plan.index("take")
        plan[a], plan[b] = plan[b], plan[a]
    moves: list[tuple[float, float, str, float]] = []  # start, end, what, speed in widths a second
    at = 3.0
    crossings: dict[str, list[float]] = {"right": [], "left": []}
    truth: list[tuple[str, float, float]] = []
    box: list[float] = []
    for what in plan:
        speed = 0.16 + 0.06 * rng.random()
        across_s = 1.3 / speed
        if what == "wait":
            moves.append((at, at + across_s + 12, what, speed))
            reach_s, leave_s = (0.3 + 0.15) / speed, (0.7 + 0.15) / speed
            crossings["right"].append(at + 0.65 / speed + 12)  # it waits just before the gate
            truth.append(("loitering", at + reach_s, at + leave_s + 12))
            at += across_s + 12
        elif what == "fall":
            down_s = 0.55 / speed
            moves.append((at, at + down_s + 8, what, speed))
            truth.append(("fall-like", at + down_s - 0.5, at + down_s + 0.5))
            truth.append(("loitering", at + 0.45 / speed, at + down_s + 8))  # it lies in the court
            at += down_s + 8
        else:
            moves.append((at, at + across_s, what, speed))
            way = "left" if what == "left" else "right"
            crossings[way].append(at + 0.65 / speed)
            if what == "left":
                truth.append(("wrong-way", at + 0.65 / speed, at + 0.65 / speed + 0.5))
            if what in ("put", "take"):
                box.append(at + 0.85 / speed)
            at += across_s
        at += 4.0
    seconds = int(at) + 2
    truth += [("object-left", box[0], box[1]), ("object-removed", box[1], box[1] + 1)]
    noise = np.random.default_rng(seed)
    ground = np.repeat(
        np.repeat(noise.integers(110, 160, (SIZE[1] // 8, SIZE[0] // 8, 3), np.uint8), 8, 0), 8, 1
    )

    def paint(time_: Fraction) -> np.ndarray:
        image, now = ground.copy(), float(time_)
        if box[0] <= now < box[1]:
            _block(image, 0.8, 0.88, 0.07, 0.1, (150, 60, 30))
        for start, end, what, speed in moves:
            if start <= now < end:
                _figure(image, what, now - start, speed)
        return image

    write_film(path, seconds, SIZE, paint)
    return crossings, truth, seconds


def _figure(image: np.ndarray, what: str, since_s: float, speed: float) -> None:
    """Draw a figure: it walks along the ground; lies, once it has fallen; stands still while it waits."""
    walked = since_s
    if what == "wait":
        stop_s = 0.6 / speed  # at 0.45 of the width
        walked = min(since_s, stop_s) + max(since_s - stop_s - 12, 0)
    x = 1.15 - speed * walked if what == "left" else -0.15 + speed * walked
    if what == "fall" and since_s >= 0.55 / speed:
        _block(image, 0.4, 0.88, 0.24, 0.08, (25, 30, 60))
        return
    _block(image, x, 0.88, 0.07, 0.28, (25, 30, 60))


def _block(
    image: np.ndarray, x: float, bottom: float, wide: float, high: float, colour: tuple[int, int, int]
) -> None:
    left, right = int((x - wide / 2) * SIZE[0]), int((x + wide / 2) * SIZE[0])
    top, low = int((bottom - high) * SIZE[1]), int(bottom * SIZE[1])
    image[max(top, 0) : low, max(left, 0) : max(right, 0)] = colour
