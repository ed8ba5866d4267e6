"""What people call their videos: shown, and never part of a path."""

from __future__ import annotations

from vidence.printable import printable

LONGEST = 200


def clean_name(name: str) -> str:
    """Make a name for people of what a stranger calls a file: its last part, one line, no control codes."""
    line = " ".join(printable(name, directions=False).split())
    last = line.replace("\\", "/").rstrip("/").rsplit("/", 1)[-1].strip()
    return last[:LONGEST] if last.strip(".") else "video"
