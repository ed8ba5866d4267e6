"""Captions: what happens when, in words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from vidence.timeline import Span
from vidence.worlds.lexicon import Tongue

if TYPE_CHECKING:
    from vidence.worlds.world import World


@dataclass(frozen=True, slots=True)
class Caption:
    """What can be seen in a span, in words."""

    span: Span
    text: str


def captions(world: World, language: str) -> list[Caption]:
    """Return a dense caption a scene, and one an event, in order of time."""
    tongue = Tongue(language, world.actors)
    found = [Caption(scene.span, scene_text(world, tongue, scene.index)) for scene in world.scenes]
    found += [
        Caption(event.span, stop(tongue, tongue.sentence(tongue.clause(event)))) for event in world.events
    ]
    return sorted(found, key=lambda caption: (caption.span.start, -caption.span.end))


def scene_text(world: World, tongue: Tongue, index: int) -> str:
    """Tell a scene: where, then what happens one after the other."""
    scene = world.scenes[index]
    clauses = [tongue.clause(event) for event in world.events if event.scene == index]
    if not clauses:
        clauses = [tongue.name(part.entity) for part in scene.parts]
    joint = {"en": ", then ", "zh": "，然后", "es": ", luego "}[tongue.language]
    return stop(tongue, tongue.sentence(joint.join(clauses), tongue.where(scene.place)))


def stop(tongue: Tongue, text: str) -> str:
    """End a sentence."""
    return text + ("。" if tongue.language == "zh" else ".")
