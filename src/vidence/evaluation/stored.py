"""A run as it lies in its folder, finished or not."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from vidence.errors import UsageError
from vidence.evaluation.record import Record
from vidence.evaluation.runner import results


def stored(folder: Path) -> tuple[Mapping[str, Any], list[Record]]:
    """Read a run's manifest and its records.

    Raises:
        UsageError: the folder holds no run, or one that is damaged.
    """
    manifest, path = folder / "manifest.json", folder / "results.jsonl"
    if not manifest.is_file() or not path.is_file():
        raise UsageError(f"{folder}: holds no run; it has a manifest.json and a results.jsonl")
    try:
        return json.loads(manifest.read_text("utf-8")), results(path)
    except (UnicodeDecodeError, json.JSONDecodeError) as fault:
        raise UsageError(f"{manifest}: is damaged: {fault}") from fault
