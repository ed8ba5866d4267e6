"""Reading what users downloaded: annotation files in any of the layouts that they come in, and videos by name."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Collection, Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

from vidence.errors import UsageError
from vidence.timeline import Span, TimeLike

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
PICTURE_SUFFIXES = {".jpg", ".jpeg", ".png", ".webp", ".bmp"}


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
            return list(csv.DictReader(io.StringIO(text, ""), delimiter="\t" if kind == ".tsv" else ","))
        if kind == ".jsonl":
            return _json_lines(text, path)
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


def place(path: Path, number: int) -> str:
    """Say where a row stands, for an error; `number` counts from 0."""
    return f"{path}: row {number + 1}"


def need(row: dict[str, Any], names: Sequence[str], path: Path, number: int) -> list[Any]:
    """Return fields of a row.

    Raises:
        UsageError: one is missing, naming it and the row.
    """
    if not isinstance(row, dict):
        raise UsageError(f"{place(path, number)} is no object; is this file damaged?")
    missing = [name for name in names if row.get(name) is None]
    if missing:
        raise UsageError(
            f"{place(path, number)} has no {', '.join(missing)}; is this file of another benchmark?"
        )
    return [row[name] for name in names]


def span(times: Sequence[TimeLike], where: str) -> Span:
    """Return the stretch of time from a start to an end.

    Raises:
        UsageError: it cannot be read, or ends before it starts, saying where it stands.
    """
    try:
        start, end = times
        return Span.of(start, end)
    except (UsageError, ValueError, TypeError, AttributeError) as fault:
        raise UsageError(f"{where}: {times!r} is no stretch of time: {fault}") from fault


def stretches(text: str) -> tuple[Span, ...]:
    """Return the stretches that a text names by two clocks each, MM:SS or H:MM:SS; leaves out what is neither."""
    found = list[Span]()
    for times in _STRETCH.findall(text):
        start, end = (_seconds(*times[at : at + 3]) for at in (0, 3))
        if start <= end:
            found.append(Span.of(start, end))
    return tuple(found)


class Videos:
    """The video files of a folder, found by path (as much of its end as is given), by name, or by stem.

    `suffixes` finds files of another kind in the same way.
    """

    def __init__(self, folder: Path, suffixes: Collection[str] = VIDEO_SUFFIXES) -> None:
        self._found: dict[str, Path] = {}
        for path in sorted(folder.rglob("*")):
            if path.suffix.lower() in suffixes and path.is_file():
                parts = path.relative_to(folder).parts
                for name in (path.stem, *("/".join(parts[at:]) for at in range(len(parts)))):
                    self._found.setdefault(name, path)

    def __len__(self) -> int:
        return len(set(self._found.values()))

    def of(self, name: str) -> Path | None:
        """Return the file of a video as annotations name it, or None."""
        return self._found.get(name) or self._found.get(Path(name).name) or self._found.get(Path(name).stem)


class Media(Videos):
    """The videos of a folder, and its pictures: those are meant only where their name says so.

    Thumbnails often bear the names of videos.
    """

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self._pictures = Videos(folder, PICTURE_SUFFIXES)

    def of(self, name: str) -> Path | None:
        """Return the file of a video or a picture as annotations name it, or None."""
        pictured = Path(name).suffix.lower() in PICTURE_SUFFIXES
        return self._pictures.of(name) if pictured else super().of(name)


_CLOCK = r"(?:(\d+):)?(\d+):(\d+(?:\.\d+)?)"
_STRETCH = re.compile(rf"{_CLOCK}\s*(?:-+>?|–|~|to)\s*{_CLOCK}")


def _seconds(hours: str, minutes: str, seconds: str) -> Fraction:
    return int(hours or 0) * 3600 + int(minutes) * 60 + Fraction(seconds)


def _json_lines(text: str, path: Path) -> list[dict[str, Any]]:
    found = list[dict[str, Any]]()
    for line in filter(str.strip, text.split("\n")):
        try:
            found.append(json.loads(line))
        except json.JSONDecodeError as fault:
            raise UsageError(f"{place(path, len(found))} is no JSON: {fault}") from fault
    return found


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
