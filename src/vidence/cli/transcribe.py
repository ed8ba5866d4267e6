"""`vidence transcribe`: what is said, as subtitles or text."""

from __future__ import annotations

from pathlib import Path

import click

from vidence.cli.console import note
from vidence.cli.options import (
    file_argument,
    format_options,
    memory_option,
    sense_options,
    time_range_options,
    verbosity_options,
)
from vidence.timeline import TimeLike


@click.command("transcribe", short_help="Write what is said.")
@file_argument
@format_options("txt")
@sense_options
@time_range_options
@memory_option
@verbosity_options
def command(
    file: str,
    formats: tuple[str, ...],
    output: Path | None,
    language: str,
    tier: str | None,
    start: TimeLike | None,
    end: TimeLike | None,
    memory: Path | None,
) -> None:
    """Write what is said in FILE, with times. Subtitles of the file are used where it has them.

    \b
    vidence transcribe talk.mp4 -f srt -o talk.srt
    vidence transcribe talk.mp4 -f srt,vtt,json -o subtitles/
    vidence transcribe vortrag.mp4 --language de
    """
    from vidence.cli.perceive import perceive

    if not perceive(file, "speech", formats, output, memory, start, end, tier=tier, language=language):
        note("no speech was found")
