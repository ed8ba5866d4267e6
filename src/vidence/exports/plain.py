"""Text for people and tables for spreadsheets."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

from vidence.printable import printable
from vidence.senses.observation import Observation

COLUMNS = ("start_s", "end_s", "sense", "text", "confidence", "x", "y", "w", "h")
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")  # a cell that begins so is run as a formula by spreadsheets


def to_txt(observations: Sequence[Observation]) -> str:
    """Write one line an observation: its span, a tab, its text."""
    return "".join(f"{item.span}\t{' '.join(printable(item.text).split())}\n" for item in observations)


def to_csv(observations: Sequence[Observation]) -> str:
    """Write RFC 4180 with a header; the box is the first of the track, as fractions of the picture, or empty.

    A text that a spreadsheet would run as a formula gets an apostrophe in front: a stranger's video wrote it.
    """
    out = io.StringIO()
    table = csv.writer(out, lineterminator="\n")
    table.writerow(COLUMNS)
    for item in observations:
        span = item.span.to_json()
        box = item.track[0][1] if item.track else None
        place = [round(side, 4) for side in (box.x, box.y, box.w, box.h)] if box else [""] * 4
        table.writerow(
            [
                span["start_s"],
                span["end_s"],
                item.sense,
                cell(item.text),
                round(item.confidence, 4),
                *place,
            ]
        )
    return out.getvalue()


def cell(text: str) -> str:
    """Return a text that a spreadsheet shows and does not run, without control codes."""
    plain = printable(text)
    return "'" + plain if plain.startswith(FORMULA_STARTS) else plain
