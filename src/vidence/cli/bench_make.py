"""`vidence bench make`: write the benchmarks that are made on your machine."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from vidence.cli.console import emit, note
from vidence.cli.options import Time, json_option, verbosity_options
from vidence.cli.progress import progress
from vidence.timeline import Instant, TimeLike, instant

FC = TypeVar("FC", bound=Callable[..., Any])
out_option = click.option(
    "--out", type=click.Path(path_type=Path, file_okay=False), required=True, metavar="DIR", help="Where to."
)
seed_option = click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, metavar="N")


def length_option(what: str, *default: str) -> Callable[[FC], FC]:
    """Return --length."""
    return click.option(
        "--length", "lengths", type=Time(), multiple=True, default=default, show_default=True, metavar="TIME",
        help=f"Of {what}; repeat it.",
    )  # fmt: skip


@click.group("make", short_help="Make a benchmark: worldbench, needle-films.")
def command() -> None:
    """Make videos with questions whose answers are known; a making that was stopped goes on.

    \b
    vidence bench make worldbench --out worldbench --length 1:00 --length 10:00
    vidence bench make needle-films --clips my-clips --out films --length 10:00
    """


@command.command("worldbench", short_help="Generated videos, from a minute to three hours.")
@out_option
@length_option("videos", "1:00", "10:00", "1:00:00")
@click.option(
    "--worlds", type=click.IntRange(min=1), default=3, show_default=True, metavar="N", help="Of each length."
)
@seed_option
@json_option
@verbosity_options
def worldbench(out: Path, lengths: tuple[TimeLike, ...], worlds: int, seed: int, as_json: bool) -> None:
    """Write videos drawn from a seed: needles by depth, what is never shown, small letters, speech that contradicts
    signs, order, counts."""
    from vidence.evaluation.worldbench import make_worldbench

    with progress("s") as tell:
        count = make_worldbench(out, lengths_s=_seconds(lengths), worlds=worlds, seed=seed, told=tell)
    _made("worldbench", out, count, as_json)


@command.command("needle-films", short_help="Your clips, hidden in long films.")
@click.option(
    "--clips",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    required=True,
    metavar="DIR",
    help="Clips, and a questions.json that says what is true of them.",
)
@out_option
@length_option("films", "10:00", "30:00", "1:00:00")
@click.option(
    "--films", type=click.IntRange(min=1), default=1, show_default=True, metavar="N", help="Of each length."
)
@seed_option
@json_option
@verbosity_options
def needle_films(
    clips: Path, out: Path, lengths: tuple[TimeLike, ...], films: int, seed: int, as_json: bool
) -> None:
    """Join clips at known offsets into long films, among generated scenes, and move what is asked about them along."""
    from vidence.evaluation.needle_films import make_needle_films

    with progress("s") as tell:
        count = make_needle_films(out, clips, lengths_s=_seconds(lengths), films=films, seed=seed, told=tell)
    _made("needle-films", out, count, as_json)


def _seconds(lengths: tuple[TimeLike, ...]) -> list[Instant]:
    return [instant(length) for length in lengths]


def _made(name: str, out: Path, count: int, as_json: bool) -> None:
    if as_json:
        emit({"benchmark": name, "data": str(out), "questions": count})
        return
    click.echo(f"{count} questions in {out}")
    note(f"ask them with: vidence bench {name} --data {out}")
