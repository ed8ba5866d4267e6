"""`vidence train`: one of the four training stages, as a file says."""

from __future__ import annotations

import os
from pathlib import Path

import click

from vidence.cli.console import emit
from vidence.cli.extras import need
from vidence.cli.options import json_option, verbosity_options
from vidence.cli.progress import progress
from vidence.errors import UsageError

STAGES = ("pretrain", "finetune", "reinforce", "distill")


@click.command("train", short_help="Train a model: one of four stages.")
@click.argument("stage", type=click.Choice(STAGES), metavar="STAGE", required=False)
@click.option(
    "--config",
    "path",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="What to train, on what, and how (TOML).",
)
@click.option(
    "--set",
    "changes",
    multiple=True,
    metavar="KEY=VALUE",
    help="Change a value of the file, as seed=1 or phases.0.steps=50; repeat it.",
)
@click.option("--fields", is_flag=True, help="List every field of the file, what it means and its default.")
@json_option
@verbosity_options
def command(
    stage: str | None, path: Path | None, changes: tuple[str, ...], fields: bool, as_json: bool
) -> None:
    """Run a stage: pretrain, finetune, reinforce or distill.

    Weights, checkpoints, log.jsonl and TensorBoard's files go to the folder that the file names as `out`; the trained
    model lies in its `model`. Stopped at any moment, the same command goes on from the last checkpoint.

    Several processes share the work where torchrun starts them.

    \b
    vidence train finetune --config finetune.toml
    vidence train finetune --config finetune.toml --set seed=1 --set phases.0.steps=50
    torchrun --nproc-per-node 8 -m vidence train reinforce --config reinforce.toml
    """
    need("train")
    from vidence.training.config import described, read_config

    if fields:
        for name, kind, default, meaning in described():
            click.echo(f"{name}  ({kind}{'' if default is None else f', default {default}'})\n    {meaning}")
        return
    if stage is None or path is None:
        raise UsageError(
            f"name a stage ({', '.join(STAGES)}) and a file: vidence train finetune --config FILE"
        )
    from vidence.training.loop import train

    config = read_config(path, changes)
    with progress("steps") as tell:
        leads = os.environ.get("RANK", "0") == "0"
        measured = train(stage, config, tell=tell if leads else lambda *_: None)
    if not leads:
        return
    if as_json:
        emit({"out": str(config.out), "measured": measured})
        return
    click.echo(f"{'trained':<28}{config.out / 'model'}")
    for name, value in measured.items():
        click.echo(f"{name.replace('_', ' '):<28}{value:.4f}")
