"""Progress on stderr: a bar for each kind of work on a terminal, sparse lines elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from vidence.cli.console import verbosity

if TYPE_CHECKING:
    from tqdm import tqdm

    from vidence.memory import Progress
    from vidence.timeline import Span

Tell = Callable[[str, float, float | None], None]
"""Called with (what, done so far, all of it or None where unknown)."""

LINE_EVERY_S = 10.0  # without a terminal: a log should grow by a line now and then, not by a thousand


@contextmanager
def progress(unit: str = "s") -> Iterator[Tell]:
    """Yield a function that shows how far work has come; `unit` is "s" of media or "B" of a download."""
    if verbosity() < 0:
        yield _nothing
    elif sys.stderr.isatty():
        bars: dict[str, tqdm] = {}
        try:
            yield lambda what, done, total: _bar(bars, unit, what, done, total)
        finally:
            for bar in bars.values():
                bar.close()
    else:
        yield _Lines(unit)


@contextmanager
def indexing() -> Iterator[Progress]:
    """Yield what `vidence.memory.index` tells its progress to: one bar a sense, in seconds of the medium."""
    with progress("s") as tell:

        def shown(segment: Span, sense: str, done_s: float, total_s: float) -> None:
            del segment
            tell(sense, done_s, total_s)

        yield shown


def _nothing(what: str, done: float, total: float | None) -> None:
    del what, done, total


def _bar(bars: dict[str, tqdm], unit: str, what: str, done: float, total: float | None) -> None:
    if what not in bars:
        from tqdm import tqdm

        bars[what] = tqdm(
            total=total,
            desc=what,
            unit=unit,
            unit_scale=True,
            leave=False,
            dynamic_ncols=True,
            file=sys.stderr,
        )
    bar = bars[what]
    bar.total = total
    bar.update(done - bar.n)
    if total is not None and done >= total:
        bar.close()


class _Lines:
    """Prints a line when a kind of work begins to take long, then every `LINE_EVERY_S` seconds."""

    def __init__(self, unit: str) -> None:
        self.unit = unit
        self.told_at = time.monotonic()

    def __call__(self, what: str, done: float, total: float | None) -> None:
        now = time.monotonic()
        if now - self.told_at < LINE_EVERY_S:
            return
        self.told_at = now
        scale, unit = (1e6, "MB") if self.unit == "B" else (1.0, self.unit)
        amount = (
            f"{done / scale:.0f} {unit}"
            if total is None
            else f"{done / scale:.0f} of {total / scale:.0f} {unit}"
        )
        click.echo(f"{what}: {amount}", err=True)
