"""What the commands of the applications share: their flags, and one run over many files."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from vidence.cli.console import complain, emit, note, paint, say
from vidence.cli.options import Command, json_option, memory_option, sense_options, verbosity_options
from vidence.errors import MediaError, UsageError

if TYPE_CHECKING:
    from vidence.apps.finding import Finding
    from vidence.apps.result import Result
    from vidence.mcr.budget import Budget
    from vidence.mcr.policy import Policy
    from vidence.memory import Progress
    from vidence.video import Video

OUT_OF_BUDGET = 1

files_argument = click.argument("files", nargs=-1, required=True, metavar="FILE...")


@dataclass(frozen=True, slots=True)
class Given:
    """The shared flags as they were given."""

    memory: Path | None
    language: str
    tier: str | None
    time_limit: float | None
    max_frames: int | None
    html: Path | None
    as_json: bool
    checker: str | None = None
    model: str | None = None
    api_base: str | None = None

    def decider(self) -> Policy | None:
        """Open who checks what was found; None: the senses that perceived it.

        Raises:
            UsageError: what it needs is not installed, or does not fit together.
            WeightsError: the model cannot be loaded.
        """
        if self.checker in (None, "rules") and self.model is None:
            return None
        from vidence.cli.opening import chosen_policy
        from vidence.memory import seen_folder

        return chosen_policy(self.checker, self.model, seen=seen_folder(self.memory), api_base=self.api_base)


def application_options(command: Command) -> Command:
    """Add the flags that are the fields of `Given`, with -q and -v."""
    page = click.option(
        "--html",
        type=click.Path(path_type=Path),
        metavar="PATH",
        help="Write a report here; with several files a folder, one NAME.html a file.",
    )
    time_limit = click.option(
        "--time-limit",
        type=click.FloatRange(min=0),
        metavar="S",
        help="Seconds a file may take, indexing included.",
    )
    max_frames = click.option(
        "--max-frames",
        type=click.IntRange(min=0),
        metavar="N",
        help="Frames that may be opened to check what was found.",
    )
    checker = click.option(
        "--checker",
        type=click.Choice(["rules", "internvideo3", "chat"]),
        help="Who opens again what was found: the senses (rules), or a model that sees.",
    )
    model = click.option("--model", metavar="NAME", help="The checker's model, as for vidence ask.")
    api_base = click.option(
        "--api-base", metavar="URL", help="chat: the endpoint. Default: $OPENAI_BASE_URL."
    )
    for option in (
        verbosity_options,
        json_option,
        memory_option,
        sense_options,
        api_base,
        model,
        checker,
        max_frames,
        time_limit,
        page,
    ):
        command = option(command)
    return command


def apply(
    files: Sequence[str],
    given: Given,
    work: Callable[[Video, Budget, Progress], Result],
    show: Callable[[Any], None],
    page: Callable[[Video, Any], str],
    extra: Callable[[Any], Mapping[str, Any]] = lambda result: {},
    finish: Callable[[], Mapping[str, Any]] = dict,
) -> None:
    """Do `work` on each file, print what it gives (`show`, or JSON), write its page, and end with the exit code.

    `extra` adds to the JSON of a file what only the command knows; `finish` to the whole, when all files are done.
    One bad file of several does not take the others' results away.

    Raises:
        MediaError: the only file cannot be read.
        UsageError: the reports have no place.
    """
    from vidence.cli.files import save
    from vidence.cli.opening import opened
    from vidence.cli.progress import indexing
    from vidence.mcr.budget import Budget

    places = report_places(files, given.html)
    budget = Budget(time_limit_s=given.time_limit, max_frames=given.max_frames)
    code, results = 0, list[Mapping[str, Any]]()
    for file in files:
        try:
            with opened(file, given.memory, tier=given.tier, language=given.language) as video:
                with indexing() as shown:
                    result = work(video, budget, shown)
                if file in places:
                    save(places[file], page(video, result))
        except MediaError as error:
            if len(files) == 1:
                raise
            complain(str(error))
            results.append({"file": file, "error": str(error)})
            code = max(code, error.exit_code)
            continue
        if ran_out(result, budget):
            note(f"{file}: the budget ran out; what was not looked at or checked is said in the result")
            code = max(code, OUT_OF_BUDGET)
        results.append({"file": file, **result.to_json(), **extra(result)})
        if not given.as_json:
            if len(files) > 1:
                click.echo(paint(f"\n{file}", bold=True))
            show(result)
    more = finish()
    if given.as_json:
        emit({**(results[0] if len(files) == 1 else {"files": results}), **more})
    click.get_current_context().exit(code)


def report_places(files: Sequence[str], html: Path | None) -> dict[str, Path]:
    """Decide where the report of each file goes, before any work is done.

    Raises:
        UsageError: several reports would land in one file.
    """
    if html is None:
        return {}
    if len(files) == 1 and not html.is_dir():
        return {files[0]: html}
    if html.is_file():
        raise UsageError(f"--html {html} is a file, but {len(files)} reports need a folder")
    places: dict[str, Path] = {}
    for file in dict.fromkeys(files):
        stem, number = Path(file).stem or "video", 1
        while (place := html / f"{stem}{'' if number == 1 else f'-{number}'}.html") in places.values():
            number += 1
        places[file] = place
    return places


def ran_out(result: Result, budget: Budget) -> bool:
    """Say whether time or frames came to an end, so that something was not looked at."""
    spent = ((result.receipt.wall_s, budget.time_limit_s), (result.receipt.frames, budget.max_frames))
    return any(limit is not None and amount >= limit for amount, limit in spent)


def show_findings(findings: Sequence[Finding], nothing: str) -> None:
    """Print findings as lines: when, how grave, what, how sure, why."""
    for one in findings:
        sure = "" if one.certain else " (possible, not sure)"
        say(f"{one.span}  {one.severity}  {one.title}{sure}  {one.confidence:.2f}", bold=one.certain)
        if one.why:
            say(one.why, indent=4)
    if not findings:
        note(nothing)


def show_limits(result: Result) -> None:
    """Print what could not be seen, on stderr."""
    for line in result.limits:
        note(line)
