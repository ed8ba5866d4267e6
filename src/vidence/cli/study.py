"""`vidence study`: what a lecture teaches, as a page, notes, chapters, a concept map and flash cards."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from vidence.cli.applying import Given, application_options, apply, files_argument, show_limits
from vidence.cli.console import say
from vidence.errors import UsageError
from vidence.timeline import clock

if TYPE_CHECKING:
    from vidence.apps.study import Study
    from vidence.mcr.budget import Budget
    from vidence.memory import Progress
    from vidence.video import Video

ENDINGS = ("md", "vtt", "txt", "jsonld", "apkg")


@click.command("study", short_help="Chapters, slides, knowledge points, summary and quiz of a lecture.")
@files_argument
@click.option(
    "--export",
    "exports",
    type=click.Path(path_type=Path),
    multiple=True,
    metavar="PATH",
    help="Write it for keeping; by its ending .md (notes), .vtt (chapters), .txt (chapters for YouTube), "
    ".jsonld (SKOS) or .apkg (Anki); repeat it. With several files the name of each is put before the ending.",
)
@click.option(
    "--length",
    type=click.Choice(["short", "medium", "long"]),
    default="medium",
    show_default=True,
    help="Of the summary that is printed.",
)
@application_options
def command(files: tuple[str, ...], exports: tuple[Path, ...], length: str, **shared: Any) -> None:
    """Study what is taught in each FILE.

    Finds chapters, slides (each once), knowledge points with their definitions and
    what they need, formulas and code on screen; makes a summary, a glossary and a quiz
    whose answers were said or shown.

    \b
    vidence study lecture.mp4 --html lecture.html
    vidence study lecture.mp4 --export notes.md --export cards.apkg --export chapters.vtt
    vidence study course/*.mp4 --html course/ --export course/notes.md
    """
    for place in exports:
        _ending(place)

    given = Given(**shared)
    checker = given.decider()

    def work(video: Video, budget: Budget, progress: Progress) -> Study:
        from vidence.apps.study import study

        done = study(video, budget=budget, checker=checker, progress=progress)
        for place in exports:
            _write(done, _place(place, done.file, several=len(files) > 1))
        return done

    apply(files, given, work, lambda result: _print(result, length), _page)


def _page(video: Video, result: Any) -> str:
    from vidence.apps.study.page import to_html

    return to_html(video, result)


def _print(result: Any, length: str) -> None:
    for sentence in result.summary[length]:
        say(sentence.text)
    for chapter in result.chapters:
        say(f"{clock(chapter.span.start, millis=False)}  {chapter.title}", bold=True)
        for number in chapter.slides:
            slide = result.slides[number - 1]
            if slide.first in chapter.span:
                say(f"{clock(slide.first, millis=False)}  slide {number}: {slide.title}", indent=4)
        for id in chapter.points:
            point = result.point(id)
            if point.definition:
                sure = "" if point.certain else " (possible, not sure)"
                say(f"{point.name}: {point.definition}{sure}", indent=8)
    show_limits(result)


def _ending(place: Path) -> str:
    ending = place.suffix.lower().lstrip(".")
    if ending not in ENDINGS:
        raise UsageError(f"--export {place}: name it with one of the endings .{', .'.join(ENDINGS)}")
    return ending


def _place(place: Path, file: str, *, several: bool) -> Path:
    return place.with_name(f"{Path(file).stem}-{place.name}") if several else place


def _write(study: Study, place: Path) -> None:
    from vidence.apps.study.anki import to_apkg
    from vidence.apps.study.notes import to_chapters_vtt, to_markdown, to_youtube
    from vidence.apps.study.skos import to_skos
    from vidence.cli.files import save, save_bytes

    ending = _ending(place)
    if ending == "apkg":
        save_bytes(place, to_apkg(study))
        return
    texts: dict[str, Callable[[Study], str]] = {
        "md": to_markdown,
        "vtt": to_chapters_vtt,
        "txt": to_youtube,
        "jsonld": to_skos,
    }
    save(place, texts[ending](study))
