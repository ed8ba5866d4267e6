"""The commands that write what one sense perceives: `vidence transcribe | read | shots`."""

from __future__ import annotations

from pathlib import Path

import click

from vidence.cli.console import note
from vidence.cli.options import (
    Command,
    file_argument,
    format_options,
    memory_option,
    sense_options,
    time_range_options,
    verbosity_options,
)
from vidence.timeline import TimeLike


def perceiving(
    name: str, sense: str, summary: str, explanation: str, nothing: str, *, tiers: bool = False
) -> click.Command:
    """Make the command that writes what one sense perceives; with `tiers` it takes --language and --tier."""

    @click.command(name, short_help=summary, help=explanation)
    @file_argument
    @format_options("txt")
    @(sense_options if tiers else _no_options)
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
        tier: str | None = None,
        language: str = "auto",
    ) -> None:
        from vidence.cli.perceive import perceive

        if not perceive(file, sense, formats, output, memory, start, end, tier=tier, language=language):
            note(nothing)

    return command


def _no_options(command: Command) -> Command:
    return command
