"""`vidence convert`: turn a grouped-query model into one with latent attention."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from vidence.cli.console import emit
from vidence.cli.extras import need
from vidence.cli.options import json_option, verbosity_options
from vidence.cli.progress import progress
from vidence.errors import UsageError

if TYPE_CHECKING:
    from vidence.models.internvideo3.convert.conversion import Conversion

DEFAULT_TARGET = "512+64"
_FILES = {"multiple": True, "type": click.Path(path_type=Path, dir_okay=False), "metavar": "FILE"}


@click.command("convert", short_help="Give a model latent attention.")
@click.argument("source", type=click.Path(path_type=Path, file_okay=False), metavar="SOURCE")
@click.argument("destination", type=click.Path(path_type=Path, file_okay=False), metavar="DEST")
@click.option(
    "--target",
    metavar="SIZE",
    help="Cached a token: ranks (512+64: latent and rope key), a share (28%), or bytes of all layers (41472B).  "
    f"[default: {DEFAULT_TARGET}]",
)
@click.option("--keep", type=float, metavar="SHARE", help="The same as a share of the cache: --keep 0.28.")
@click.option(
    "--calibrate",
    "calibrated",
    **_FILES,
    help="A text, image or video like those the model will meet; repeat it. Required.",
)
@click.option(
    "--measure",
    "measured",
    **_FILES,
    help="Files to measure on; by default every eighth sequence of those calibrated on, which is then held out.",
)
@click.option(
    "--length",
    type=click.IntRange(min=16),
    default=4096,
    show_default=True,
    help="Tokens a sequence: what is calibrated within a length is lost beyond it.",
)
@click.option(
    "--sequences", type=click.IntRange(min=2), default=6, show_default=True, help="At most, of each text."
)
@click.option(
    "--norm",
    type=click.Choice(["exact", "linear"]),
    default="exact",
    show_default=True,
    help="Query and key norms: kept, or replaced by a fitted linear map as in the paper.",
)
@click.option(
    "--fold",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    help="Frequencies of one axis to fold.",
)
@click.option(
    "--uniform", is_flag=True, help="Give all layers the same ranks instead of measuring their worth."
)
@click.option(
    "--compensate/--no-compensate",
    default=True,
    show_default=True,
    help="Fit each layer on what the converted layers before it give.",
)
@click.option(
    "--heal",
    type=float,
    default=0.0,
    metavar="MINUTES",
    help="Then train the attention on the source's logits.",
)
@click.option(
    "--survey",
    "surveyed",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Keep the calibration there, and find it again for another size.",
)
@json_option
@verbosity_options
def command(
    source: Path,
    destination: Path,
    target: str | None,
    keep: float | None,
    calibrated: tuple[Path, ...],
    measured: tuple[Path, ...],
    length: int,
    sequences: int,
    norm: str,
    fold: int,
    uniform: bool,
    compensate: bool,
    heal: float,
    surveyed: Path | None,
    as_json: bool,
) -> None:
    """Convert a Qwen3-VL, Qwen2.5-VL, Qwen3, Qwen2, Llama or Mistral model in SOURCE, and write it to DEST.

    A calibration pass finds which parts of the keys must stay positional and how keys and values fit into one latent;
    layers get their share of the cache by what errors in them cost. DEST is loaded as any model here. Beside the
    weights lie conversion.json, with all that is needed to repeat it, and conversion.html, with what was lost.

    One layer is in memory at a time. Stopped at any moment, the same command goes on where it was.

    \b
    vidence convert qwen3-vl-8b latent-8b --calibrate talk.mp4 --calibrate notes.txt
    vidence convert qwen3-vl-8b half-8b --keep 0.5 --calibrate talk.mp4 --calibrate notes.txt
    """
    need("model")
    from vidence.models.internvideo3.convert.budget import parse_target
    from vidence.models.internvideo3.convert.conversion import convert
    from vidence.models.internvideo3.convert.recipe import Recipe
    from vidence.models.internvideo3.convert.samples import read_corpus
    from vidence.models.internvideo3.convert.source import open_source

    wanted = _target(target, keep)
    opened = open_source(source)
    shape = opened.text
    size = parse_target(
        wanted, layers=shape.num_hidden_layers, groups=shape.key_value_heads, width=shape.head_dim
    )
    recipe = Recipe(
        norm=norm, fold=fold, allocate="uniform" if uniform else "measured", compensate=compensate
    )
    corpus = read_corpus(opened, calibrated, length=length, limit=sequences)
    if measured:
        held_out = read_corpus(opened, measured, length=length, limit=sequences)
    else:
        corpus, held_out = corpus.held_out()
    everything = read_corpus(opened, calibrated, length=length, limit=10**9) if heal else corpus
    with progress("layers") as tell:
        done = convert(
            opened,
            destination,
            size,
            corpus,
            held_out,
            recipe=recipe,
            heal_seconds=60 * heal,
            heal_on=everything.without(held_out),
            surveyed=surveyed,
            tell=tell,
        )
    if as_json:
        emit(done.record)
        return
    for name, value in _lines(done):
        click.echo(f"{name:<18}{value}")


def _target(target: str | None, keep: float | None) -> str:
    if target is not None and keep is not None:
        raise UsageError("--target and --keep say the same thing; give one of them")
    if keep is not None:
        if not 0 < keep <= 1:
            raise UsageError(f"--keep {keep}: a share is above 0 and at most 1")
        return f"{keep:.6f}"
    return target or DEFAULT_TARGET


def _lines(done: Conversion) -> list[tuple[str, str]]:
    sizes, measured = done.record["target"], done.measured
    before, after = (2 * sizes[name] for name in ("lanes_before", "lanes_text"))
    lines = [("written to", str(done.folder))]
    lines.append(("cache", f"{after:,} bytes a token in 16 bits, {after / before:.0%} of {before:,}"))
    if sizes["lanes_vision"] != sizes["lanes_text"]:
        lines.append(("cache, vision", f"{2 * sizes['lanes_vision']:,} bytes a token"))
    ratio = measured.perplexity_after / measured.perplexity_before
    lines.append(
        (
            "perplexity",
            f"{measured.perplexity_before:.2f} before, {measured.perplexity_after:.2f} after ({ratio:.3f} times)",
        )
    )
    for modality, agreement in measured.agreement.items():
        lines.append(
            (
                f"{modality} tokens",
                f"{agreement.nats:.3f} nats apart, likeliest token the same in {agreement.top1:.1%}",
            )
        )
    if done.healed:
        lines.append(("healed", f"{done.healed.steps:,} steps in {done.healed.seconds:,.0f} s"))
    lines.append(("measured on", f"{measured.tokens:,} tokens that were not calibrated on"))
    lines.append(("report", str(done.folder / "conversion.html")))
    return lines
