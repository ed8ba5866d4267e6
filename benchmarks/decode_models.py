"""What benchmarks/decode.py compares: decoders of one shape with random weights, each with a cache it can fill.

B batch, S cached tokens, G key-value heads, H query heads, d head width, R latent width, P rope width.

Caches are filled with random values instead of a prefill: what a step costs does not depend on them.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.nn.attention.bias import causal_lower_right
from torch.nn.functional import scaled_dot_product_attention
from transformers import AttentionInterface
from transformers.cache_utils import Cache, DynamicCache, DynamicLayer
from transformers.models.qwen3_vl.modeling_qwen3_vl import Qwen3VLTextConfig, Qwen3VLTextModel

from vidence.models.internvideo3.config import EXACT, RELEASE, InternVideo3TextConfig
from vidence.models.internvideo3.kernels import available
from vidence.models.internvideo3.latent import LatentCache
from vidence.models.internvideo3.ledger import TEXT
from vidence.models.internvideo3.modeling import InternVideo3TextModel

DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16}
GROWING, STRONG = "GQA, growing cache", "GQA, strong"
LATENT, LATENT_8 = "M2LA 512+64, float rows", "M2LA 512+64, 8-bit rows"
GROUPED = "grouped"
STRETCH = 512  # keys of 8 heads in float32: 2 MB
ROOM = 256  # tokens a run may add


@dataclass(frozen=True, slots=True)
class Shape:
    """A decoder's size. Attention is always the 8B model's: 32 query heads on 8, 128 wide, in 4096."""

    layers: int = 36
    hidden: int = 4096
    heads: int = 32
    groups: int = 8
    head_width: int = 128
    mlp: int = 12_288
    vocabulary: int = 151_936

    def config(self) -> dict[str, Any]:
        """Return what both kinds of decoder are configured with."""
        half = self.head_width // 2
        axis = 20 * half // 64
        return {
            "hidden_size": self.hidden,
            "num_hidden_layers": self.layers,
            "num_attention_heads": self.heads,
            "num_key_value_heads": self.groups,
            "head_dim": self.head_width,
            "intermediate_size": self.mlp,
            "vocab_size": self.vocabulary,
            "max_position_embeddings": 1_048_576,
            "rope_parameters": {
                "rope_type": "default",
                "rope_theta": 5e6,
                "mrope_section": [half - 2 * axis, axis, axis],
                "mrope_interleaved": True,
            },
        }


@dataclass(frozen=True, slots=True)
class Kind:
    """One way to attend: a name, the model it needs, and a cache of that model filled to a length, with room."""

    name: str
    weights: str  # kinds with the same word share one model
    build: Callable[[Shape], torch.nn.Module]
    fill: Callable[[torch.nn.Module, int, int, int], Cache]  # model, batch, length, room beyond it
    width: tuple[int, int] | None = None  # (R, P) of a latent cache


def kinds(shape: Shape) -> list[Kind]:
    """Return every way, baselines first; latent widths are in proportion where the shape is not the 8B's."""
    part = shape.head_width * shape.groups // 64
    found = [
        Kind(GROWING, "gqa", _gqa, _growing),
        Kind(STRONG, "gqa", _gqa, _preallocated),
    ]
    for layout, rank, rope in ((EXACT, 32 * part, 4 * part), (RELEASE, 56 * part, 8 * part)):
        for storage, bits in (("float", "float"), ("int8", "8-bit")):
            found.append(
                Kind(
                    f"M2LA {rank}+{rope}, {bits} rows",
                    f"{rank}+{rope}",
                    lambda shape, layout=layout, rank=rank, rope=rope: _latent(shape, layout, rank, rope),
                    lambda model, batch, length, room, storage=storage: _rows(
                        model, batch, length, room, storage
                    ),
                    (rank, rope),
                )
            )
    return found


