"""The drawings of a conversion's report: what is cached, kept, lost and measured, layer by layer."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from vidence.models.internvideo3.convert import canvas

if TYPE_CHECKING:
    from matplotlib.figure import Figure

BUCKETS = 100  # of steps of training, each drawn as its mean
MODALITIES = {"text": (canvas.TEXT, "o", "-"), "vision": (canvas.VISION, "s", "--")}


@dataclass(frozen=True, slots=True)
class Plot:
    """One drawing as SVG to stand in a page, what it is called, and one sentence on what is seen."""

    title: str
    svg: str
    caption: str


def plots(record: Mapping[str, Any]) -> list[Plot]:
    """Draw what a conversion's record tells by layer."""
    drawn = (_lanes, _worth, _losses, _errors, _frequencies, _norms, _healing)
    with canvas.styled():
        found = [draw(record) for draw in drawn]
    return [plot for plot in found if plot is not None]


def differ(record: Mapping[str, Any]) -> bool:
    """Tell whether rows of text and vision differ in width in some layer."""
    return any(layer["text_rank"] != layer["vision_rank"] for layer in record["layers"])


def _lanes(record: Mapping[str, Any]) -> Plot:
    beside_worth = bool((record.get("worth_nats") or {}).get("whole"))
    figure, (axes,) = canvas.figure(1, 225 if beside_worth else 310)  # as tall as its neighbour on the page
    layers, apart = record["layers"], differ(record)
    rope = [2 * layer["pairs"] for layer in layers]
    ranks = {"text": canvas.TEXT, "vision": canvas.VISION} if apart else {"text": canvas.TEXT}
    width = 0.8 / len(ranks)
    for at, (name, colour) in enumerate(ranks.items()):
        x = [layer + (at - (len(ranks) - 1) / 2) * width for layer in range(len(layers))]
        rank = [layer[f"{name}_rank"] for layer in layers]
        axes.bar(x, rope, 0.92 * width, color=canvas.ROPE, label=None if at else "rope key")
        axes.bar(
            x, rank, 0.92 * width, rope, color=colour, label=f"latent, {name}" if apart else "latent rank"
        )
    canvas.finish(axes, "lanes a token", len(layers))
    total = [one + layer["text_rank"] for one, layer in zip(rope, layers, strict=True)]
    most, least = total.index(max(total)), total.index(min(total))
    whose = "a text token" if apart else "a token"
    span = f"from {min(total)} lanes (layer {least}) to {max(total)} (layer {most})"
    beside = "; the right bar of each layer is a vision token's" if apart else ""
    return Plot(
        "Where the cache goes",
        canvas.svg(figure, "lanes"),
        f"What {whose} takes in each layer: {span}{beside}.",
    )


def _worth(record: Mapping[str, Any]) -> Plot | None:
    worth = record.get("worth_nats") or {}
    positional, whole = worth.get("positional"), worth.get("whole")
    if not positional or not whole:
        return None
    figure, (axes,) = canvas.figure(1, 225)
    layers = range(len(whole))
    for values, width, colour, label in (
        (whole, 0.8, canvas.CONTENT, "all that the reference size loses"),
        (positional, 0.36, canvas.ROPE, "rotation alone"),
    ):
        axes.bar(layers, [1000 * value for value in values], width, color=colour, label=label)
    canvas.finish(axes, "divergence, 0.001 nats a token", len(whole))
    most = max(layers, key=whole.__getitem__)
    caption = (
        "How far the model's output moves when one layer alone is converted, each at the same reference size: "
        f"layer {most} matters most, with {whole[most]:.2g} nats."
    )
    return Plot("What each layer is worth", canvas.svg(figure, "worth"), caption)


def _losses(record: Mapping[str, Any]) -> Plot:
    figure, (kept, lost) = canvas.figure(2, 310)
    errors = [layer["errors"] for layer in record["layers"]]
    energy = [100 * one["kept_energy"] for one in errors]
    kept.plot(energy, "o-", color=canvas.TEXT, clip_on=False)
    kept.margins(y=0.15)
    canvas.finish(kept, "energy kept, %", len(errors), last=False)
    for name, colour, mark in (("positional", canvas.ROPE, "o-"), ("content", canvas.CONTENT, "s-")):
        label = {"positional": "lost with rotation", "content": "lost with directions"}[name]
        lost.plot([one[name] for one in errors], mark, color=colour, label=label)
    canvas.logarithmic(lost)
    canvas.finish(lost, "share of output's energy", len(errors))
    least = min(range(len(energy)), key=energy.__getitem__)
    caption = (
        f"The latent keeps at least {energy[least]:.1f} % of the content's weighed energy (layer {least}); below, what "
        "the fit itself expects each layer's attention output to lose, as a share of its energy."
    )
    return Plot("What the fit keeps and loses", canvas.svg(figure, "losses"), caption)


