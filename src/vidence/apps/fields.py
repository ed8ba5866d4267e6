"""Read files that people write (YAML, and so JSON): what is wrong is told by file, place and field, all at once."""

from __future__ import annotations

import difflib
import math
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

from vidence.errors import UsageError

MOST_BYTES = 1_000_000
MOST_VALUES = (
    200_000  # with what aliases repeat: a few lines of them can stand for more than fits into memory
)
MOST_TOLD = 12


class Fields:
    """Reads fields of mappings, and gathers what is wrong; `where` names the part that is being read."""

    def __init__(self, file: str) -> None:
        self.file, self.where = file, ""
        self.wrong: list[str] = []

    def say(self, field: str, trouble: str) -> None:
        """Note what is wrong with a field."""
        place = f"{self.where}: " if self.where else ""
        self.wrong.append(f"{self.file}: {place}{field}: {trouble}")

    def known(self, given: Mapping[str, Any], fields: Collection[str]) -> None:
        """Note fields that there are not."""
        for name in given:
            if name not in fields:
                near = difflib.get_close_matches(str(name), fields, 1)
                hint = f"; did you mean {near[0]!r}?" if near else f"; there are {', '.join(fields)}"
                self.say(str(name), f"there is no such field{hint}")

    def text(self, given: Mapping[str, Any], field: str, default: str | None = "") -> str:
        """Read a text; None as default: it must be given."""
        value = given.get(field, default)
        if value is None or (not isinstance(value, str | int | float)) or (default is None and value == ""):
            self.say(field, "is missing" if field not in given else f"{value!r} is no text")
            return ""
        return str(value).strip()

    def among(self, given: Mapping[str, Any], field: str, allowed: Sequence[str], default: str | None) -> str:
        """Read one of some names."""
        value = given.get(field, default)
        if value not in allowed:
            trouble = "is missing" if value is None else f"{value!r} is none of these"
            near = difflib.get_close_matches(str(value), allowed, 1)
            self.say(
                field, f"{trouble}: {', '.join(allowed)}" + (f" (did you mean {near[0]!r}?)" if near else "")
            )
            return allowed[0]
        return cast(str, value)

    def number(self, given: Mapping[str, Any], field: str, default: float, low: float, high: float) -> float:
        """Read a number within bounds."""
        value = given.get(field, default)
        if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
            self.say(field, f"{value!r} is no number from {low:g} to {high:g}")
            return default
        return float(value)

    def texts(
        self, given: Mapping[str, Any], field: str, allowed: Collection[str] | None = None
    ) -> tuple[str, ...]:
        """Read a list of texts."""
        value = given.get(field, [])
        if not isinstance(value, list) or any(not isinstance(one, str) or not one.strip() for one in value):
            self.say(field, f"{value!r} is no list of texts; a word such as no or 1 needs quotes")
            return ()
        for one in value:
            if allowed is not None and one not in allowed:
                near = difflib.get_close_matches(one, allowed, 3)
                listed = ", ".join(near or sorted(allowed)[:12])
                self.say(field, f"{one!r} is not known; {'near to it' if near else 'there are'}: {listed}")
        return tuple(one.strip() for one in value)

    def finish(self) -> None:
        """Raise what is wrong, all of it.

        Raises:
            UsageError: something is.
        """
        if self.wrong:
            more = len(self.wrong) - MOST_TOLD
            raise UsageError("\n".join(self.wrong[:MOST_TOLD] + ([f"and {more} more"] if more > 0 else [])))


def read_yaml(text: str, file: str, wanted: str) -> dict[str, Any]:
    """Read a mapping; `wanted` says what it should be.

    Raises:
        UsageError: it is too long or deep, no YAML, or no mapping.
    """
    import yaml

    if len(text) > MOST_BYTES:
        raise UsageError(f"{file}: {len(text)} characters are too many (at most {MOST_BYTES})")
    try:
        given = yaml.safe_load(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f"line {mark.line + 1}: " if mark else ""
        raise UsageError(f"{file}: {line}no YAML: {getattr(error, 'problem', None) or error}") from error
    except RecursionError as error:
        raise UsageError(f"{file}: its parts lie too deep in one another") from error
    if not isinstance(given, dict):
        raise UsageError(f"{file}: {wanted}")
    if _values(given, {}) > MOST_VALUES:
        raise UsageError(f"{file}: with what its aliases repeat it has more than {MOST_VALUES} values")
    return given


def _values(given: Any, known: dict[int, float]) -> float:
    """Count the values in what was read, each as often as it is repeated; what holds itself is endless."""
    if not isinstance(given, dict | list):
        return 1
    if id(given) not in known:
        known[id(given)] = math.inf
        parts = given.values() if isinstance(given, dict) else given
        known[id(given)] = 1 + sum(_values(part, known) for part in parts)
    return known[id(given)]


def read_text(path: Path) -> str:
    """Read a file that somebody wrote.

    Raises:
        UsageError: it cannot be read, or is no text.
    """
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: cannot be read as text: {error}") from error