def built(kind: Kind, shape: Shape, dtype: str, device: torch.device) -> torch.nn.Module:
    """Build a kind's model with random weights on a device."""
    before = torch.get_default_dtype()
    torch.set_default_dtype(DTYPES[dtype])
    try:
        with device:
            return kind.build(shape).eval()
    finally:
        torch.set_default_dtype(before)


def path(kind: Kind, cache: Cache, device: torch.device) -> str:
    """Tell what attends to a cached token: torch, or the Triton kernels."""
    if kind.width is None:
        return "torch"
    rows = cache.layers[0].banks[0].slabs[0]  # type: ignore[attr-defined]
    q_BHLR = torch.empty((1, 1, 1, kind.width[0]), dtype=torch.bfloat16, device=device)
    return "triton" if available(q_BHLR, rows) else "torch"


def read_bytes(model: torch.nn.Module, cache: Cache) -> int:
    """Return the bytes that a step must read: the cache and all weights but the embedding, of which it reads a row."""
    weights = sum(weight.nbytes for weight in model.parameters())
    return cache_bytes(cache) + weights - model.embed_tokens.weight.nbytes  # type: ignore[union-attr]


def cache_bytes(cache: Cache) -> int:
    """Return the bytes that a cache's tokens take, rows and keys alone."""
    if isinstance(cache, LatentCache):
        return sum(bank.nbytes for layer in cache.layers for bank in layer.banks)  # type: ignore[attr-defined]
    return sum(layer.keys.nbytes + layer.values.nbytes for layer in cache.layers)  # type: ignore[attr-defined]


def step(model: torch.nn.Module, token_BL: Tensor, cache: Cache) -> Tensor:
    """Decode tokens as generate() does: all layers, cache extended by them."""
    strong = bool(cache.layers) and isinstance(cache.layers[0], Preallocated)
    if strong or isinstance(cache, DynamicCache):
        model.set_attn_implementation(GROUPED if strong else "sdpa")  # type: ignore[operator]
    # Of torch's ways on a GPU, flash attention is the one that splits a long cache over the whole device.
    forced = sdpa_kernel(SDPBackend.FLASH_ATTENTION) if strong and token_BL.is_cuda else nullcontext()
    with torch.no_grad(), forced:
        return model(input_ids=token_BL, past_key_values=cache, use_cache=True).last_hidden_state


class Preallocated(DynamicLayer):
    """Keys and values in memory taken once; a step writes its token in place and reads a view."""

    def __init__(self, keys_BGCd: Tensor, values_BGCd: Tensor, length: int) -> None:
        super().__init__()
        self.room, self.length = (keys_BGCd, values_BGCd), length
        self.lazy_initialization(keys_BGCd, values_BGCd)
        self.keys, self.values = (room[:, :, :length] for room in self.room)

    def update(self, key_states: Tensor, value_states: Tensor, *args: Any, **kwargs: Any) -> Any:
        """Write the new tokens and return views of all."""
        start, self.length = self.length, self.length + key_states.shape[2]
        for room, new in zip(self.room, (key_states, value_states), strict=True):
            room[:, :, start : self.length] = new
        self.keys, self.values = (room[:, :, : self.length] for room in self.room)
        return self.keys, self.values


def grouped(
    module: torch.nn.Module, query: Tensor, key: Tensor, value: Tensor, mask: Any, scaling: float, **_: Any
) -> tuple[Tensor, None]:
    """Attend without repeating keys: heads of a group are rows of one product; on a GPU, flash attention."""
    del module
    batch, heads, length, width = query.shape
    if query.is_cuda:
        bias = mask if length == 1 else causal_lower_right(length, key.shape[2])
        out = scaled_dot_product_attention(query, key, value, attn_mask=bias, scale=scaling, enable_gqa=True)
        return out.transpose(1, 2).contiguous(), None
    rows_BGNd = query.reshape(batch, key.shape[1], -1, width).float() * scaling
    if key.dtype == torch.float32:
        out_BGNd = (rows_BGNd @ key.mT).softmax(-1) @ value
    else:
        out_BGNd = _widened(rows_BGNd, key, value)
    return out_BGNd.to(query.dtype).view(batch, heads, length, width).transpose(1, 2).contiguous(), None


