"""Two runs on the same questions: how far apart they are, how likely by chance, and where they part."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from vidence.errors import UsageError
from vidence.evaluation.metrics import paired
from vidence.evaluation.record import Record
from vidence.evaluation.stored import stored


def compare(a: Path, b: Path) -> dict[str, Any]:
    """Compare run B with run A on the questions that both have a score for.

    Raises:
        UsageError: a folder holds no run, the runs are of different benchmarks, or share no question.
    """
    left, right = _read(a), _read(b)
    if left[0]["benchmark"] != right[0]["benchmark"]:
        raise UsageError(f"{a} is a run of {left[0]['benchmark']}, {b} of {right[0]['benchmark']}")
    scores = [{id: float(one["right"]) for id, one in run.items()} for _, run in (left, right)]
    videos = {id: one["video"] for _, run in (left, right) for id, one in run.items()}
    try:
        found = paired(scores[0], scores[1], videos)
    except ValueError as fault:
        raise UsageError(f"{a}, {b}: {fault}") from fault
    common = [id for id in scores[0] if id in scores[1]]
    apart = [id for id in common if scores[0][id] != scores[1][id]]
    same = [left[1][id]["frames"] == right[1][id]["frames"] for id in common]  # as runs of one manifest must
    return {
        "a": left[0]["system"],
        "b": right[0]["system"],
        "benchmark": left[0]["benchmark"],
        "difference": asdict(found),
        "same_frames": sum(same) / len(same),
        "settings_differ": sorted(key for key in left[0] if left[0][key] != right[0].get(key)),
        "apart": [
            {"id": id, "a": left[1][id]["said"], "b": right[1][id]["said"], "right": [s[id] for s in scores]}
            for id in apart
        ],
    }


def _read(folder: Path) -> tuple[Mapping[str, Any], dict[str, Record]]:
    manifest, records = stored(folder)
    return manifest, {one["id"]: one for one in records if one.get("right") is not None}
