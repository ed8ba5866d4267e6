"""`vidence index`: perceive a video with every sense and remember it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from vidence.cli.console import complain, emit, say
from vidence.cli.options import (
    json_option,
    memory_option,
    sense_options,
    time_range_options,
    verbosity_options,
)
from vidence.errors import MediaError
from vidence.timeline import TimeLike

if TYPE_CHECKING:
    from vidence.memory import IndexReport
    from vidence.senses.sense import Sense


@click.command("index", short_help="Perceive videos and remember them.")
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.option(
    "--senses", "names", metavar="LIST", help="Only these, separated by commas, e.g. shots,speech,text."
)
@sense_options
@time_range_options
@memory_option
@json_option
@verbosity_options
def command(
    files: tuple[str, ...],
    names: str | None,
    language: str,
    tier: str | None,
    start: TimeLike | None,
    end: TimeLike | None,
    memory: Path | None,
    as_json: bool,
) -> None:
    """Perceive each FILE with every sense and keep what was perceived.

    Only what is missing is done: a second run does nothing, and an interrupted
    one goes on where it stopped.

    \b
    vidence index *.mp4
    vidence index long.mkv --senses shots,speech --end 10:00
    """
    from vidence.cli.opening import split_names
    from vidence.senses import default_senses

    senses = default_senses(split_names(names), tier=tier, language=language)
    code, results = 0, []
    for file in files:
        try:
            report = _index(file, senses, start, end, memory)
        except MediaError as error:
            if len(files) == 1:
                raise
            complain(str(error))  # the other files are still worth their time
            results.append({"file": file, "error": str(error)})
            code = error.exit_code
            continue
        results.append({"file": file, **report.to_json()})
        if not as_json:
            say(_summary(file, report), hang=2)
    if as_json:
        emit(results[0] if len(files) == 1 else {"files": results})
    click.get_current_context().exit(code)


def _index(
    file: str, senses: Sequence[Sense], start: TimeLike | None, end: TimeLike | None, memory: Path | None
) -> IndexReport:
    from vidence.cli.opening import opened, tell_failures
    from vidence.cli.perceive import time_range
    from vidence.cli.progress import indexing
    from vidence.memory import index

    with opened(file, memory) as video, indexing() as shown:
        span = time_range(video.media.info, start, end)
        report = index(video.media, video.memory, senses, span=span, progress=shown)
    tell_failures(report)
    return report


def _summary(file: str, report: IndexReport) -> str:
    if not any(report.done.values()) and not report.failed:
        return f"{file}: nothing to do, all of it was known ({report.wall_s:.1f} s)"
    senses = ", ".join(f"{name} {seconds:.1f} s" for name, seconds in report.busy_s.items())
    return f"{file}: {report.new_observations} observations in {report.wall_s:.1f} s ({senses})"
