"""Watching recorded footage: who and what passes, zones and lines, events with evidence, what is unusual there."""

from vidence.apps.watch.scene import Scene, open_scene
from vidence.apps.watch.watching import Watch, watch

__all__ = ["Scene", "Watch", "open_scene", "watch"]
