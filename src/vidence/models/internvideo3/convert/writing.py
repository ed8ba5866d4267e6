"""Write the converted checkpoint: a file a layer as it is fitted, the rest copied, an index, a configuration."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path

from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor

from vidence.models.internvideo3.checkpoint import INDEX
from vidence.models.internvideo3.config import InternVideo3Config, InternVideo3TextConfig
from vidence.models.internvideo3.convert.source import Source

SHARD_BYTES = 2 << 30
_WEIGHTS = (".safetensors", ".bin", ".gguf", ".pth", ".part")
_REPLACED = ("config.json", INDEX, "README.md", ".gitattributes")
_KEPT = ("input_layernorm.", "post_attention_layernorm.", "mlp.")


def shard_path(folder: Path, layer: int) -> Path:
    """Return the file of a layer."""
    return folder / f"layer-{layer:05d}.safetensors"


def write_layer(
    folder: Path, source: Source, layer: int, weights: Mapping[str, Tensor], fitted: Mapping[str, Tensor]
) -> None:
    """Write a layer under the names it will have; the file appears when it is whole."""
    kept = {name: tensor for name, tensor in weights.items() if name.startswith(_KEPT)}
    start, dtype = f"{prefix(source)}layers.{layer}.", source.dtype
    tensors = {f"{start}{name}": tensor.to(dtype) for name, tensor in (kept | dict(fitted)).items()}
    save_whole(shard_path(folder, layer), tensors)


def read_layer(folder: Path, source: Source, layer: int) -> dict[str, Tensor]:
    """Read a layer's fitted tensors back, by name within the layer."""
    start = f"{prefix(source)}layers.{layer}."
    with safe_open(shard_path(folder, layer), framework="pt") as shard:
        names = [name for name in shard.keys() if "self_attn." in name]  # noqa: SIM118
        return {name.removeprefix(start): shard.get_tensor(name).float() for name in names}


def write_rest(
    folder: Path, source: Source, config: InternVideo3Config | InternVideo3TextConfig, layers: int
) -> None:
    """Copy every other tensor and every file beside the weights, and write index and configuration."""
    where: dict[str, str] = {}
    for layer in range(layers):
        path = shard_path(folder, layer)
        with safe_open(path, framework="pt") as shard:
            where |= dict.fromkeys(shard.keys(), path.name)
    batch, size, number = dict[str, Tensor](), 0, 0

    def flush() -> None:
        nonlocal batch, size, number
        path = folder / f"other-{number:05d}.safetensors"
        save_whole(path, batch)
        where.update(dict.fromkeys(batch, path.name))
        batch, size, number = {}, 0, number + 1

    for name in source.others():
        tensor = source.tensor(name)
        if size and size + tensor.nbytes > SHARD_BYTES:
            flush()
        batch[_renamed(source, name)] = tensor
        size += tensor.nbytes
    flush()
    total = sum(path.stat().st_size for path in folder.glob("*.safetensors"))
    index = {"metadata": {"total_size": total}, "weight_map": dict(sorted(where.items()))}
    (folder / INDEX).write_text(json.dumps(index, indent=1) + "\n", encoding="utf-8")
    config.dtype = source.dtype
    config.architectures = [
        "InternVideo3ForConditionalGeneration" if source.visual else "InternVideo3ForCausalLM"
    ]
    config.save_pretrained(folder)
    for path in source.directory.iterdir():
        if path.is_file() and path.suffix not in _WEIGHTS and path.name not in _REPLACED:
            shutil.copyfile(path, folder / path.name)


def save_whole(path: Path, tensors: Mapping[str, Tensor]) -> None:
    """Write a file that appears when it is whole."""
    growing = path.with_suffix(".part")
    whole = {name: tensor.contiguous() for name, tensor in tensors.items()}
    save_file(whole, growing, metadata={"format": "pt"})
    growing.rename(path)


def tell_whole(path: Path, told: object) -> None:
    """Write JSON that appears when it is whole, so that one cut short is never read back."""
    growing = path.with_suffix(".part")
    growing.write_text(json.dumps(told), encoding="utf-8")
    growing.rename(path)


def prefix(source: Source) -> str:
    """Return how the converted decoder's tensors begin."""
    return "model.language_model." if source.visual else "model."


def _renamed(source: Source, name: str) -> str:
    if name.startswith(source.prefix) and "visual." not in name:
        return prefix(source) + name.removeprefix(source.prefix)
    if "visual." in name:
        return "model.visual." + name.split("visual.", 1)[1]
    return name
