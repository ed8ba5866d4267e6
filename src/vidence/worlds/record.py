"""The record of a world: all that is true of it, as JSON and as subtitles."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from vidence.timeline import Instant
from vidence.worlds.cast import Actor, Entity
from vidence.worlds.pictures import LICENCE, MARK, PACKAGE, shelf

if TYPE_CHECKING:
    from vidence.worlds.event import Line
    from vidence.worlds.world import World


def to_json(world: World) -> dict[str, Any]:
    """Return setting, timeline, captions and questions as JSON values; times are seconds."""
    setting = world.setting
    return {
        "seed": world.seed,
        "setting": {
            "duration_s": float(setting.duration),
            "size": list(setting.size),
            "rate_hz": str(setting.rate_hz),
            "level": setting.level,
            "split": setting.split,
            "languages": list(setting.languages),
            "cast": setting.cast,
        },
        "scenes": [
            {
                "index": scene.index,
                **scene.span.to_json(),
                "place": scene.place.noun,
                "tone": scene.place.tone,
                "weather": scene.place.weather,
                "kind": scene.kind,
                "sign": scene.sign.text if scene.sign else None,
                "entities": [part.entity.key for part in scene.parts],
            }
            for scene in world.scenes
        ],
        "entities": [_entity(one) for one in _entities(world)],
        "pictures": [
            {"package": PACKAGE, "licence": LICENCE, "file": str(shelf()[one.noun].path)}
            for one in _entities(world)
            if one.noun.startswith(MARK)
        ],
        "events": [event.to_json() for event in world.events],
        "lines": [
            {
                **line.span.to_json(),
                "speaker": line.speaker.key if line.speaker else None,
                "language": line.language,
                "text": line.text,
            }
            for line in world.lines
        ],
        "synopsis": {language: world.synopsis(language) for language in setting.languages},
        "captions": {
            language: [
                {**caption.span.to_json(), "text": caption.text} for caption in world.captions(language)
            ]
            for language in setting.languages
        },
        "questions": {
            language: [question.to_json() for question in world.questions(language=language)]
            for language in setting.languages
        },
    }


def subtitles(world: World) -> str:
    """Return the spoken lines of a world as SubRip."""
    return subtitle_text(world.lines)


def subtitle_text(lines: Sequence[Line]) -> str:
    """Return spoken lines as SubRip."""
    return "\n".join(
        f"{number}\n{_stamp(line.span.start)} --> {_stamp(line.span.end)}\n{line.text}\n"
        for number, line in enumerate(lines, 1)
    )


def _stamp(time: Instant) -> str:
    ms = round(time * 1000)
    return f"{ms // 3_600_000:02d}:{ms // 60_000 % 60:02d}:{ms // 1000 % 60:02d},{ms % 1000:03d}"


def _entities(world: World) -> list[Entity]:
    found: dict[int, Entity] = {actor.key: actor for actor in world.actors}
    for scene in world.scenes:
        found.update((part.entity.key, part.entity) for part in scene.parts)
    for event in world.events:
        found.setdefault(event.subject.key, event.subject)
    return [found[key] for key in sorted(found)]


def _entity(one: Entity) -> dict[str, Any]:
    if isinstance(one, Actor):
        return {"key": one.key, "noun": one.noun, "colour": one.colour, "hat": one.hat, "name": one.name}
    return {"key": one.key, "noun": one.noun, "colour": one.colour, "pattern": one.pattern}
