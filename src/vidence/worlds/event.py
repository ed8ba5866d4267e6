"""What happens in a world, and what is said."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from vidence.timeline import Span
from vidence.worlds.cast import Actor, Entity, Thing


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happens: `subject` does `verb` (a key of the lexicon's clauses), in scene number `scene`.

    `thing` and `other` are what and whom it concerns; `value` is a colour, a word or a spot where the verb has one.
    """

    verb: str
    span: Span
    scene: int
    subject: Entity
    thing: Thing | None = None
    other: Actor | None = None
    value: str = ""

    @property
    def signature(self) -> tuple[object, ...]:
        """What words tell of it, without when and where."""
        looks = [entity.look if entity else None for entity in (self.subject, self.thing, self.other)]
        return (self.verb, *looks, self.value)

    def to_json(self) -> dict[str, Any]:
        """Write as JSON values; entities by their key."""
        return {
            "verb": self.verb,
            **self.span.to_json(),
            "scene": self.scene,
            "subject": self.subject.key,
            "thing": self.thing.key if self.thing else None,
            "other": self.other.key if self.other else None,
            "value": self.value,
        }


@dataclass(frozen=True, slots=True)
class Line:
    """A spoken line. `speaker` is None for a voice that is not seen."""

    span: Span
    speaker: Actor | None
    language: str
    text: str
