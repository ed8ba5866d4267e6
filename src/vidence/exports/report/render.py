"""Fill the template: one HTML page that asks nothing of any other place."""

from __future__ import annotations

import base64
import hashlib
from fractions import Fraction
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING

from vidence.exports.report.page import Page
from vidence.timeline import Instant, Span, clock

if TYPE_CHECKING:
    from jinja2 import Template

NICE_STEPS_S = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200)
MOST_TICKS = 10


def render(page: Page) -> str:
    """Return the report as HTML; all that comes from the video is escaped, and no script in it can run."""
    script = _part("report.js")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode("ascii")
    whole = page.info.span

    def percent(time: Instant) -> str:
        share = (time - whole.start) / whole.duration if whole.duration else Fraction(0)
        return f"{float(min(max(share, Fraction(0)), Fraction(1))) * 100:.4f}%"

    def width(span: Span) -> str:
        return f"{float(span.clipped(whole).duration / whole.duration) * 100 if whole.duration else 100:.4f}%"

    return _template().render(
        page=page,
        style=_part("report.css"),
        script=script,
        script_hash=f"sha256-{digest}",
        percent=percent,
        width=width,
        ticks=_ticks(whole),
        version=_version(),
    )


def _ticks(whole: Span) -> list[Instant]:
    """Choose round times, at most `MOST_TICKS`."""
    step = next((step for step in NICE_STEPS_S if whole.duration / step <= MOST_TICKS), NICE_STEPS_S[-1])
    first = -(-whole.start // step)
    last = whole.end // step
    return [Fraction(number * step) for number in range(int(first), int(last) + 1)]


@cache
def _template() -> Template:
    from jinja2 import Environment, StrictUndefined

    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["clock"] = clock
    environment.filters["seconds"] = lambda time: f"{float(time):.3f}"
    return environment.from_string(_part("report.html.j2"))


def _part(name: str) -> str:
    return resources.files("vidence.exports.report").joinpath(name).read_text(encoding="utf-8")


def _version() -> str:
    from vidence import __version__

    return __version__
