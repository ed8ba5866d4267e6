"""Keep a cache on disk: a video's prefix is encoded once, and later questions start from the file.

B batch, T tokens, W = R + P lanes. One safetensors file: every slab's rows, the ledger, the token ids.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from vidence.errors import StoreError
from vidence.models.internvideo3.config import InternVideo3TextConfig
from vidence.models.internvideo3.latent import LatentCache
from vidence.models.internvideo3.rows import Rows

FORMAT = "vidence latent cache 1"


def save_cache(cache: LatentCache, path: Path, input_ids_BT: Tensor, *, made_by: str = "") -> None:
    """Write a cache and the ids of the tokens it holds; the file appears whole or not at all.

    `made_by` names the weights; `load_cache` refuses a file that other weights wrote.

    Raises:
        StoreError: the ids are not those of the cached tokens, or the file cannot be written.
    """
    if input_ids_BT.shape != cache.ledger.kinds_BT.shape:
        raise StoreError(
            f"{path}: {tuple(input_ids_BT.shape)} token ids for a cache of {tuple(cache.ledger.kinds_BT.shape)}; "
            "pass the ids of exactly the cached tokens"
        )
    tensors = {
        "kinds": cache.ledger.kinds_BT.contiguous(),
        "positions": cache.ledger.positions_BT.contiguous(),
        "input_ids": input_ids_BT.contiguous(),
    }
    for name, slab in _slabs(cache):
        tensors[f"{name}.rows"] = slab.rows_BSW.contiguous()
        if slab.scales_BS2 is not None:
            tensors[f"{name}.scales"] = slab.scales_BS2.contiguous()
    metadata = {"format": FORMAT, "made_by": made_by, "storage": cache.storage, "shape": _shape(cache)}
    unfinished = path.with_name(path.name + ".unfinished")
    try:
        save_file(tensors, unfinished, metadata)
        os.replace(unfinished, path)
    except (SafetensorError, OSError) as error:
        unfinished.unlink(missing_ok=True)
        raise StoreError(
            f"{path}: cannot be written ({error}); free space or choose another place"
        ) from error


def load_cache(
    path: Path, config: InternVideo3TextConfig, *, device: torch.device | str = "cpu", made_by: str = ""
) -> tuple[LatentCache, Tensor]:
    """Read a cache and the ids (B, T) of the tokens that it holds; a prompt that starts with them goes on from there.

    Raises:
        StoreError: no such file, damaged, or written by a model of other shape or other weights.
    """
    try:
        with safe_open(path, framework="pt", device=str(device)) as file:
            return _read(path, file, config, made_by)
    except FileNotFoundError as error:
        raise StoreError(f"{path}: no such file") from error
    except (SafetensorError, OSError) as error:
        raise StoreError(f"{path}: damaged or no latent cache ({error}); encode the video again") from error


def _read(path: Path, file: Any, config: InternVideo3TextConfig, made_by: str) -> tuple[LatentCache, Tensor]:
    metadata = file.metadata() or {}
    if metadata.get("format") != FORMAT:
        raise StoreError(f"{path}: not a latent cache of this version ({metadata.get('format')!r})")
    if metadata["made_by"] != made_by:
        raise StoreError(
            f"{path}: written by {metadata['made_by']!r}, not {made_by!r}; encode the video again"
        )
    cache = LatentCache(config, storage=metadata["storage"])
    if metadata["shape"] != _shape(cache):
        raise StoreError(f"{path}: written by a model of another shape; encode the video again")
    names = set(file.keys())
    for index, layer in enumerate(cache.latent_layers):
        for number, bank in enumerate(layer.banks):
            slab = 0
            while (name := f"layer.{index}.bank.{number}.slab.{slab}") + ".rows" in names:
                scales = file.get_tensor(f"{name}.scales") if f"{name}.scales" in names else None
                bank.slabs.append(Rows(file.get_tensor(f"{name}.rows"), bank.latent_width, scales))
                slab += 1
    cache.adopt(file.get_tensor("kinds").cpu(), file.get_tensor("positions").cpu())
    return cache, file.get_tensor("input_ids")


def _slabs(cache: LatentCache) -> list[tuple[str, Rows]]:
    """Return the rows in use, slab by slab, under the names they are stored by."""
    named = []
    for index, layer in enumerate(cache.latent_layers):
        for number, (bank, filled) in enumerate(zip(layer.banks, cache.ledger.filled(), strict=True)):
            for slab, view in enumerate(bank.views(max(filled, default=0))):
                named.append((f"layer.{index}.bank.{number}.slab.{slab}", view))
    return named


def _shape(cache: LatentCache) -> str:
    return json.dumps({"banked": cache.ledger.banked, "layers": [asdict(shape) for shape in cache.shapes]})
