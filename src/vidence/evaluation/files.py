"""Reading what users downloaded: annotation files in any of the layouts that they come in, and videos by name."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from vidence.errors import UsageError

VIDEO_SUFFIXES = {
    ".mp4",
    ".mkv",
    ".webm",
    ".avi",
    ".mov",
    ".m4v",
    ".flv",
    ".ogv",
    ".mpg",
    ".mpeg",
    ".ts",
    ".gif",
}


def find(folder: Path, *patterns: str) -> Path:
    """Return the one annotation file that a pattern matches, anywhere in the folder; the first pattern wins.

    Raises:
        UsageError: nothing matches, saying what was looked for; or several do, naming them.
    """
    if not folder.is_dir():
        raise UsageError(f"{folder}: is no folder; give the one that the benchmark was downloaded to")
    for pattern in patterns:
        found = sorted(path for path in folder.rglob(pattern) if path.is_file())
        if len(found) > 1:
            names = ", ".join(str(path.relative_to(folder)) for path in found[:5])
            raise UsageError(
                f"{folder}: holds several files {pattern}: {names}; give the folder of one of them"
            )
        if found:
            return found[0]
    raise UsageError(
        f"{folder}: holds no {' nor '.join(patterns)}; that is what the annotations are read from"
    )


def find_all(folder: Path, pattern: str) -> list[Path]:
    """Return all files that a pattern matches, by name; for annotations in one file a task.

    Raises:
        UsageError: there is none.
    """
    found = sorted(path for path in folder.rglob(pattern) if path.is_file()) if folder.is_dir() else []
    if not found:
        raise UsageError(f"{folder}: holds no {pattern}; that is what the annotations are read from")
    return found


def rows(path: Path) -> list[dict[str, Any]]:
    """Read a table: JSON (a list of objects), JSON lines, CSV, TSV or Parquet.

    Raises:
        UsageError: it is damaged, or of another kind.
    """
    kind = path.suffix.lower()
    try:
        if kind == ".parquet":
            return _parquet(path)
        text = path.read_text(encoding="utf-8-sig")
        if kind in (".csv", ".tsv"):
            return list(csv.DictReader(text.splitlines(), delimiter="\t" if kind == ".tsv" else ","))
        if kind == ".jsonl":
            return [json.loads(line) for line in text.splitlines() if line.strip()]
        found = json.loads(text)
    except (OSError, UnicodeDecodeError, json.JSONDecodeError, csv.Error) as fault:
        raise UsageError(f"{path}: cannot be read: {fault}") from fault
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        raise UsageError(f"{path}: is no list of objects")
    return found


def table(path: Path) -> dict[str, Any]:
    """Read a JSON object.

    Raises:
        UsageError: it is damaged, or something else.
    """
    try:
        found = json.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, UnicodeDecodeError, json.JSONDecodeError) as fault:
        raise UsageError(f"{path}: cannot be read: {fault}") from fault
    if not isinstance(found, dict):
        raise UsageError(f"{path}: is no JSON object")
    return found


def lines(path: Path) -> Iterator[str]:
    """Yield the lines of a text file that are not empty.

    Raises:
        UsageError: it cannot be read.
    """
    try:
        yield from (line for line in path.read_text(encoding="utf-8").splitlines() if line.strip())
    except (OSError, UnicodeDecodeError) as fault:
        raise UsageError(f"{path}: cannot be read: {fault}") from fault


def need(row: dict[str, Any], names: Sequence[str], path: Path, number: int) -> list[Any]:
    """Return fields of a row.

    Raises:
        UsageError: one is missing, naming it and the row.
    """
    missing = [name for name in names if row.get(name) is None]
    if missing:
        raise UsageError(
            f"{path}: row {number + 1} has no {', '.join(missing)}; is this file of another benchmark?"
        )
    return [row[name] for name in names]


class Videos:
    """The video files of a folder, found by relative path, by name, or by stem."""

    def __init__(self, folder: Path) -> None:
        self._found: dict[str, Path] = {}
        for path in sorted(folder.rglob("*")):
            if path.suffix.lower() in VIDEO_SUFFIXES and path.is_file():
                for name in (path.stem, path.name, str(path.relative_to(folder))):
                    self._found.setdefault(name, path)

    def __len__(self) -> int:
        return len(set(self._found.values()))

    def of(self, name: str) -> Path | None:
        """Return the file of a video as annotations name it, or None."""
        return self._found.get(name) or self._found.get(Path(name).name) or self._found.get(Path(name).stem)


def _parquet(path: Path) -> list[dict[str, Any]]:
    try:
        from pyarrow import ArrowInvalid
        from pyarrow.parquet import read_table
    except ImportError as fault:
        raise UsageError(
            f"{path}: reading it needs pyarrow; install it with: pip install 'vidence[eval]'"
        ) from fault
    try:
        return read_table(path).to_pylist()
    except (ArrowInvalid, OSError) as fault:
        raise UsageError(f"{path}: cannot be read: {fault}") from fault