def _widened(rows_BGNd: Tensor, key_BGSd: Tensor, value_BGSd: Tensor) -> Tensor:
    """Attend in float32, widening stretches into one buffer: 42 ms at 32K against 326 ms of 16-bit products."""
    batch, groups, total, width = key_BGSd.shape
    buffer_BGCd = rows_BGNd.new_empty((batch, groups, STRETCH, width))
    scores_BGNS = rows_BGNd.new_empty((*rows_BGNd.shape[:3], total))
    out_BGNd = torch.zeros_like(rows_BGNd)
    for start in range(0, total, STRETCH):
        stop = min(start + STRETCH, total)
        stretch = buffer_BGCd[:, :, : stop - start].copy_(key_BGSd[:, :, start:stop])
        scores_BGNS[..., start:stop] = rows_BGNd @ stretch.mT
    shares_BGNS = scores_BGNS.softmax(-1)
    for start in range(0, total, STRETCH):
        stop = min(start + STRETCH, total)
        stretch = buffer_BGCd[:, :, : stop - start].copy_(value_BGSd[:, :, start:stop])
        out_BGNd += shares_BGNS[..., start:stop] @ stretch
    return out_BGNd


def _gqa(shape: Shape) -> torch.nn.Module:
    return Qwen3VLTextModel(Qwen3VLTextConfig(**shape.config()))


def _latent(shape: Shape, layout: str, rank: int, rope: int) -> torch.nn.Module:
    return InternVideo3TextModel(
        InternVideo3TextConfig(
            **shape.config(),
            attention_layout=layout,
            kv_lora_rank=rank,
            qk_rope_head_dim=rope,
            qk_nope_head_dim=shape.head_width,
            v_head_dim=shape.head_width,
        )
    )


def _keys(model: torch.nn.Module, batch: int, length: int) -> tuple[Tensor, Tensor]:
    config, weight = model.config, next(model.parameters())  # type: ignore[union-attr]
    size = (batch, config.num_key_value_heads, length, config.head_dim)
    return tuple(torch.empty(size, device=weight.device, dtype=weight.dtype).uniform_(-1, 1) for _ in "kv")  # type: ignore[return-value]


def _growing(model: torch.nn.Module, batch: int, length: int, room: int) -> Cache:
    del room  # it has none
    cache = DynamicCache(config=model.config)  # type: ignore[arg-type]
    for layer in range(len(cache.layers)):
        cache.layers[layer].lazy_initialization(*_keys(model, batch, 1))
        cache.layers[layer].keys, cache.layers[layer].values = _keys(model, batch, length)
    return cache


def _preallocated(model: torch.nn.Module, batch: int, length: int, room: int) -> Cache:
    layers = model.config.num_hidden_layers  # type: ignore[union-attr]
    return Cache(layers=[Preallocated(*_keys(model, batch, length + room), length) for _ in range(layers)])


def _rows(model: torch.nn.Module, batch: int, length: int, room: int, storage: str) -> Cache:
    """Fill in stretches: the values before they are stored are held in the model's dtype."""
    config, weight = model.config, next(model.parameters())
    assert isinstance(config, InternVideo3TextConfig)
    cache = LatentCache(config, storage=storage, capacity=length + room)
    like = weight.new_empty((batch, 1, 1))
    for start in range(0, length, 8192):
        size = min(8192, length - start)
        positions_BL = torch.arange(start, start + size).expand(batch, -1)
        plan = cache.begin(torch.full((batch, size), TEXT, dtype=torch.uint8), positions_BL, like)
        for layer in range(config.num_hidden_layers):
            width = config.latent_shape(layer)
            latent_BLR, rope_BLP = (
                weight.new_empty((batch, size, lanes)).uniform_(-1, 1)
                for lanes in (width.rank, width.rope_width)
            )
            cache.write(latent_BLR, rope_BLP, layer, plan)
    return cache


AttentionInterface.register(GROUPED, grouped)
