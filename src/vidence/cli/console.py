"""What reaches the terminal: lines and JSON on stdout, complaints on stderr, control codes removed."""

from __future__ import annotations

import os
import textwrap
from collections.abc import Mapping
from typing import Any

import click

WIDTH = 80


def clean(text: str) -> str:
    """Drop control codes and overrides of direction: what a video says must not steer the terminal."""
    from vidence.printable import printable

    return printable(text, directions=False)


def say(text: str = "", *, indent: int = 0, hang: int = 0, **style: Any) -> None:
    """Print a paragraph on stdout, wrapped at `WIDTH` columns; later lines are indented by `hang` more."""
    lines = textwrap.wrap(
        clean(text),
        WIDTH,
        initial_indent=" " * indent,
        subsequent_indent=" " * (indent + hang),
        break_on_hyphens=False,
    )
    click.echo(paint("\n".join(lines), **style) if style else "\n".join(lines))


def paint(text: str, **style: Any) -> str:
    """Clean `text` and colour it unless NO_COLOR is set; click drops colour where stdout is no terminal."""
    plain = clean(text)
    return plain if os.environ.get("NO_COLOR") else click.style(plain, **style)


def emit(value: Mapping[str, Any] | list[Any]) -> None:
    """Print one JSON document on stdout."""
    from vidence.printable import to_json_text

    click.echo(to_json_text(value))


def complain(message: str) -> None:
    """Print one error line on stderr."""
    click.echo(f"vidence: {clean(message)}", err=True)


def note(message: str) -> None:
    """Print one remark on stderr unless --quiet."""
    if verbosity() >= 0:
        click.echo(clean(message), err=True)


def verbosity() -> int:
    """Return -1 for --quiet, 0, or the number of times --verbose was given."""
    context = click.get_current_context(silent=True)
    return context.find_root().meta.get("vidence.verbosity", 0) if context else 0
