"""Write docs/cli.md from what `--help` prints of each command, and docs/training-file.md from the fields themselves.

python docs/generate.py            # a test checks that they agree
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click

from vidence.cli.group import vidence

TARGET = Path(__file__).with_name("cli.md")
FIELDS = Path(__file__).with_name("training-file.md")
WIDTH = 100

HEAD = """# Command line

Written by `make docs` from the commands themselves.

JSON goes to stdout, progress and remarks to stderr. `NO_COLOR` is respected. Times are accepted as seconds (`12.5`),
clock (`1:02:03.5`) or frame (`300f`). The codes with which a command ends are listed in [exit codes](exit-codes.md),
the JSON in [JSON output](json.md).
"""

FIELDS_HEAD = """# The training file

Written by `make docs` from the fields themselves; `vidence train --fields` prints the same. Names with `[]` are
tables that may stand several times (`[[sources]]`); a field without a default must be given.
[Training](training.md) tells the rest.

| field | is | default | means |
|---|---|---|---|"""


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


def fields() -> str:
    """Return the page of the training file."""
    from vidence.training.config import described

    rows = [
        f"| `{name}` | {kind.replace('|', 'or')} | {'' if default is None else f'`{default}`'} | {meaning} |"
        for name, kind, default, meaning in described()
    ]
    return "\n".join([FIELDS_HEAD, *rows, ""])


def _walk(command: click.Command, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    yield path, command
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            child = command.get_command(context, name)
            if child is not None:
                yield from _walk(child, (*path, name))


if __name__ == "__main__":
    for target, page in ((TARGET, pages()), (FIELDS, fields())):
        target.write_text(page, encoding="utf-8")
        print(f"wrote {target}")
