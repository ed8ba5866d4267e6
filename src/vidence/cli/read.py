"""`vidence read`: what is written in the picture."""

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


@click.command("read", short_help="Write the text seen in the picture.")
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
    """Write the text that is seen in FILE: each sign or line once, with the time it is on screen.

    \b
    vidence read slides.mp4 -f csv -o slides.csv
    """
    from vidence.cli.perceive import perceive

    if not perceive(file, "text", formats, output, memory, start, end):
        note("no text was found")
