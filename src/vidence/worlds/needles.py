"""Needles put into a world that is planned: banners at chosen instants, and words that contradict what is shown."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction

from vidence.timeline import Instant, Span
from vidence.worlds.cast import Thing
from vidence.worlds.drawing import generator
from vidence.worlds.event import Event, Line
from vidence.worlds.question import Question
from vidence.worlds.questions import FAMILIES
from vidence.worlds.questions.asker import Asker
from vidence.worlds.questions.facts import Facts
from vidence.worlds.scene import Overlay, Scene
from vidence.worlds.stage import eighths
from vidence.worlds.world import World

KEY = 950_000  # of the first banner: beyond those that a script flies
SHOWN_S = 2.0


def without_banners(world: World) -> World:
    """Take down the banners that the script flies, so that every colour is free."""
    scenes = tuple(
        replace(scene, overlays=tuple(one for one in scene.overlays if one.kind != "banner"))
        for scene in world.scenes
    )
    return replace(
        world, scenes=scenes, events=tuple(event for event in world.events if event.verb != "flag")
    )


def with_banner(world: World, time: Instant, code: str, colour: str) -> World:
    """Fly a banner with a code word for two seconds about an instant, or for as long as its scene lasts."""
    scene = world.scene_at(time)
    lasts = float(scene.span.duration)
    start = eighths(min(max(float(time - scene.span.start), 0.0), max(lasts - SHOWN_S, 0.0)))
    end = min(start + SHOWN_S, lasts)
    overlay = Overlay("banner", start, end, world.setting.aspect * 0.3, 0.13, code, colour=colour)
    banner = Thing(KEY + scene.index, "banner", colour)
    span = Span(scene.span.start + Fraction(start), scene.span.start + Fraction(end))
    events = (*world.events, Event("flag", span, scene.index, banner, value=code))
    return replace(
        _changed(world, replace(scene, overlays=(*scene.overlays, overlay))),
        events=tuple(sorted(events, key=lambda event: event.span.start)),
    )


def with_line(world: World, scene: Scene, text: str, language: str = "en") -> World:
    """Let a voice that is not seen say something as a scene begins."""
    seconds = min(eighths(len(text) / 15 + 0.75), float(scene.span.duration))
    line = Line(Span(scene.span.start, scene.span.start + Fraction(seconds)), None, language, text)
    return replace(world, lines=tuple(sorted((*world.lines, line), key=lambda one: one.span.start)))


def every(world: World, kind: str, language: str = "en") -> Iterator[Question]:
    """Give all questions of a kind: `World.questions` gives a mix, in which a few kinds must not crowd out the rest."""
    rng = generator("every", world.setting.split, world.setting.level, world.seed, kind)
    yield from FAMILIES[kind](Facts(world), Asker(world, language, kind, rng))


def _changed(world: World, scene: Scene) -> World:
    scenes = tuple(scene if one.index == scene.index else one for one in world.scenes)
    return replace(world, scenes=scenes)
