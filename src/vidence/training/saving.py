"""Checkpoints that a run goes on from exactly, and the trained model as any user loads it.

A checkpoint is a folder `step-000100` with the shards of model and optimiser (torch.distributed.checkpoint) and one
`rank-*.json` a process for the data's position; it is named so only once it is whole.
"""

from __future__ import annotations

import json
import shutil
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch.distributed.checkpoint.state_dict import (
    StateDictOptions,
    get_model_state_dict,
    get_state_dict,
    set_state_dict,
)
from torch.distributed.checkpoint.state_dict_loader import load as load_shards
from torch.distributed.checkpoint.state_dict_saver import save as save_shards

from vidence.training.learner import Learner
from vidence.training.parallel import Processes


def save(
    folder: Path,
    step: int,
    learner: Learner,
    optimiser: torch.optim.Optimizer,
    state: dict[str, Any],
    processes: Processes,
    keep: int,
) -> None:
    """Write a checkpoint and remove all but the newest `keep`."""
    named, part = _name(folder, step), _name(folder, step).with_suffix(".part")
    if processes.leads:
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir(parents=True)
    processes.wait()
    weights, moments = get_state_dict(learner, optimiser)
    with _alone_is_meant():
        save_shards({"model": weights, "optimiser": moments}, checkpoint_id=part, no_dist=processes.alone)
    (part / f"rank-{processes.rank}.json").write_text(json.dumps(state), encoding="utf-8")
    processes.wait()
    if processes.leads:
        shutil.rmtree(named, ignore_errors=True)
        part.rename(named)
        for old in checkpoints(folder)[:-keep]:
            shutil.rmtree(old)
    processes.wait()


def checkpoints(folder: Path) -> list[Path]:
    """Return the whole checkpoints, oldest first."""
    return sorted(path for path in folder.glob("step-*") if path.suffix != ".part")


def resume(
    path: Path, learner: Learner, optimiser: torch.optim.Optimizer, processes: Processes
) -> tuple[int, list[dict[str, Any]]]:
    """Load a checkpoint, by however many processes it was written; return its step and what each of them noted."""
    weights, moments = get_state_dict(learner, optimiser)
    loaded = {"model": weights, "optimiser": moments}
    with _alone_is_meant():
        load_shards(loaded, checkpoint_id=path, no_dist=processes.alone)
    set_state_dict(learner, optimiser, model_state_dict=loaded["model"], optim_state_dict=loaded["optimiser"])
    files = sorted(path.glob("rank-*.json"), key=lambda file: int(file.stem.removeprefix("rank-")))
    return int(path.name.removeprefix("step-")), [json.loads(file.read_text("utf-8")) for file in files]


def export(folder: Path, learner: Learner, processor: Any, processes: Processes) -> None:
    """Write the model whole, with its processor, as `loading.load_model` and transformers read it."""
    options = StateDictOptions(full_state_dict=True, cpu_offload=True)
    weights = get_model_state_dict(learner, options=options)
    if processes.leads:
        named = {name.removeprefix("model."): value for name, value in weights.items()}
        part = folder.with_suffix(".part")
        shutil.rmtree(part, ignore_errors=True)
        learner.model.save_pretrained(part, state_dict=named)
        processor.save_pretrained(part)
        shutil.rmtree(folder, ignore_errors=True)
        part.rename(folder)
    processes.wait()


@contextmanager
def _alone_is_meant() -> Iterator[None]:
    """Keep torch from warning that there is one process alone."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        yield


def _name(folder: Path, step: int) -> Path:
    return folder / f"step-{step:06d}"
