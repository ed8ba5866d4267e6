"""Write docs/cli.md from the commands themselves: what `--help` prints, for each command.

python docs/generate.py            # writes docs/cli.md; a test checks that the two agree
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click

from vidence.cli.group import vidence

TARGET = Path(__file__).with_name("cli.md")
WIDTH = 100

HEAD = """# Command line

Written by `make docs` from the commands themselves.

JSON goes to stdout, progress and remarks to stderr. `NO_COLOR` is respected. Times are accepted as seconds (`12.5`),
clock (`1:02:03.5`) or frame (`300f`). The codes with which a command ends are listed in [exit codes](exit-codes.md),
the JSON in [JSON output](json.md).
"""


def pages() -> str:
    """Return the whole page."""
    parts = [HEAD]
    for path, command in _walk(vidence, ("vidence",)):
        # Fixed settings: the context of a real run would wrap at the width of the terminal.
        settings = {
            "max_content_width": WIDTH,
            "terminal_width": WIDTH,
            "help_option_names": ["-h", "--help"],
        }
        context = click.Context(command, info_name=" ".join(path), **settings)
        parts.append(f"## {' '.join(path)}\n\n```text\n{command.get_help(context).rstrip()}\n```\n")
    return "\n".join(parts)


def _walk(command: click.Command, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    yield path, command
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            child = command.get_command(context, name)
            if child is not None:
                yield from _walk(child, (*path, name))


if __name__ == "__main__":
    TARGET.write_text(pages(), encoding="utf-8")
    print(f"wrote {TARGET}")
