"""Flags that several commands share, declared once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from vidence.errors import UsageError
from vidence.timeline import TimeLike, instant

Command = TypeVar("Command", bound=Callable[..., Any])


class Time(click.ParamType):
    """A time as seconds (12.5), a clock ([H:]MM:SS.mmm) or a frame (300f, counted at the medium's rate)."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> TimeLike:
        """Check the form, so that a slip is told before the file is opened; the value is read later."""
        try:
            instant(value, fps=instant(25))  # any rate: only the form is checked
        except UsageError as error:
            self.fail(str(error), param, ctx)
        return value


def verbosity_options(command: Command) -> Command:
    """Add -q/--quiet and -v/--verbose."""
    quiet = click.option(
        "-q",
        "--quiet",
        is_flag=True,
        expose_value=False,
        callback=_quiet,
        help="No progress and no remarks on stderr.",
    )
    verbose = click.option(
        "-v",
        "--verbose",
        count=True,
        expose_value=False,
        callback=_verbose,
        help="Show details, and the trace of an error.",
    )
    return quiet(verbose(command))


def _quiet(ctx: click.Context, _: click.Parameter, value: bool) -> None:
    if value:
        ctx.find_root().meta["vidence.verbosity"] = -1


def _verbose(ctx: click.Context, _: click.Parameter, value: int) -> None:
    if value:
        ctx.find_root().meta["vidence.verbosity"] = value


file_argument = click.argument("file", metavar="FILE")

memory_option = click.option(
    "--memory",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="PATH",
    help="Memory file to use. Default: $VIDENCE_HOME/memory.sqlite, or the user data folder.",
)

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON on stdout instead of text.")


def sense_options(command: Command) -> Command:
    """Add --language and --tier."""
    language = click.option(
        "--language",
        default="auto",
        show_default=True,
        metavar="CODE",
        help="Language spoken in the video: auto, en, de, zh...",
    )
    tier = click.option(
        "--tier",
        type=click.Choice(["auto", "embedded", "standard"]),
        help="Weights of the senses. Default: $VIDENCE_TIER, or auto: the stronger ones where they were pulled.",
    )
    return language(tier(command))


def time_range_options(command: Command) -> Command:
    """Add --start and --end."""
    start = click.option(
        "--start", type=Time(), metavar="TIME", help="Begin here: 12.5, 1:02:03.5 or 300f (frame)."
    )
    end = click.option("--end", type=Time(), metavar="TIME", help="End here; same forms. Default: the end.")
    return start(end(command))


def format_options(default: str) -> Callable[[Command], Command]:
    """Add -f/--format (repeatable, or a comma list) and -o/--output."""
    choice = click.option(
        "-f",
        "--format",
        "formats",
        multiple=True,
        default=[default],
        show_default=True,
        metavar="FORMAT",
        help="srt, vtt, json, txt, csv or all; repeat it or separate by commas.",
    )
    output = click.option(
        "-o",
        "--output",
        type=click.Path(path_type=Path),
        metavar="PATH",
        help="Write to this file, or into this folder as NAME.FORMAT. Needed for several formats.",
    )

    def decorate(command: Command) -> Command:
        return choice(output(command))

    return decorate


def require_text(value: str, what: str) -> str:
    """Return `value` stripped.

    Raises:
        UsageError: nothing is left.
    """
    text = value.strip()
    if not text:
        raise UsageError(f"the {what} is empty; write it in quotes after the file")
    return text
