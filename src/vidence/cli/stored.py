"""Find a remembered medium by what a user types."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from vidence.errors import UsageError

if TYPE_CHECKING:
    from vidence.memory import Medium, Memory

SHORTEST_HASH = 6  # fewer characters would name several media before long


def find_medium(memory: Memory, name: str) -> Medium:
    """Return the remembered medium with path, content, hash or start of a hash `name`.

    Raises:
        UsageError: none or several fit.
        MediaError: the path is a file that cannot be read.
    """
    known = memory.media()
    place = str(Path(name).resolve())
    found = [one for one in known if one.path in (name, place) or str(Path(one.path).resolve()) == place]
    if len(found) != 1 and Path(name).is_file():
        from vidence.media import open_media

        with open_media(name) as media:
            found = [one for one in known if one.hash == media.hash]
    if not found and len(name) >= SHORTEST_HASH:
        found = [
            one
            for one in known
            if name in one.hash and one.hash.split(":")[-1].startswith(name.split(":")[-1])
        ]
    if len(found) == 1:
        return found[0]
    trouble = "fits several remembered media" if found else "is not in the memory"
    raise UsageError(f"{name} {trouble}; `vidence show` lists what is remembered")
