"""What rules are about: three levels, and what the same is called by others in the field."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from typing import Any

LEVELS = 3


@dataclass(frozen=True, slots=True)
class Label:
    """One place in the taxonomy. `path` is its id ("violence/weapons/firearm"), `names` its names in other schemes."""

    path: str
    title: str
    names: Mapping[str, str] = field(default_factory=dict)

    @property
    def level(self) -> int:
        """1 for the most general."""
        return self.path.count("/") + 1

    @property
    def parent(self) -> str | None:
        """The path one level up."""
        return self.path.rpartition("/")[0] or None

    def to_json(self) -> dict[str, Any]:
        """Write as JSON values."""
        titles = [taxonomy()[path].title for path in lineage(self.path)]
        return {"path": self.path, "level": self.level, "titles": titles, "names": dict(self.names)}


def lineage(path: str) -> list[str]:
    """Return the paths from the most general to this one."""
    parts = path.split("/")
    return ["/".join(parts[: n + 1]) for n in range(len(parts))]


def under(path: str, general: str) -> bool:
    """Say whether a label is another or lies under it."""
    return path == general or path.startswith(f"{general}/")


@cache
def taxonomy() -> Mapping[str, Label]:
    """Return every label by its path, in the order of the file."""
    found: dict[str, Label] = {}
    _walk(read_data("taxonomy.yaml")["tree"], "", {}, found)
    return found


def _walk(tree: Mapping[str, Any], above: str, names: Mapping[str, str], found: dict[str, Label]) -> None:
    for key, node in tree.items():
        path = f"{above}/{key}" if above else key
        own = {**names, **node.get("names", {})}
        found[path] = Label(path, node["title"], {scheme: name for scheme, name in own.items() if name})
        _walk(node.get("parts", {}), path, own, found)


def read_data(name: str) -> Any:
    """Read one of the tables that ship."""
    import yaml

    text = resources.files("vidence.apps.moderate").joinpath("data", name).read_text(encoding="utf-8")
    return yaml.safe_load(text)
