"""`vidence catalogue`: every shot described and tagged, found again, and sent to an editing program."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from vidence.cli.applying import Given, application_options, apply, files_argument, show_limits
from vidence.cli.console import say
from vidence.errors import UsageError

if TYPE_CHECKING:
    from vidence.apps.catalogue import Catalogue, Found, Query
    from vidence.apps.catalogue.vocabulary import Vocabulary
    from vidence.exports.edit import Grid
    from vidence.mcr.budget import Budget
    from vidence.mcr.policy import Policy
    from vidence.memory import Progress
    from vidence.video import Video

FORMATS = ("otio", "edl", "fcpxml", "ale", "csv")


@click.command("catalogue", short_help="Describe, tag, find and export shots.")
@files_argument
@click.option(
    "--find", "text", default="", metavar="TEXT", help="Find shots by words: what they show, their tags."
)
@click.option("--said", default="", metavar="TEXT", help="Find shots by what is said in them.")
@click.option(
    "--image",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="PICTURE",
    help="Find shots like a picture.",
)
@click.option("--like", metavar="FILE@TIME", help="Find shots like the one of FILE at TIME.")
@click.option(
    "--limit", type=click.IntRange(min=1), default=20, show_default=True, metavar="N", help="Finds at most."
)
@click.option(
    "--export",
    "exports",
    type=click.Path(path_type=Path, dir_okay=False),
    multiple=True,
    metavar="PATH",
    help="Write the finds (else all shots) for editing programs; by its ending .otio, .edl, .fcpxml, .ale or .csv; "
    "repeat it.",
)
@click.option(
    "--drop/--no-drop", default=None, help="Drop-frame timecode. Default: as the file says, else at 29.97."
)
@click.option(
    "--vocabulary",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="YAML",
    help="Tags to choose from. Default: the one that ships; --show-vocabulary prints it.",
)
@click.option(
    "--show-vocabulary", is_flag=True, is_eager=True, expose_value=False, callback=lambda c, _, v: _show(c, v),
    help="Print the vocabulary that ships, to copy and change.",
)  # fmt: skip
@application_options
def command(
    files: tuple[str, ...],
    text: str,
    said: str,
    image: Path | None,
    like: str | None,
    limit: int,
    exports: tuple[Path, ...],
    drop: bool | None,
    vocabulary: Path | None,
    **shared: Any,
) -> None:
    """Catalogue the shots of each FILE.

    Tells of each shot its size, camera movement, people, things, place, light, words
    said and written, sound, flaws and duplicate takes, and tags it from a vocabulary.

    \b
    vidence catalogue rushes/*.mov --html catalogue/
    vidence catalogue film.mp4 --find "close-up of a dog" --export dogs.otio
    vidence catalogue rushes/*.mov --said "we are closed" --export closed.edl
    vidence catalogue a.mov b.mov --like a.mov@00:12 --export alike.fcpxml
    """
    formats = {place: _format(place) for place in exports}
    query = _query(text, said, image, like)
    from vidence.apps.catalogue.vocabulary import read

    given = Given(**shared)
    shelf = _Shelf(query, limit, drop, read(vocabulary), given.decider())
    apply(
        files,
        given,
        shelf.work,
        shelf.show,
        shelf.page,
        finish=lambda: shelf.finish(formats, as_json=given.as_json),
    )


class _Shelf:
    """What is catalogued of all files, for a query that goes over all of them and one list of clips."""

    def __init__(
        self, query: Query, limit: int, drop: bool | None, vocabulary: Vocabulary, checker: Policy | None
    ) -> None:
        self.query, self.limit, self.drop, self.vocabulary = query, limit, drop, vocabulary
        self.checker = checker
        self.catalogues: list[Catalogue] = []
        self.grids: dict[str, Grid] = {}
        self.memory: Path | None = None

    def work(self, video: Video, budget: Budget, progress: Progress) -> Catalogue:
        from vidence.apps.catalogue import catalogue
        from vidence.exports.edit import Grid

        done = catalogue(
            video, vocabulary=self.vocabulary, budget=budget, checker=self.checker, progress=progress
        )
        self.catalogues.append(done)
        self.grids[video.media.hash] = Grid.of(video.media, drop=self.drop)
        self.memory = video.memory.path
        return done

    def page(self, video: Video, result: Any) -> str:
        from vidence.apps.catalogue import find
        from vidence.apps.catalogue.page import to_html

        found: list[Found] = []
        if self.query and not (self.query.like and len(self.catalogues) > 1):
            found = find(self.query, [result], video.memory, vocabulary=self.vocabulary, limit=self.limit)
        return to_html(video, result, found, _asked(self.query))

    def show(self, result: Any) -> None:
        if not self.query:
            for shot, finding in zip(result.shots, result.findings, strict=True):
                say(f"{shot.span}  {finding.title}", bold=finding.severity == "info")
                tags = ", ".join(tag.label for tag in shot.tags)
                for line in (tags, finding.why, f"“{shot.said}”" if shot.said else ""):
                    if line:
                        say(line, indent=4)
        show_limits(result)

    def finish(self, formats: dict[Path, str], *, as_json: bool) -> dict[str, Any]:
        from vidence.apps.catalogue import edit_list, find
        from vidence.apps.catalogue.retrieval import Found
        from vidence.cli.files import save
        from vidence.exports.edit import by_rate, write_edit
        from vidence.memory import Memory
        from vidence.senses import query_encoders

        if not self.catalogues or not (self.query or formats):
            return {}
        if self.query:
            with Memory.open(self.memory, encoders=query_encoders()) as memory:
                found = find(
                    self.query, self.catalogues, memory, vocabulary=self.vocabulary, limit=self.limit
                )
        else:
            found = [Found(one, shot, 1.0, ()) for one in self.catalogues for shot in one.shots]
        title = _asked(self.query) or ", ".join(one.file for one in self.catalogues[:3])
        for place, name in formats.items():
            for where, edit in by_rate(edit_list(found, self.grids, title), place, name).items():
                save(where, write_edit(edit, name))
        if not self.query:
            return {}
        if not as_json:
            for one in found:
                say(
                    f"{one.catalogue.file}  {one.shot.span}  {one.score:.2f}  shot {one.shot.number}",
                    bold=True,
                )
                say("; ".join(one.why), indent=4)
        return {"found": [one.to_json() for one in found]}


def _query(text: str, said: str, image: Path | None, like: str | None) -> Query:
    from vidence.apps.catalogue import Query
    from vidence.timeline import instant

    example = None
    if like is not None:
        file, mark, time = like.rpartition("@")
        if not mark or not file:
            raise UsageError(f"--like {like!r}: write FILE@TIME, for example a.mov@00:12")
        example = (Path(file).name, instant(time))
    return Query(text.strip(), said.strip(), image, example)


def _asked(query: Query) -> str:
    parts = [
        query.text,
        f"said “{query.said}”" if query.said else "",
        f"like {query.image.name}" if query.image else "",
    ]
    if query.like:
        parts.append(f"like {query.like[0]} at {float(query.like[1]):g} s")
    return ", ".join(part for part in parts if part)


def _format(place: Path) -> str:
    ending = place.suffix.lower().lstrip(".")
    if ending not in FORMATS:
        raise UsageError(f"--export {place}: name it with one of the endings .{', .'.join(FORMATS)}")
    return ending


def _show(ctx: click.Context, wanted: bool) -> None:
    if wanted:
        from importlib import resources

        text = (
            resources.files("vidence.apps.catalogue").joinpath("vocabulary.yaml").read_text(encoding="utf-8")
        )
        click.echo(text, nl=False)
        ctx.exit()
