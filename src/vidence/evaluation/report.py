"""One HTML page about a run: scores with their intervals beside control and chance, calibration, every question."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib import resources
from typing import Any

from vidence.evaluation.record import Record

BINS = 5  # of confidence, in the calibration plot
LISTED = 500  # questions on the page; results.jsonl has them all


def render(manifest: Mapping[str, Any], summary: Mapping[str, Any], records: Sequence[Record]) -> str:
    """Return the page. It asks nothing of any other place, and runs no script."""
    from jinja2 import Environment, StrictUndefined

    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    text = resources.files("vidence.evaluation").joinpath("report.html.j2").read_text(encoding="utf-8")
    style = resources.files("vidence.exports.report").joinpath("report.css").read_text(encoding="utf-8")
    return environment.from_string(text).render(
        manifest=manifest,
        summary=summary,
        bars=_bars(summary),
        calibration=_calibration(records),
        records=records[:LISTED],
        left_out=max(len(records) - LISTED, 0),
        style=style,
    )


def _bars(summary: Mapping[str, Any]) -> list[tuple[str, list[tuple[str, Mapping[str, Any]]]]]:
    """Return what is drawn: the whole, then each kind of group, those without a score left out."""
    found = [("", [("all", summary["all"])])]
    found += [(kind, list(some.items())) for kind, some in summary["by"].items() if 1 < len(some) <= 40]
    scored = [(kind, [(name, each) for name, each in some if "score" in each]) for kind, some in found]
    return [(kind, some) for kind, some in scored if some]


def _calibration(records: Sequence[Record]) -> list[tuple[float, float, int]]:
    """Return mean confidence, share that is right, and count of each bin that holds any."""
    bins: list[list[Record]] = [[] for _ in range(BINS)]
    for one in records:
        if one.get("confidence") is not None and one.get("right") is not None:
            bins[min(int(one["confidence"] * BINS), BINS - 1)].append(one)
    return [
        (
            sum(one["confidence"] for one in some) / len(some),
            sum(one["right"] for one in some) / len(some),
            len(some),
        )
        for some in bins
        if some
    ]
