"""Fill a template into one HTML page that asks nothing of any other place and runs no script but its own."""

from __future__ import annotations

import base64
import hashlib
from fractions import Fraction
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any

from vidence.timeline import Instant, Span, clock

if TYPE_CHECKING:
    from jinja2 import Environment

NICE_STEPS_S = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200)
MOST_TICKS = 10


def fill(
    template: str, whole: Span, *, styles: tuple[str, ...], scripts: tuple[str, ...], **values: Any
) -> str:
    """Return a page; all values are escaped. Names are of files within the package, such as "exports/report/report.js".

    A template finds `style`, `script`, their hashes and `version`, the `ticks` of the ruler over `whole`, and the
    functions `percent` and `width` that place a time and a span on it.
    """
    style, script = joined(styles), joined(scripts)

    def percent(time: Instant) -> str:
        share = (time - whole.start) / whole.duration if whole.duration else Fraction(0)
        return f"{float(min(max(share, Fraction(0)), Fraction(1))) * 100:.4f}%"

    def width(span: Span) -> str:
        return f"{float(span.clipped(whole).duration / whole.duration) * 100 if whole.duration else 100:.4f}%"

    return (
        _environment()
        .get_template(template)
        .render(
            style=style,
            style_hash=hash_of(style),
            script=script,
            script_hash=hash_of(script),
            percent=percent,
            width=width,
            ticks=_ticks(whole),
            version=_version(),
            **values,
        )
    )


def joined(names: tuple[str, ...]) -> str:
    """Read files of the package as one."""
    return "\n".join(part(name) for name in names)


def hash_of(text: str) -> str:
    """Return the hash by which a content security policy names a script or style."""
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode('ascii')}"


def part(name: str) -> str:
    """Read a file of the package."""
    return resources.files("vidence").joinpath(name).read_text(encoding="utf-8")


def _ticks(whole: Span) -> list[Instant]:
    """Choose round times, at most `MOST_TICKS`; none so near to the end that its figures would stand beyond it."""
    step = next((step for step in NICE_STEPS_S if whole.duration / step <= MOST_TICKS), NICE_STEPS_S[-1])
    first = -(-whole.start // step)
    last = whole.end // step
    ticks = [Fraction(number * step) for number in range(int(first), int(last) + 1)]
    return [tick for tick in ticks if tick <= whole.end - whole.duration / 20 or tick == whole.start]


@cache
def _environment() -> Environment:
    from jinja2 import Environment, FunctionLoader, StrictUndefined

    environment = Environment(
        loader=FunctionLoader(part),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["clock"] = clock
    environment.filters["seconds"] = lambda time: f"{float(time):.3f}"
    return environment


def _version() -> str:
    from vidence import __version__

    return __version__
