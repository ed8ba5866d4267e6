"""A table of clips for spreadsheets: timecodes, frames, seconds and notes."""

from __future__ import annotations

import csv
import io

from vidence.exports.edit.ale import note_names
from vidence.exports.edit.clip import EditList
from vidence.exports.plain import cell
from vidence.timeline import clock

COLUMNS = ("name", "file", "start", "end", "first_frame", "frames", "rate", "drop", "offset", "seconds")


def to_table(edit: EditList) -> str:
    """Write RFC 4180 with a header. `start` and `end` are source timecode (the end is the frame after the last),
    `first_frame` counts from the medium's first, `offset` is the clock from there; clips may have different rates."""
    out, notes = io.StringIO(), note_names(edit.clips)
    table = csv.writer(out, lineterminator="\n")
    table.writerow([*COLUMNS, *notes])
    for clip in edit.clips:
        rate = clip.reel.rate
        table.writerow(
            [
                cell(clip.name),
                cell(clip.reel.name),
                clip.begin,
                clip.end,
                clip.first,
                clip.frames,
                rate.name,
                "drop" if rate.drop else "",
                clock(clip.first / rate.hz),
                f"{float(clip.frames / rate.hz):.6f}",
                *(cell(clip.notes.get(name, "")) for name in notes),
            ]
        )
    return out.getvalue()
