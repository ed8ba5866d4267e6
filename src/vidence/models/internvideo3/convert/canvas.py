"""What the drawings of a conversion's report are drawn on: scalable, without scripts, in the page's own colours.

Every colour here is a stand-in that `svg` turns into a variable of the page's style, so that one drawing is read on
light ground and on dark. Sizes are points: a drawing is 400 wide, shown at 0.8 of that (a phone) to 1.4.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import AbstractContextManager
from io import StringIO
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

INK, FAINT, LINE = "#010101", "#010102", "#010103"
ROPE, TEXT, VISION, CONTENT = "#010104", "#010105", "#010106", "#010107"
_VARIABLES = {
    INK: "--ink",
    FAINT: "--faint",
    LINE: "--line",
    ROPE: "--rope",
    TEXT: "--text",
    VISION: "--vision",
    CONTENT: "--content",
}
WIDTH_IN = 400 / 72
DECADES = 6  # at most, below the largest value of a logarithmic axis: what is less is as good as nothing
_STYLE: dict[str, Any] = {
    "font.size": 10.5,
    "axes.labelsize": 10,
    "axes.labelpad": 6,
    "axes.labelcolor": FAINT,
    "axes.edgecolor": LINE,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.grid.axis": "y",
    "axes.axisbelow": True,
    "grid.color": LINE,
    "grid.linewidth": 0.6,
    "xtick.color": LINE,
    "ytick.color": LINE,
    "xtick.labelcolor": FAINT,
    "ytick.labelcolor": FAINT,
    "xtick.labelsize": 9.5,
    "ytick.labelsize": 9.5,
    "ytick.minor.size": 0,
    "text.color": INK,
    "legend.frameon": False,
    "legend.fontsize": 10,
    "lines.linewidth": 1.4,
    "lines.markersize": 3.2,
    "svg.fonttype": "none",  # letters, not outlines: they are read, found and copied
}


def styled() -> AbstractContextManager[None]:
    """Draw in the report's style within this."""
    import matplotlib

    return matplotlib.rc_context(_STYLE)  # type: ignore[arg-type]


def figure(panels: int, height: int) -> tuple[Figure, Sequence[Axes]]:
    """Begin a drawing of panels above one another that share their layers; `height` in points."""
    from matplotlib.figure import Figure

    begun = Figure((WIDTH_IN, height / 72), layout="constrained")
    found = begun.subplots(panels, 1, sharex=True, squeeze=False)[:, 0]
    return begun, list(found)


def finish(axes: Axes, label: str, count: int, *, along: str = "layer", last: bool = True) -> None:
    """Label a panel over so many layers (or what `along` says), its legend above it; `last`: it is the lowest."""
    from matplotlib.ticker import MaxNLocator

    axes.set_xlim(-0.6, count - 0.4)
    axes.xaxis.set_major_locator(MaxNLocator(nbins=9, integer=True, min_n_ticks=1))
    axes.set_ylabel(label)
    if last:
        axes.set_xlabel(along)
    axes.tick_params(length=0)
    handles, labels = axes.get_legend_handles_labels()
    if handles:
        axes.legend(
            handles,
            labels,
            loc="lower left",
            bbox_to_anchor=(0, 1),
            ncols=len(handles),
            borderaxespad=0.2,
            handlelength=1.2,
            columnspacing=1.4,
        )


def logarithmic(axes: Axes) -> None:
    """Scale shares by powers of ten where there is anything to scale; zeros fall below the axis."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

    values = [float(value) for line in axes.get_lines() for value in np.asarray(line.get_ydata())]
    above = [value for value in values if value > 0]
    if not above:
        return
    low, high = max(min(above) / 1.5, max(above) / 10**DECADES), max(above) * 1.5
    axes.set_yscale("log", nonpositive="clip")
    axes.set_ylim(low, high)
    axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if high < 50 * low else (1,), numticks=9))
    axes.yaxis.set_minor_locator(NullLocator())
    axes.yaxis.set_major_formatter(FuncFormatter(lambda share, _: f"{100 * share:g} %"))


def svg(drawn: Figure, name: str) -> str:
    """Write a figure so that it may stand in a page beside others: no links, names of its own, the page's colours."""
    import matplotlib

    drawn.align_ylabels()
    written = StringIO()
    with matplotlib.rc_context({"svg.hashsalt": name}):
        drawn.savefig(
            written,
            format="svg",
            transparent=True,
            metadata=dict.fromkeys(("Creator", "Date", "Format", "Type")),
        )
    text = written.getvalue()
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>|<style.*?</style>", "", text, flags=re.DOTALL)
    text = re.sub(r' (?:xmlns(?::xlink)?|width|height|version)="[^"]*"', "", text, count=5)
    text = re.sub(r'(\bid="|url\(#|xlink:href="#)', rf"\g<1>{name}-", text)
    for stand_in, variable in _VARIABLES.items():
        text = text.replace(stand_in, f"var({variable})")
    return text.replace("<svg ", '<svg aria-hidden="true" ', 1).strip()
