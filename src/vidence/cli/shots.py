"""`vidence shots`: where the cuts are."""

from __future__ import annotations

from pathlib import Path

import click

from vidence.cli.console import note
from vidence.cli.options import (
    file_argument,
    format_options,
    memory_option,
    time_range_options,
    verbosity_options,
)
from vidence.timeline import TimeLike


@click.command("shots", short_help="Write the shots, cut to cut.")
@file_argument
@format_options("txt")
@time_range_options
@memory_option
@verbosity_options
def command(
    file: str,
    formats: tuple[str, ...],
    output: Path | None,
    start: TimeLike | None,
    end: TimeLike | None,
    memory: Path | None,
) -> None:
    """Write the shots of FILE: from one cut to the next.

    \b
    vidence shots film.mp4 -f json --start 1:00 --end 2:30
    """
    from vidence.cli.perceive import perceive

    if not perceive(file, "shots", formats, output, memory, start, end):
        note("no shots were found")
