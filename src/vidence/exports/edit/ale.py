"""Avid Log Exchange: a table of clips for a bin, one rate a file."""

from __future__ import annotations

from collections.abc import Sequence

from vidence.exports.edit.clip import Clip, EditList
from vidence.printable import printable

HEIGHTS = (2160, 1080, 720, 576, 486)  # what the heading may name; the rest is "CUSTOM"
COLUMNS = ("Name", "Tracks", "Start", "End", "Duration", "Tape", "Source File", "FPS", "Image Size")


def to_ale(edit: EditList) -> str:
    """Write a bin: one row a clip, its notes as columns of their own.

    Raises:
        UsageError: the clips have different rates, or there are none.
    """
    rate = edit.rate
    notes = note_names(edit.clips)
    tallest = max(clip.reel.size[1] for clip in edit.clips)
    heading = [
        ("FIELD_DELIM", "TABS"),
        ("VIDEO_FORMAT", str(tallest) if tallest in HEIGHTS else "CUSTOM"),
        ("AUDIO_FORMAT", "48khz"),
        ("FPS", rate.name),
    ]
    lines = [
        "Heading",
        *("\t".join(pair) for pair in heading),
        "",
        "Column",
        "\t".join([*COLUMNS, *notes]),
        "",
    ]
    lines += ["Data", *("\t".join(_row(clip, notes)) for clip in edit.clips)]
    return "\n".join(lines) + "\n"


def note_names(clips: Sequence[Clip]) -> list[str]:
    """Return the names of all notes, in the order in which they first come."""
    return list(dict.fromkeys(name for clip in clips for name in clip.notes))


def _row(clip: Clip, notes: Sequence[str]) -> list[str]:
    rate, (width, height) = clip.reel.rate, clip.reel.size
    duration = rate.label(clip.frames)
    row = [
        clip.name, "VA1" if clip.reel.sound else "V", clip.begin, clip.end, duration, clip.reel.name, clip.reel.name,
        rate.name, f"{width}x{height}" if width else "",
    ]  # fmt: skip
    return [_cell(text) for text in (*row, *(clip.notes.get(name, "") for name in notes))]


def _cell(text: str) -> str:
    return " ".join(printable(text, directions=False).split())
