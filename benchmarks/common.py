"""What every benchmark shares: bars that hold or fail, a table to read, and one JSON file a run.

A results file holds the benchmark's name, the date, the machine (processor, cores, memory), the versions of what did
the work, the rows and the bars: all that is needed to compare a run with another.
"""

from __future__ import annotations

import datetime
import json
import operator
import os
import platform
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parent / "results"
_PACKAGES = (
    "vidence",
    "av",
    "numpy",
    "onnxruntime",
    "opencv-python-headless",
    "rapidocr",
    "scenedetect-headless",
    "torch",
    "transformers",
)
_TESTS: dict[str, Callable[[float, float], bool]] = {
    "<=": operator.le,
    ">=": operator.ge,
    "==": operator.eq,
    "<": operator.lt,
    ">": operator.gt,
}


@dataclass(frozen=True, slots=True)
class Bar:
    """A figure and what it should be: `target` is a comparison such as "<= 0.1", or "reported" where none is set."""

    name: str
    value: float
    unit: str
    target: str

    @property
    def holds(self) -> bool | None:
        """Say whether the target is met; None where there is none."""
        sign, _, limit = self.target.partition(" ")
        return _TESTS[sign](self.value, float(limit)) if sign in _TESTS else None

    def to_json(self) -> dict[str, Any]:
        """Write as {"name", "value", "unit", "target", "holds"}."""
        fields = {"name": self.name, "value": self.value, "unit": self.unit, "target": self.target}
        return fields | {"holds": self.holds}


def write_results(
    name: str,
    rows: Sequence[Mapping[str, Any]],
    bars: Sequence[Bar],
    *,
    folder: Path = RESULTS,
    part: str | None = None,
) -> Path:
    """Print the table and the bars, and write them to results/NAME-YYYY-MM-DD.json, one file a day.

    Of a run that measured only a part of the table, `part` names the field that tells rows apart: what the day's file
    holds of the other rows and bars stays.
    """
    today = datetime.datetime.now(datetime.UTC).date().isoformat()
    path = folder / f"{name}-{today}.json"
    print_table(rows)
    for bar in bars:
        word = {True: "holds", False: "FAILS", None: ""}[bar.holds]
        print(f"{bar.name}: {bar.value:.4g} {bar.unit} (target {bar.target}) {word}".rstrip())
    told, given = [bar.to_json() for bar in bars], [dict(row) for row in rows]
    if part is not None and path.exists():
        before = json.loads(path.read_text(encoding="utf-8"))
        told = _renewed(before["bars"], told, "name")
        given = _renewed(before["rows"], given, part)
    result = {
        "benchmark": name,
        "date": today,
        "machine": machine(),
        "versions": versions(),
        "bars": told,
        "rows": given,
    }
    folder.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(result, indent=1, ensure_ascii=False, default=str) + "\n", encoding="utf-8")
    return path


def _renewed(before: list[dict[str, Any]], now: list[dict[str, Any]], key: str) -> list[dict[str, Any]]:
    """Return the old entries with the new ones in the place of those of the same name, or after them."""
    new = {entry[key]: entry for entry in now}
    return [new.pop(entry[key], entry) for entry in before] + list(new.values())


def print_table(rows: Sequence[Mapping[str, Any]]) -> None:
    """Print rows as aligned columns; a new heading wherever the columns change."""
    blocks: list[list[Mapping[str, Any]]] = []
    for row in rows:
        if not blocks or list(blocks[-1][0]) != list(row):
            blocks.append([])
        blocks[-1].append(row)
    for block in blocks:
        cells = [list(block[0]), *([_cell(value) for value in row.values()] for row in block)]
        widths = [max(len(line[column]) for line in cells) for column in range(len(cells[0]))]
        for line in cells:
            print("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())
        print()


def _cell(value: object) -> str:
    text = f"{value:.3f}" if isinstance(value, float) else "" if value is None else str(value)
    return text if len(text) <= 60 else text[:57] + "..."


def machine() -> dict[str, Any]:
    """Describe the processor, the cores this process may use and the memory."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") if hasattr(os, "sysconf") else 0
    return {
        "processor": _processor(),
        "cores": cores,
        "memory_gb": round(memory / 2**30, 1),
        "system": f"{platform.system()} {platform.machine()}",
    }


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        for line in cpuinfo.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def versions() -> dict[str, str]:
    """Return the versions of Python and of the packages that do the work."""
    found = {"python": platform.python_version()}
    for package in _PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found
