"""The hierarchy of a medium: scenes, their shots, and the moments in them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from vidence.memory.rows import exact, parse
from vidence.timeline import Span


@dataclass(frozen=True, slots=True)
class Moment:
    """Things perceived together: `observations` are their ids."""

    span: Span
    title: str
    observations: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Shot:
    """One uncut run of the camera; `observation` is the id of the shot itself, None where no shots are known."""

    span: Span
    title: str
    moments: tuple[Moment, ...]
    observation: int | None = None


@dataclass(frozen=True, slots=True)
class Scene:
    """Shots that belong together by their looks, colours, time and topic."""

    span: Span
    title: str
    summary: str
    shots: tuple[Shot, ...]

    def to_json(self) -> dict[str, Any]:
        """Write as JSON, times in seconds."""
        return {
            **self.span.to_json(),
            "title": self.title,
            "summary": self.summary,
            "shots": [
                {
                    **shot.span.to_json(),
                    "title": shot.title,
                    "moments": [
                        {**m.span.to_json(), "title": m.title, "observations": list(m.observations)}
                        for m in shot.moments
                    ],
                }
                for shot in self.shots
            ],
        }


def pack_scene(scene: Scene) -> dict[str, Any]:
    """Write for storing, times exact."""
    return {
        "span": _pack(scene.span),
        "title": scene.title,
        "summary": scene.summary,
        "shots": [
            {
                "span": _pack(shot.span),
                "title": shot.title,
                "observation": shot.observation,
                "moments": [[_pack(m.span), m.title, list(m.observations)] for m in shot.moments],
            }
            for shot in scene.shots
        ],
    }


def unpack_scene(stored: Mapping[str, Any]) -> Scene:
    """Read what `pack_scene` wrote."""
    shots = (
        Shot(
            _unpack(shot["span"]),
            shot["title"],
            tuple(Moment(_unpack(span), title, tuple(ids)) for span, title, ids in shot["moments"]),
            shot["observation"],
        )
        for shot in stored["shots"]
    )
    return Scene(_unpack(stored["span"]), stored["title"], stored["summary"], tuple(shots))


def _pack(span: Span) -> list[str]:
    return [exact(span.start), exact(span.end)]


def _unpack(stored: list[str]) -> Span:
    return Span(parse(stored[0]), parse(stored[1]))
