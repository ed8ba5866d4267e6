"""The reports of applications, kept beside a library's other things: the newest of each application and medium."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from vidence.apps import TITLES

Format = Literal["json", "html"]


@dataclass(frozen=True, slots=True)
class Report:
    """What is told of a report without opening it. `style` and `script` are the hashes of its page's own."""

    app: str
    made: float  # seconds since 1970
    title: str
    findings: int
    summary: str
    style: str
    script: str


def place(made: Path, medium: str, app: str, ending: str) -> Path:
    """Return where a report lies: `medium` is its id, `ending` one of "json", "html" and "about"."""
    return made / f"{medium}.{app}.{ending}"


def keep(made: Path, medium: str, report: Report, texts: dict[Format, str]) -> None:
    """Keep a report; there it is once all of it has been written."""
    about = json.dumps(asdict(report), ensure_ascii=False)
    for ending, text in (*texts.items(), ("about", about)):
        whole = place(made, medium, report.app, ending)
        partial = whole.with_name(f"{whole.name}.{os.getpid()}.part")
        try:
            partial.write_text(text, encoding="utf-8")
            partial.replace(whole)
        finally:
            partial.unlink(missing_ok=True)


def kept(made: Path, medium: str, apps: Iterable[str] = TITLES) -> list[Report]:
    """Return the reports of a medium, the newest first."""
    found = []
    for app in apps:
        try:
            value: Any = json.loads(place(made, medium, app, "about").read_text(encoding="utf-8"))
            found.append(Report(**value))
        except (OSError, ValueError, TypeError):
            continue  # there is none, or a killed machine left half of one
    return sorted(found, key=lambda report: -report.made)


def forget(made: Path, medium: str, app: str) -> None:
    """Remove a report, first what says that it is there."""
    for ending in ("about", "json", "html"):
        place(made, medium, app, ending).unlink(missing_ok=True)