def _errors(record: Mapping[str, Any]) -> Plot:
    layers = record["measured"]["layers"]
    figure = _by_modality({"own output": "output", "stream": "stream"}, layers)
    ends = [
        f"{100 * value:.2g} % of {name}" for name, value in layers[-1]["stream"].items() if name in MODALITIES
    ]
    caption = (
        "Energy of the error on held-out tokens: of each layer's attention alone, and of the stream with all layers up "
        f"to there converted, which ends at {' and '.join(ends)}."
    )
    return Plot("What was measured layer by layer", canvas.svg(figure, "errors"), caption)


def _by_modality(panels: Mapping[str, str], layers: Sequence[Mapping[str, Any] | None]) -> Figure:
    """Draw errors of text and vision, a panel for each label and what it is called in every layer's record."""
    figure, drawn = canvas.figure(len(panels), 310)
    for at, (axes, (label, kind)) in enumerate(zip(drawn, panels.items(), strict=True)):
        for name, (colour, mark, line) in MODALITIES.items():
            values = [math.nan if layer is None else layer[kind].get(name, math.nan) for layer in layers]
            if not all(map(math.isnan, values)):
                axes.plot(values, mark + line, color=colour, label=None if at else name)
        canvas.logarithmic(axes)
        canvas.finish(axes, f"error energy, {label}", len(layers), last=at == len(panels) - 1)
    return figure


def _frequencies(record: Mapping[str, Any]) -> Plot:
    from matplotlib.patches import PathPatch
    from matplotlib.path import Path as Outline
    from matplotlib.ticker import MaxNLocator

    figure, (axes,) = canvas.figure(1, 310)
    layers = record["layers"]
    pairs = Counter((at, one) for at, layer in enumerate(layers) for one in layer["frequencies"])
    most = max(pairs.values())
    counts = sorted(set(pairs.values()))
    told = counts[:: -(-len(counts) // 8)]  # no more fit beside one another
    for count in counts:
        corners = [(-0.44, -0.44), (0.44, -0.44), (0.44, 0.44), (-0.44, 0.44), (-0.44, -0.44)]
        cells = [
            Outline([(layer + x, frequency + y) for x, y in corners], closed=True)
            for (layer, frequency), found in sorted(pairs.items())
            if found == count
        ]
        outline = Outline.make_compound_path(*cells)
        label = (f"{count} pair" if count == 1 else f"{count}") if count in told else None
        axes.add_patch(
            PathPatch(
                outline,
                facecolor=canvas.ROPE,
                linewidth=0,
                alpha=1 - 0.8 * (most - count) / most,
                label=label,
            )
        )
    last = max(frequency for _, frequency in pairs)
    axes.set_ylim(last + 0.6, -0.6)
    axes.yaxis.set_major_locator(MaxNLocator(nbins=8, integer=True, min_n_ticks=1))
    axes.grid(False)
    canvas.finish(axes, "frequency (0 turns fastest)", len(layers))
    by_frequency = Counter(frequency for layer in layers for frequency in layer["frequencies"])
    (chosen, times), total = by_frequency.most_common(1)[0], sum(pairs.values())
    caption = (
        f"Where positions are still told by rotation: {total:,} pairs in {len(layers)} layers, most often at frequency "
        f"{chosen} ({times} pairs), at the slowest at {last}."
    )
    return Plot("Which frequencies stay positional", canvas.svg(figure, "frequencies"), caption)


def _norms(record: Mapping[str, Any]) -> Plot | None:
    found = record.get("norm_substitute_error") or []
    if not any(found):
        return None
    figure = _by_modality({"queries": "queries", "keys": "keys"}, found)
    if record["recipe"].get("norm") == "linear":
        title, caption = "What replacing the norms misses", "stand for the norms of queries and keys miss"
    else:
        title, caption = (
            "What replacing the norms would miss",
            "could stand for the norms kept here would miss",
        )
    caption = f"What the affine maps that {caption} of each layer's normed heads, as a share of energy."
    return Plot(title, canvas.svg(figure, "norms"), caption)


def _healing(record: Mapping[str, Any]) -> Plot | None:
    healing = record.get("healing") or {}
    nats = healing.get("nats")
    if not nats:
        return None
    figure, (axes,) = canvas.figure(1, 310)
    each = -(-len(nats) // BUCKETS)
    parts = [nats[at : at + each] for at in range(0, len(nats), each)]
    means = [sum(part) / len(part) for part in parts]
    axes.plot([at * each + (len(part) - 1) / 2 for at, part in enumerate(parts)], means, color=canvas.TEXT)
    axes.set_ylim(0, 1.08 * max(means) or 1)
    canvas.finish(axes, "divergence, nats a token", len(nats), along="step")
    tenth = max(len(nats) // 10, 1)
    first, last = (sum(part) / tenth for part in (nats[:tenth], nats[-tenth:]))
    caption = (
        f"Divergence from the source while the converted attention was trained, {len(nats):,} steps on "
        f"{healing['tokens']:,} tokens in {healing['seconds']:,.0f} s: {first:.2g} nats over the first tenth, "
        f"{last:.2g} over the last."
    )
    return Plot("What healing gained", canvas.svg(figure, "healing"), caption)
