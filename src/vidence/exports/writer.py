"""The registry of writers: a format's name, and the function that turns observations into its text."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from vidence.errors import UsageError
from vidence.exports.plain import to_csv, to_txt
from vidence.exports.records import to_json
from vidence.exports.subtitles import to_srt, to_vtt
from vidence.senses.observation import Observation

Writer = Callable[[Sequence[Observation]], str]
"""Turns observations, in time order, into the text of a file."""

FORMATS: dict[str, Writer] = {"srt": to_srt, "vtt": to_vtt, "json": to_json, "txt": to_txt, "csv": to_csv}


def write(observations: Sequence[Observation], name: str) -> str:
    """Return `observations` as the text of a file in format `name`, ending in a newline.

    Raises:
        UsageError: no such format.
    """
    (known,) = parse_formats([name])
    return FORMATS[known](observations)


def parse_formats(values: Iterable[str]) -> list[str]:
    """Read repeated or comma-separated format names ("srt,vtt", "all"), each once, in the order given.

    Raises:
        UsageError: a name is no format; the message lists those that are.
    """
    names = [part.strip().lower() for value in values for part in value.split(",") if part.strip()]
    if "all" in names:
        return list(FORMATS)
    for name in names:
        if name not in FORMATS:
            raise UsageError(f"unknown format {name!r}; choose from {', '.join(FORMATS)} or all")
    return list(dict.fromkeys(names))
