"""`vidence models`: which weights there are, under which licence, and where they lie."""

from __future__ import annotations

from typing import Any

import click

from vidence.cli.console import emit, paint
from vidence.cli.options import json_option, verbosity_options

TIERS = ("embedded", "standard")


@click.group("models")
def command() -> None:
    """List, fetch and locate the weights that the senses use."""


@command.command("list")
@click.option("--tier", type=click.Choice(TIERS), help="Only this tier.")
@json_option
@verbosity_options
def list_models(tier: Any, as_json: bool) -> None:
    """List every weight file with its sense, tier, licence, size, and whether it is on this machine."""
    from vidence.catalogue import rows

    found = rows(tier)
    if as_json:
        emit({"models": [_row(row) for row in found]})
        return
    width = max((len(row.name) for row in found), default=0)
    for row in found:
        here = paint("here", fg="green") if row.present else "-   "
        size = f"{row.bytes / 1e6:6.1f} MB" if row.bytes else "        -"
        click.echo(f"{row.name:<{width}}  {here}  {size}  {row.tier:<8}  {row.sense:<8}  {row.licence}")


@command.command("pull")
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option("--tier", type=click.Choice(TIERS), help="Only (or, without names, all of) this tier.")
@json_option
@verbosity_options
def pull_models(names: tuple[str, ...], tier: Any, as_json: bool) -> None:
    """Fetch weights, so that later runs need no network. Without NAME: all of the default senses.

    With --tier standard: the stronger weights of all senses, which are used
    from then on wherever nothing else is asked for (see --tier of index).
    """
    from vidence.catalogue import pull
    from vidence.cli.progress import progress

    with progress("B") as shown:
        paths = pull(names, tier, shown)
    if as_json:
        emit({"models": [{"name": name, "path": str(path)} for name, path in paths.items()]})
        return
    for name, path in paths.items():
        click.echo(f"{name}\t{path}")


@command.command("where")
@click.argument("names", nargs=-1, metavar="[NAME]...")
@verbosity_options
def where_models(names: tuple[str, ...]) -> None:
    """Print the path of each NAME (default: all), or "-" where it is not here; fetches nothing."""
    from vidence.catalogue import entries, where

    wanted = names or [one.name for one in entries()]
    missing = False
    for name in wanted:
        path = where(name)
        missing = missing or path is None
        click.echo(f"{name}\t{path or '-'}")
    click.get_current_context().exit(1 if names and missing else 0)


def _row(row: Any) -> dict[str, Any]:
    return {
        "name": row.name,
        "title": row.title,
        "sense": row.sense,
        "tier": row.tier,
        "licence": row.licence,
        "bytes": row.bytes,
        "default": row.default,
        "path": str(row.path) if row.path else None,
    }
