"""`vidence ground`: when does something happen."""

from __future__ import annotations

from pathlib import Path

import click

from vidence.cli.console import emit, note, say
from vidence.cli.options import (
    file_argument,
    json_option,
    memory_option,
    require_text,
    sense_options,
    verbosity_options,
)


@click.command("ground", short_help="Find when something happens.")
@file_argument
@click.argument("phrase")
@click.option(
    "--limit",
    type=click.IntRange(min=1),
    default=5,
    show_default=True,
    metavar="N",
    help="Spans to give at most.",
)
@sense_options
@memory_option
@json_option
@verbosity_options
def command(
    file: str,
    phrase: str,
    limit: int,
    language: str,
    tier: str | None,
    memory: Path | None,
    as_json: bool,
) -> None:
    """Find the spans of FILE in which PHRASE happens, best first.

    \b
    vidence ground match.mp4 "the ball hits the net" --json
    """
    phrase = require_text(phrase, "phrase")
    from vidence.cli.opening import opened
    from vidence.cli.progress import indexing

    with opened(file, memory, tier=tier, language=language) as video, indexing() as shown:
        found = video.ground(phrase, limit=limit, progress=shown)
    spans = [{**one.span.to_json(), "score": round(one.score, 4)} for one in found]
    if as_json:
        emit({"phrase": phrase, "spans": spans})
    else:
        for one in found:
            say(f"{one.span}  {one.score:.2f}  {one.why}", hang=4)
        if not found:
            note("nothing in the video fits the phrase")
    click.get_current_context().exit(0 if found else 1)
