"""`vidence index`: perceive a video with every sense and remember it."""

from __future__ import annotations

from pathlib import Path

import click

from vidence.cli.options import json_option, memory_option, verbosity_options


@click.command("index", short_help="Perceive videos and remember them.")
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.option(
    "--senses", "names", metavar="LIST", help="Only these, separated by commas, e.g. shots,speech,text."
)
@memory_option
@json_option
@verbosity_options
def command(files: tuple[str, ...], names: str | None, memory: Path | None, as_json: bool) -> None:
    """Perceive each FILE with every sense and keep what was perceived.

    Only what is missing is done: a second run does nothing, and an interrupted one goes on where it stopped.
    """
