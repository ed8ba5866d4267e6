"""`vidence token`: make a token for a server."""

from __future__ import annotations

from pathlib import Path

import click

from vidence.cli.console import note
from vidence.cli.options import verbosity_options


@click.command("token", short_help="Make a token for a server.")
@click.argument("name")
@click.option(
    "--tokens",
    "file",
    type=click.Path(path_type=Path, dir_okay=False),
    default=Path("tokens.txt"),
    show_default=True,
    metavar="FILE",
    help="Where the name and the token's SHA-256 are added.",
)
@verbosity_options
def command(name: str, file: Path) -> None:
    """Make a token for NAME and print it: nobody can read it again.

    A server started with --tokens FILE lets its bearer in, to a library of its own. Whoever's line is taken out of the
    file is let in no longer; the server need not be started again.

    \b
    vidence token anna --tokens tokens.txt
    """
    from vidence.serving.guarding.tokens import make_token

    token = make_token(name, file)
    note(f"{name} is in {file}; the token, which nobody can read again, is:")
    click.echo(token)
