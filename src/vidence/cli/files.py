"""Put results where the user asked: stdout, a file, or a folder with one file a format."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from vidence.cli.console import note
from vidence.errors import UsageError
from vidence.exports import parse_formats, write
from vidence.senses.observation import Observation


def plan(source: str, formats: Sequence[str], output: Path | None) -> dict[str, Path | None]:
    """Decide the place of each format (None: stdout), before any work is done.

    Raises:
        UsageError: several formats would land in one place, or a format is unknown.
    """
    names = parse_formats(formats)
    if output is None or str(output) == "-":
        if len(names) > 1:
            raise UsageError(
                f"{len(names)} formats cannot share stdout; give a folder with -o, or one format with -f"
            )
        return {names[0]: None}
    if output.is_dir() or len(names) > 1 or str(output).endswith("/"):
        if output.is_file():
            raise UsageError(f"-o {output} is a file, but {len(names)} formats need a folder")
        stem = Path(source).stem or "video"
        return {name: output / f"{stem}.{name}" for name in names}
    return {names[0]: output}


def deliver(observations: Sequence[Observation], places: dict[str, Path | None]) -> None:
    """Write `observations` to every place of the plan.

    Raises:
        UsageError: a place cannot be written.
    """
    for name, place in places.items():
        text = write(observations, name)
        if place is None:
            click.echo(text, nl=False)
        else:
            save(place, text)


def save(place: Path, text: str) -> None:
    """Write a text file whole or not at all, making its folder.

    Raises:
        UsageError: it cannot be written there.
    """
    save_bytes(place, text.encode("utf-8"))


def save_bytes(place: Path, data: bytes) -> None:
    """Write a file whole or not at all, making its folder.

    Raises:
        UsageError: it cannot be written there.
    """
    partial = place.with_name(f".{place.name}.partial")
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        partial.write_bytes(data)
        partial.replace(place)
    except OSError as error:
        partial.unlink(missing_ok=True) if partial.parent.is_dir() else None
        raise UsageError(f"cannot write -o {place}: {error.strerror or error}") from error
    note(f"wrote {place}")
