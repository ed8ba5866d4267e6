"""CMX 3600: the edit list that every editing program reads. One video track, cuts only, one rate."""

from __future__ import annotations

import re

from vidence.exports.edit.clip import EditList, Reel
from vidence.printable import printable

MOST_EVENTS = 999  # the event number has three digits
REEL_LETTERS = 8


def to_edl(edit: EditList) -> str:
    """Write an EDL: source and record timecodes, the clip's name, its file, and its notes as comments.

    Raises:
        UsageError: the clips have different rates, or there are none.
    """
    rate, names = edit.rate, reel_names(edit.reels)
    lines = [f"TITLE: {_line(edit.title)}", f"FCM: {'DROP FRAME' if rate.drop else 'NON-DROP FRAME'}", ""]
    for number, (clip, (begin, end)) in enumerate(zip(edit.clips, edit.record(rate), strict=True), 1):
        tracks = "AA/V" if clip.reel.sound else "V"
        lines += [
            f"{number % (MOST_EVENTS + 1):03d}  {names[clip.reel]:<8} {tracks:<5} C        "
            f"{clip.begin} {clip.end} {rate.label(begin)} {rate.label(end)}",
            f"* FROM CLIP NAME: {_line(clip.name)}",
            f"* SOURCE FILE: {_line(clip.reel.name)}",
            *(f"* COMMENT: {_line(name)}: {_line(value)}" for name, value in clip.notes.items() if value),
            "",
        ]
    return "\n".join(lines)


def reel_names(reels: list[Reel]) -> dict[Reel, str]:
    """Give each reel a name of eight letters and digits that no other has."""
    names: dict[Reel, str] = {}
    for number, reel in enumerate(reels, 1):
        plain = (
            re.sub(r"[^A-Z0-9]", "", reel.name.rsplit(".", 1)[0].upper())[:REEL_LETTERS] or f"R{number:03d}"
        )
        if plain in names.values():
            plain = f"{plain[: REEL_LETTERS - 3]}{number:03d}"
        names[reel] = plain
    return names


def _line(text: str) -> str:
    return " ".join(printable(text, directions=False).split())
