"""The registry of edit lists: a format's name, and the function that writes it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from vidence.errors import UsageError
from vidence.exports.edit.ale import to_ale
from vidence.exports.edit.clip import EditList
from vidence.exports.edit.edl import to_edl
from vidence.exports.edit.fcpxml import to_fcpxml
from vidence.exports.edit.otio import to_otio
from vidence.exports.edit.table import to_table

EDIT_FORMATS: dict[str, Callable[[EditList], str]] = {
    "otio": to_otio,
    "edl": to_edl,
    "fcpxml": to_fcpxml,
    "ale": to_ale,
    "csv": to_table,
}


ONE_RATE = frozenset({"edl", "ale"})
"""Formats that hold one frame rate."""


def by_rate(edit: EditList, place: Path, name: str) -> dict[Path, EditList]:
    """Return what is written where: one list, or one a rate (NAME-25.edl) where the format holds but one rate."""
    rates = list(dict.fromkeys(clip.reel.rate for clip in edit.clips))
    if name not in ONE_RATE or len(rates) < 2:
        return {place: edit}
    lists = {}
    for rate in rates:
        told = f"{rate.name}{'-drop' if rate.drop else ''}"
        clips = tuple(clip for clip in edit.clips if clip.reel.rate == rate)
        lists[place.with_name(f"{place.stem}-{told}{place.suffix}")] = EditList(edit.title, clips, edit.begin)
    return lists


def write_edit(edit: EditList, name: str) -> str:
    """Return an edit list as the text of a file in format `name`.

    Raises:
        UsageError: no such format, nothing to write, or clips that the format cannot hold together.
    """
    if name not in EDIT_FORMATS:
        raise UsageError(f"unknown format {name!r}; choose from {', '.join(EDIT_FORMATS)}")
    return EDIT_FORMATS[name](edit)
