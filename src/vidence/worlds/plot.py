"""Plots: somebody looks for a thing, finds it elsewhere, and gives it to somebody."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from vidence.worlds.acts import lay, slots
from vidence.worlds.cast import Actor, Thing
from vidence.worlds.drawing import pick
from vidence.worlds.event import Event, Line
from vidence.worlds.lexicon import Tongue, table
from vidence.worlds.places import FLOOR
from vidence.worlds.scene import Overlay
from vidence.worlds.stage import Stage

STEPS = ("search", "vain", "find", "hand_on")


@dataclass(frozen=True, slots=True)
class Plot:
    """Who looks for what, and who gets it; `scenes` are the numbers of the scenes of its steps, in order."""

    lead: Actor
    thing: Thing
    receiver: Actor
    scenes: tuple[tuple[int, str], ...]


def draw_scenes(rng: Random, first: int, last: int) -> tuple[tuple[int, str], ...]:
    """Spread a plot's steps over scenes `first` to `last`."""
    steps = (
        list(STEPS)
        if last - first >= 5 and rng.random() < 0.6
        else [step for step in STEPS if step != "vain"]
    )
    numbers = list(range(first, last + 1))
    while len(numbers) > len(steps):
        numbers.pop(int(rng.random() * len(numbers)))
    return tuple(zip(numbers, steps, strict=True))


def play_step(
    stage: Stage, plot: Plot, step: str, things: list[Thing], tongue: Tongue, others: list[Actor]
) -> None:
    """Play one step of a plot on a stage."""
    rng, wide = stage.rng, stage.aspect
    if step == "hand_on":
        lay(stage, things, 0.5, 0.9)
        stage.put(plot.receiver, wide * (0.62 + 0.15 * rng.random()), FLOOR, facing=-1)
        stage.put(plot.lead, wide * (0.15 + 0.1 * rng.random()), FLOOR, facing=1)
        stage.take_along(plot.lead, plot.thing)
        stage.wait(0.25)
        _say(stage, plot.lead, tongue, "line_give")
        stage.give(plot.lead, plot.receiver)
        return
    x = wide * (0.15 + 0.2 * rng.random())
    if step == "find":
        lay(stage, things, 0.3, 0.62, without=("under", "blanket"))
        stage.put(
            plot.thing, wide * (0.72 + 0.12 * rng.random()), FLOOR + 0.03, spot=next(iter(stage.place.spots))
        )
        stage.put(plot.lead, x, FLOOR, facing=1)
        stage.do(plot.lead, "look", 1.0)
        stage.pick_up(plot.lead, plot.thing)
        stage.events.append(Event("find", stage.events[-1].span, stage.index, plot.lead, plot.thing))
        if stage.left_s > 1.75:
            _say(stage, plot.lead, tongue, "line_find")
        return
    lay(stage, things, 0.4, 0.9)
    if others:
        stage.put(others[0], slots(stage, 1, 0.7, 0.9)[0], FLOOR - 0.01, facing=-1)
    stage.put(plot.lead, x, FLOOR, facing=1)
    stage.wait(0.25)
    if step == "search":
        seconds = min(3.0, stage.left_s - 0.5)
        top = FLOOR - plot.lead.size - 0.24
        start = stage.now_s
        stage.overlays.append(Overlay("thought", start, start + seconds, x + 0.18, top, thing=plot.thing))
        line = pick(rng, table("templates")["line_search"][tongue.language])
        text = line.format(n=tongue.noun("things", plot.thing.noun))
        stage.lines.append(_line(stage, plot.lead, tongue.language, text))
        stage.do(plot.lead, "look", seconds, "search", thing=plot.thing)
    else:
        stage.walk(plot.lead, wide * 0.55)
        stage.do(plot.lead, "look", 2.0, "vain")
    stage.wait(max(stage.left_s - 3.0, 0.0))
    if stage.left_s >= 2.75:
        stage.leave(plot.lead)


def _line(stage: Stage, actor: Actor, language: str, text: str) -> Line:
    seconds = len(text) / (4.5 if language == "zh" else 15.0) + 0.5
    return Line(
        stage.span(stage.now_s, stage.now_s + min(round(seconds * 8) / 8, stage.left_s)),
        actor,
        language,
        text,
    )


def _say(stage: Stage, actor: Actor, tongue: Tongue, form: str) -> None:
    stage.say(actor, tongue.language, pick(stage.rng, table("templates")[form][tongue.language]))
