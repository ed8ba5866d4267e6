"""`vidence forget`: remove a video from the memory."""

from __future__ import annotations

from pathlib import Path

import click

from vidence.cli.console import note
from vidence.cli.options import memory_option, verbosity_options


@click.command("forget", short_help="Remove videos from the memory.")
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@memory_option
@verbosity_options
def command(files: tuple[str, ...], memory: Path | None) -> None:
    """Remove all that is remembered of each FILE (a path, or the start of a hash that `vidence show` prints).

    The file itself is left alone.
    """
    from vidence.apps.kept import Kept
    from vidence.cli.stored import find_medium
    from vidence.memory import Memory

    with Memory.open(memory) as store:
        for medium in [find_medium(store, file) for file in files]:
            store.forget(medium.hash)
            Kept.beside(store.path).forget(medium.hash)
            note(f"forgot {medium.path}")
