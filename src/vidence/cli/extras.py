"""What commands of optional parts share: the check that they are installed, and their flags."""

from __future__ import annotations

import importlib.util

import click

from vidence.errors import UsageError

PACKAGES = {
    "model": ("torch", "transformers"),
    "train": ("torch", "transformers", "pydantic", "tokenizers"),
    "chat": ("openai", "pydantic"),
    "serve": ("llguidance", "torch", "transformers", "openai"),
}

model_option = click.option(
    "--model",
    "name",
    required=True,
    metavar="DIR",
    help="Folder with an InternVideo3 model and its processor; or nano, which is built in.",
)
dtype_option = click.option(
    "--dtype",
    type=click.Choice(["auto", "bfloat16", "float32"]),
    default="auto",
    show_default=True,
    help="Numbers to compute in.",
)
device_option = click.option(
    "--device",
    default="auto",
    show_default=True,
    metavar="NAME",
    help="Where the model runs: auto (a GPU where there is one), cpu, cuda, cuda:1...",
)


def need(extra: str) -> None:
    """Check that an extra's packages are installed, and keep transformers from drawing.

    Raises:
        UsageError: naming what to install.
    """
    missing = [name for name in PACKAGES[extra] if importlib.util.find_spec(name) is None]
    if missing:
        raise UsageError(
            f"this needs {' and '.join(missing)}; install them with: pip install 'vidence[{extra}]'"
        )
    if extra == "chat":
        return
    from transformers.utils.logging import disable_progress_bar

    disable_progress_bar()  # of loading weights: commands show their own
