"""What kind of world is wanted."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from vidence.errors import UsageError
from vidence.timeline import TimeLike, instant
from vidence.worlds.lexicon import LANGUAGES
from vidence.worlds.question import KINDS

SHORTEST_S, LONGEST_S = 2, 4 * 3600
LARGEST = 4096
LEVELS = (0, 1, 2, 3)
SPLITS = ("train", "test")
CASTS = ("drawn", "pictures")


@dataclass(frozen=True, slots=True)
class Setting:
    """The kind of a world: length in seconds, size (width, height) of its pictures, pictures a second, and content.

    `level` 0 is a plain ground with one thing or actor a scene; 1 has drawn places, two or three things and simple
    events; 2 everything; 3 more look-alikes, more camera motion and longer chains. `split` chooses between disjoint
    looks, places and words. `languages` are those of questions and captions, the first that of spoken lines; `kinds`
    those of questions (None: all).

    Raises:
        UsageError: a value is out of its range; the message names it.
    """

    duration_s: TimeLike = 30
    size: tuple[int, int] = (128, 96)
    rate_hz: Fraction | int = 8
    level: int = 2
    split: str = "train"
    languages: tuple[str, ...] = ("en",)
    cast: str = "drawn"
    kinds: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        duration = instant(self.duration_s)
        if not SHORTEST_S <= duration <= LONGEST_S:
            raise UsageError(
                f"duration_s is {float(duration):g}; a world lasts {SHORTEST_S} s to {LONGEST_S // 3600} h"
            )
        if not isinstance(self.size, tuple) or len(self.size) != 2 or not all(map(_is_size, self.size)):
            raise UsageError(f"size is {self.size!r}; give (width, height), each from 16 to {LARGEST}")
        if not isinstance(self.rate_hz, int | Fraction) or not 0 < self.rate_hz <= 120:
            raise UsageError(
                f"rate_hz is {self.rate_hz!r}; give pictures a second, an exact number up to 120"
            )
        _check("level", self.level, LEVELS)
        _check("split", self.split, SPLITS)
        _check("cast", self.cast, CASTS)
        _check_all("languages", self.languages, LANGUAGES)
        if self.kinds is not None:
            _check_all("kinds", self.kinds, KINDS)
        object.__setattr__(self, "duration_s", duration)

    @property
    def duration(self) -> Fraction:
        """Exact length in seconds."""
        return instant(self.duration_s)

    @property
    def aspect(self) -> float:
        """Width of the pictures by their height."""
        return self.size[0] / self.size[1]


def _is_size(value: object) -> bool:
    return isinstance(value, int) and 16 <= value <= LARGEST


def _check(name: str, value: object, allowed: tuple[object, ...]) -> None:
    if value not in allowed:
        raise UsageError(f"{name} is {value!r}; it is one of {', '.join(map(str, allowed))}")


def _check_all(name: str, values: object, allowed: tuple[str, ...]) -> None:
    if not isinstance(values, tuple) or not values:
        raise UsageError(f"{name} is {values!r}; give a tuple of {', '.join(allowed)}")
    for value in values:
        _check(f"an item of {name}", value, allowed)
