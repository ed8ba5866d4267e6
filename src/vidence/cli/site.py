"""What the commands that serve share: which library, what is perceived, and a model that may decide."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from vidence.errors import UsageError

if TYPE_CHECKING:
    from vidence.serving.site import Model

library_option = click.option(
    "--library",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Folder of the videos and of what is known of them. Default: your own memory, as of `vidence index`.",
)
senses_option = click.option(
    "--senses", metavar="LIST", help="What is perceived of new videos, by comma. Default: all."
)
api_base_option = click.option(
    "--api-base",
    metavar="URL",
    help="An OpenAI-compatible endpoint whose --model may decide; its key is $OPENAI_API_KEY.",
)


def checked_senses(text: str | None) -> tuple[str, ...] | None:
    """Read names by comma.

    Raises:
        UsageError: there is no such sense.
    """
    from vidence.cli.opening import split_names
    from vidence.senses import default_senses

    names = split_names(text)
    if names is None:
        return None
    default_senses(names)
    return tuple(names)


def outside_models(model: str | None, api_base: str | None) -> tuple[Model, ...]:
    """Return the model of an endpoint, where one is named.

    Raises:
        UsageError: the endpoint is named without its model.
    """
    from vidence.cli.extras import need
    from vidence.serving.site import Model

    if api_base is None:
        return ()
    if model is None:
        raise UsageError("--api-base needs --model NAME, as its server calls it")
    need("chat")
    return (Model(model, api_base.rstrip("/"), os.environ.get("OPENAI_API_KEY", "none")),)
