"""What a conversion was and what it lost, as one HTML page that asks nothing of any other place."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any

from vidence.models.internvideo3.convert.budget import ELEMENT_BYTES
from vidence.models.internvideo3.convert.plots import MODALITIES, differ, plots
from vidence.models.internvideo3.convert.recipe import Recipe

if TYPE_CHECKING:
    from jinja2 import Template

CHOICES = {
    "weigh": "what errors are weighed by: a layer's outputs, or energy alone",
    "allocate": "ranks by the measured worth of each layer, or the same for all",
    "modalities": "ranks of text and vision by themselves",
    "keys": "how much more than measured errors of keys count",
    "positional": "how much more than measured lost rotations count",
    "turn": "content has its mean rotation",
    "centre": "the mean is taken out of the content",
    "fold": "neighbouring frequencies that share a rotation",
    "norm": "query and key norms as they were, or the linear substitute",
    "compensate": "output projections fitted again on the converted stream",
    "ridge": "holds that fit to the projection as it was",
    "probes": "sequences on which layers' worth is measured",
}
"""What each choice of a recipe means, in few words."""


@dataclass(frozen=True, slots=True)
class Rows:
    """What a kind of token takes in the cache, in bytes of all layers: its rope key and its latent."""

    name: str
    kind: str
    rope: int
    latent: int

    @property
    def whole(self) -> int:
        """Return the bytes of both."""
        return self.rope + self.latent


@dataclass(frozen=True, slots=True)
class Cache:
    """Bytes a token before (None where the record does not tell), after by kind of token, and of the mean token."""

    before: int | None
    after: tuple[Rows, ...]
    mean: float

    @property
    def share(self) -> float | None:
        """Return what is left of the cache."""
        return self.mean / self.before if self.before else None

    @property
    def widest(self) -> int:
        """Return the most bytes of all rows, before and after."""
        return max(self.before or 0, *(rows.whole for rows in self.after))


def render(record: Mapping[str, Any]) -> str:
    """Return the report of a conversion's record (the content of conversion.json) as HTML; all in it is escaped."""
    from markupsafe import Markup

    drawn = [(plot.title, Markup(plot.svg), plot.caption) for plot in plots(record)]
    return _template().render(
        record=record,
        style=Markup(_part("report.css")),
        plots=drawn,
        cache=cache_of(record),
        layers=_layers(record),
        apart=differ(record),
        seen=[name for name in MODALITIES if name in record["measured"]["agreement"]],
        choices=CHOICES,
        usual=Recipe().to_json(),
        record_text=json.dumps(record, indent=1),
    )


def cache_of(record: Mapping[str, Any]) -> Cache:
    """Add up what a token takes in the cache; text and vision apart where their rows differ."""
    layers = record["layers"]
    rope = sum(2 * layer["pairs"] for layer in layers) * ELEMENT_BYTES
    latent = {
        kind: sum(layer[f"{kind}_rank"] for layer in layers) * ELEMENT_BYTES for kind in ("text", "vision")
    }
    before = record["target"].get("lanes_before")
    whole = None if before is None else before * ELEMENT_BYTES
    if not differ(record):
        rows = Rows("after", "text", rope, latent["text"])
        return Cache(whole, (rows,), rows.whole)
    after = tuple(Rows(f"after, {kind}", kind, rope, latent[kind]) for kind in latent)
    agreement = record["measured"]["agreement"]
    counts = [agreement.get(rows.kind, {}).get("positions", 0) for rows in after]
    parts = [rows.whole * count for rows, count in zip(after, counts, strict=True)]
    return Cache(whole, after, sum(parts) / max(sum(counts), 1))


def _layers(record: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Gather each layer's numbers from the parts of the record."""
    worth = record.get("worth_nats") or {}
    named = {name: worth.get(name) or () for name in ("positional", "whole")}
    measured: Sequence[Mapping[str, Any]] = record["measured"]["layers"]
    return [
        {**layer, **measured[at]}
        | {f"worth_{name}": values[at] if at < len(values) else None for name, values in named.items()}
        for at, layer in enumerate(record["layers"])
    ]


def _short(value: float | None) -> str:
    """Write three significant digits."""
    return "–" if value is None else f"{value:#.3g}".removesuffix(".")


def _percent(share: float | None) -> str:
    """Write a share as percent, three significant digits."""
    return "–" if share is None else f"{_short(100 * share)} %"


@cache
def _template() -> Template:
    from jinja2 import Environment, StrictUndefined

    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters |= {"short": _short, "percent": _percent, "count": "{:,.0f}".format}
    return environment.from_string(_part("report.html.j2"))


def _part(name: str) -> str:
    return resources.files("vidence.models.internvideo3.convert").joinpath(name).read_text(encoding="utf-8")
