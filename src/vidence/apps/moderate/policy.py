"""A policy: rules as data. What each looks for, where, how grave it is, and what speaks against it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from importlib import resources
from pathlib import Path
from typing import Any, Literal

from vidence.apps.fields import read_text
from vidence.apps.finding import Severity
from vidence.errors import UsageError

Action = Literal["blur", "bleep", "mute", "cut", "warn", "review", "none"]
"""What is suggested: blur the boxes (or the picture), bleep or mute the sound, cut it out, warn, have it looked at."""

ACTIONS: tuple[Action, ...] = ("blur", "bleep", "mute", "cut", "warn", "review", "none")

Weight = Literal["lower", "keep", "drop"]
"""What a word in a negated clause or in a quotation is worth: less, the same, or nothing."""

WEIGHTS: tuple[Weight, ...] = ("lower", "keep", "drop")
LEAST = 0.5
GAP_S = 1.0


@dataclass(frozen=True, slots=True)
class Heard:
    """A sound event: the text of an observation of the sense of sound, and how loud it must at least be."""

    heard: str
    least_db: float = -100.0
    least_rise_db: float = 0.0


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule. All that it names triggers it by itself; `senses` empty means every sense that can.

    `words` are by language ("en": [...]); a counter-example near by makes a match count less. `least` is the confidence
    below which a match is let go; matches nearer than `gap_s` are one violation. `mask` hides what was matched.
    """

    id: str
    label: str
    severity: Severity
    title: str = ""
    definition: str = ""
    age: int = 0
    action: Action | None = None
    senses: tuple[str, ...] = ()
    words: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    patterns: Mapping[str, str] = field(default_factory=dict)
    things: tuple[str, ...] = ()
    classes: tuple[str, ...] = ()
    sounds: tuple[Heard, ...] = ()
    phrases: tuple[str, ...] = ()
    examples: tuple[str, ...] = ()
    counter_examples: tuple[str, ...] = ()
    negation: Weight = "lower"
    quotation: Weight = "lower"
    least: float = LEAST
    gap_s: float = GAP_S
    mask: bool = False

    def uses(self, sense: str) -> bool:
        """Say whether what a sense perceives may trigger it."""
        return (not self.senses or sense in self.senses) and sense in self.able

    @property
    def able(self) -> tuple[str, ...]:
        """Return the senses whose kind of observation the rule names something for."""
        worded = bool(self.words or self.patterns or self.examples)
        named = {
            "speech": worded, "text": worded, "captions": bool(self.words or self.examples),
            "objects": any(thing != "face" for thing in self.things), "faces": "face" in self.things,
            "looks": bool(self.classes or self.phrases), "sound": bool(self.sounds),
        }  # fmt: skip
        return tuple(sense for sense, there in named.items() if there)


@dataclass(frozen=True)
class Policy:
    """A policy with its rules. `ages` are the ratings that exist, rising; empty where nothing is rated."""

    name: str
    title: str
    rules: tuple[Rule, ...]
    version: str = "1"
    description: str = ""
    ages: tuple[int, ...] = ()
    source: str = ""  # the file, or "" for one that ships

    @cached_property
    def digest(self) -> str:
        """First 12 hex digits of the SHA-256 of all that it says: another digest may judge otherwise."""
        said = [
            {name: _plain(getattr(rule, name)) for name in rule.__dataclass_fields__} for rule in self.rules
        ]
        text = json.dumps(
            [self.name, self.version, list(self.ages), said], sort_keys=True, ensure_ascii=False
        )
        return hashlib.sha256(text.encode()).hexdigest()[:12]

    @property
    def senses(self) -> tuple[str, ...]:
        """Return every sense that a rule may be triggered by."""
        return tuple(dict.fromkeys(sense for rule in self.rules for sense in rule.able if rule.uses(sense)))

    def rating(self, age: int) -> int | None:
        """Return the lowest rating that allows for an age; None where nothing is rated."""
        return next((rating for rating in self.ages if rating >= age), self.ages[-1] if self.ages else None)

    def to_json(self) -> dict[str, Any]:
        """Write its name and digest as JSON values."""
        return {"name": self.name, "title": self.title, "version": self.version, "digest": self.digest}


def shipped() -> list[str]:
    """Return the names of the policies that ship."""
    folder = resources.files("vidence.apps.moderate").joinpath("policies")
    return sorted(
        entry.name.removesuffix(".yaml") for entry in folder.iterdir() if entry.name.endswith(".yaml")
    )


def open_policy(name: str | Path) -> Policy:
    """Read a policy by the name of one that ships, or from a YAML file.

    Raises:
        UsageError: there is none, it is no YAML, or a field is wrong; file, rule and field are named.
    """
    from vidence.apps.moderate.reading import read_policy

    if str(name) in shipped():
        text = (
            resources.files("vidence.apps.moderate").joinpath("policies", f"{name}.yaml").read_text("utf-8")
        )
        return read_policy(text, f"{name} (shipped)")
    path = Path(name)
    if not path.is_file():
        raise UsageError(
            f"there is no policy {str(name)!r}: give a YAML file, or one that ships: {', '.join(shipped())}"
        )
    return read_policy(read_text(path), str(path))


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _plain(one) for key, one in value.items()}
    if isinstance(value, tuple):
        return [_plain(one) for one in value]
    return [value.heard, value.least_db, value.least_rise_db] if isinstance(value, Heard) else value
