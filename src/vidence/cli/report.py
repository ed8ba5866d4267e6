"""`vidence report`: one page with the timeline of a video and the evidence of its answers."""

from __future__ import annotations

from pathlib import Path

import click

from vidence.cli.options import file_argument, memory_option, require_text, sense_options, verbosity_options


@click.command("report", short_help="Write one HTML page about a video.")
@file_argument
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    required=True,
    metavar="HTML",
    help="Where to write the page.",
)
@click.option(
    "--question", "questions", multiple=True, metavar="TEXT", help="Ask this and show the answer; repeat it."
)
@sense_options
@memory_option
@verbosity_options
def command(
    file: str,
    output: Path,
    questions: tuple[str, ...],
    language: str,
    tier: str | None,
    memory: Path | None,
) -> None:
    """Write one self-contained HTML page about FILE.

    It shows the timeline of all that was perceived, pictures, transcript, text on
    screen, what was not looked at and, with --question, answers with their
    evidence. The page opens anywhere and asks nothing of any other place.

    \b
    vidence report talk.mp4 -o talk.html --question "Who is named on the slides?"
    """
    asked = [require_text(question, "question") for question in questions]
    from vidence.cli.files import save
    from vidence.cli.opening import opened, tell_failures
    from vidence.cli.progress import indexing
    from vidence.exports.report import gather, render

    with opened(file, memory, tier=tier, language=language) as video:
        with indexing() as shown:
            tell_failures(video.index(progress=shown))
        answers = [video.ask(question) for question in asked]
        page = render(gather(video.media, video.memory, answers))
    save(output, page)
