"""`vidence model`: facts about a model that Vidence runs itself."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from vidence.cli.console import emit
from vidence.cli.extras import device_option, need
from vidence.cli.options import json_option, verbosity_options

if TYPE_CHECKING:
    from vidence.models.internvideo3.info import ModelInfo


@click.group("model", short_help="Look at a model in a folder.")
def command() -> None:
    """Look at InternVideo3, Qwen3-VL and Qwen3 models in a folder."""


@command.command("info", short_help="Tell what a model is and costs.")
@click.argument("name", metavar="DIR")
@device_option
@json_option
@verbosity_options
def info(name: str, device: str, as_json: bool) -> None:
    """Tell a model's layout, its parameters, what a token of context costs, and how much context fits.

    Names and shapes of all weights are checked; the weights themselves are not read.
    """
    need("model")
    from vidence.models.internvideo3.info import model_info
    from vidence.models.internvideo3.room import chosen_device
    from vidence.models.shipped import model_folder

    found = model_info(model_folder(name), chosen_device(device))
    if as_json:
        emit(asdict(found))
        return
    for title, value in _lines(found):
        click.echo(f"{title:<18}{value}")


def _lines(found: ModelInfo) -> list[tuple[str, str]]:
    lines = [
        (
            "model",
            f"{found.model_type}, {found.layout} attention, {found.layers} layers, rows of {found.widest_row}",
        ),
        (
            "parameters",
            f"{found.parameters / 1e9:.3f} billion, of which {found.vision_parameters / 1e9:.3f} see; "
            f"{found.weights_bytes / 1e9:.2f} GB in 16 bits",
        ),
        ("trained context", f"{found.trained_context:,} tokens"),
        ("free memory", f"{found.free_bytes / 1e9:.1f} GB"),
    ]
    plain = found.cache_bytes_per_token["grouped-query"]
    for name, each in found.cache_bytes_per_token.items():
        share = "" if each == plain else f" ({each / plain:.0%} of grouped-query)"
        fits = found.context_that_fits[name]
        lines.append(
            (
                f"cache, {name}" if len(name) < 10 else name,
                f"{each:,} bytes a token{share}; {fits:,} tokens fit",
            )
        )
    return lines
