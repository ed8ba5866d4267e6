"""Check weight files against a model before they are loaded: every tensor there, none besides, each of its shape."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from transformers import PreTrainedConfig, PreTrainedModel

from vidence.errors import WeightsError

INDEX, SINGLE = "model.safetensors.index.json", "model.safetensors"
SHOWN = 5  # names of tensors that a message lists before it only counts

Shapes = Mapping[str, tuple[int, ...]]


def stored_shapes(directory: Path) -> dict[str, tuple[int, ...]]:
    """Read the names and shapes of all tensors in a directory, from the headers of its files.

    Raises:
        WeightsError: no weights, a missing or truncated file, or an index that does not tell the truth.
    """
    found: dict[str, tuple[int, ...]] = {}
    for shard, promised in _shards(directory).items():
        shapes = _shard_shapes(directory / shard)
        absent = sorted(promised - shapes.keys())
        if absent:
            raise WeightsError(
                f"{directory / shard}: {INDEX} says it holds {_some(absent)}, but it does not; copy both again"
            )
        found.update(shapes)
    return found


def expected_shapes(
    model_class: type[PreTrainedModel], config: PreTrainedConfig
) -> tuple[dict[str, tuple[int, ...]], set[str]]:
    """Return what a model of this configuration wants, and the names that another tensor may stand in for."""
    with torch.device("meta"):
        model = model_class(config)  # type: ignore[arg-type]
    shapes = {name: tuple(tensor.shape) for name, tensor in model.state_dict().items()}
    return shapes, set(model.all_tied_weights_keys)


def check(directory: Path, model_class: type[PreTrainedModel], config: PreTrainedConfig) -> None:
    """Compare the weights in a directory with what the model wants.

    Raises:
        WeightsError: naming tensors that are missing, superfluous or of another shape, or the file that is damaged.
    """
    stored = stored_shapes(directory)
    wanted, tied = expected_shapes(model_class, config)
    faults = []
    missing = sorted(wanted.keys() - stored.keys() - tied)
    if missing:
        faults.append(f"missing: {_some(missing)}")
    extra = sorted(stored.keys() - wanted.keys())
    if extra:
        faults.append(f"not of this model: {_some(extra)}")
    wrong = [
        f"{name} is {_shape(stored[name])}, not {_shape(wanted[name])}"
        for name in sorted(wanted.keys() & stored.keys())
        if stored[name] != wanted[name]
    ]
    if wrong:
        faults.append(f"misshapen: {_some(wrong)}")
    if faults:
        raise WeightsError(
            f"{directory}: the weights are not those of {model_class.__name__} as config.json describes it; "
            f"{'; '.join(faults)}"
        )


def _shards(directory: Path) -> dict[str, set[str]]:
    index = directory / INDEX
    if index.is_file():
        try:
            weight_map = json.loads(index.read_text(encoding="utf-8"))["weight_map"]
            shards = {shard: set[str]() for shard in weight_map.values()}
            for name, shard in weight_map.items():
                shards[shard].add(name)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise WeightsError(f"{index}: not an index of weights ({error}); copy it again") from error
        return shards
    if not (directory / SINGLE).is_file():
        raise WeightsError(f"{directory}: holds neither {SINGLE} nor {INDEX}; give a folder with a model")
    return {SINGLE: set()}


def _shard_shapes(path: Path) -> dict[str, tuple[int, ...]]:
    try:
        with safe_open(path, framework="pt") as shard:
            return {name: tuple(shard.get_slice(name).get_shape()) for name in shard.keys()}  # noqa: SIM118
    except FileNotFoundError as error:
        raise WeightsError(f"{path}: missing, though {INDEX} names it; copy it again") from error
    except (SafetensorError, OSError) as error:
        raise WeightsError(f"{path}: damaged or incomplete ({error}); copy it again") from error


def _some(names: Iterable[str]) -> str:
    listed = list(names)
    more = f" and {len(listed) - SHOWN} more" if len(listed) > SHOWN else ""
    return ", ".join(listed[:SHOWN]) + more


def _shape(shape: tuple[int, ...]) -> str:
    return "x".join(map(str, shape)) or "a scalar"
