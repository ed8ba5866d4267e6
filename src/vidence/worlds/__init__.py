"""Procedural videos with exact ground truth: drawn from a seed, with questions, captions and spoken lines.

A world is a plan; pixels are drawn when they are asked for, any instant by itself. Imports are late.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from vidence.worlds.captions import Caption
    from vidence.worlds.event import Event, Line
    from vidence.worlds.question import KINDS, Question
    from vidence.worlds.scene import Scene
    from vidence.worlds.setting import Setting
    from vidence.worlds.world import World, make_world
    from vidence.worlds.write import WrittenWorld

_HOMES = {
    "Caption": "captions",
    "Event": "event",
    "KINDS": "question",
    "Line": "event",
    "Question": "question",
    "Scene": "scene",
    "Setting": "setting",
    "World": "world",
    "WrittenWorld": "write",
    "make_world": "world",
}

__all__ = [
    "KINDS",
    "Caption",
    "Event",
    "Line",
    "Question",
    "Scene",
    "Setting",
    "World",
    "WrittenWorld",
    "make_world",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"vidence.worlds.{_HOMES[name]}"), name)
