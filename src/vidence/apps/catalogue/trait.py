"""What is told of a shot: traits with where they come from, tags, and the shot as a whole."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from vidence.timeline import Span

if TYPE_CHECKING:
    import numpy as np

    from vidence.senses.observation import Observation


@dataclass(frozen=True, slots=True)
class Trait:
    """One thing told of a shot. `name` is "size", "camera", "people", "thing", "place", "time", "light", "look",
    "sound" or "flag"; `source` is the observation it is told from, which can be opened again."""

    name: str
    value: str
    confidence: float
    why: str = ""
    source: Observation | None = None

    def to_json(self) -> dict[str, Any]:
        """Write as JSON values."""
        seen = self.source
        return {
            "name": self.name,
            "value": self.value,
            "confidence": round(self.confidence, 3),
            "why": self.why,
            "observation": seen.id if seen is not None else None,
        }


@dataclass(frozen=True, slots=True)
class Tag:
    """A term of the vocabulary that fits a shot, and why."""

    facet: str
    id: str
    label: str
    confidence: float
    why: str = ""

    def to_json(self) -> dict[str, Any]:
        """Write as JSON values."""
        return {
            "facet": self.facet,
            "id": self.id,
            "label": self.label,
            "confidence": round(self.confidence, 3),
            "why": self.why,
        }


@dataclass(frozen=True, slots=True)
class Take:
    """A shot's place among others that repeat it: `setup` counts framings, `number` its takes; `best` is the one that
    has the fewest flaws and is sharpest."""

    setup: int
    number: int
    of: int
    best: bool

    def to_json(self) -> dict[str, Any]:
        """Write as JSON values."""
        return {"setup": self.setup, "take": self.number, "of": self.of, "best": self.best}


@dataclass(frozen=True, slots=True, eq=False)
class ShotRecord:
    """One shot and all that is told of it. `vector` is what it looks like, `layouts` (N, 9, 16) how it is laid out."""

    number: int
    span: Span
    traits: tuple[Trait, ...] = ()
    tags: tuple[Tag, ...] = ()
    dialogue: tuple[Observation, ...] = ()
    text: tuple[Observation, ...] = ()
    take: Take | None = None
    withdrawn: tuple[Trait, ...] = ()  # traits that did not bear being opened again
    sharpness: float | None = None
    vector: np.ndarray | None = field(default=None, repr=False)
    space: str = ""
    layouts: np.ndarray | None = field(default=None, repr=False)

    def values(self, name: str) -> list[str]:
        """Return the values of all traits of a name, as they are told: the longest or surest first."""
        return [one.value for one in self.traits if one.name == name]

    def value(self, name: str) -> str | None:
        """Return the first value of a trait, or None where nothing is told."""
        return next(iter(self.values(name)), None)

    @property
    def said(self) -> str:
        """All that is said in it."""
        return " ".join(one.text for one in self.dialogue)

    @property
    def written(self) -> str:
        """All that is written in it."""
        return " · ".join(dict.fromkeys(one.text for one in self.text))

    def to_json(self) -> dict[str, Any]:
        """Write as JSON values."""
        return {
            "number": self.number,
            **self.span.to_json(),
            "size": self.value("size"),
            "camera": self.values("camera"),
            "people": self.value("people"),
            "things": self.values("thing"),
            "place": self.values("place"),
            "time": self.value("time"),
            "light": self.values("light"),
            "sound": self.values("sound"),
            "flags": self.values("flag"),
            "dialogue": self.said,
            "text": self.written,
            "take": self.take.to_json() if self.take else None,
            "tags": [tag.to_json() for tag in self.tags],
            "traits": [trait.to_json() for trait in self.traits],
            "withdrawn": [trait.to_json() for trait in self.withdrawn],
        }
