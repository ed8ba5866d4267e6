"""Fit one layer: from its moments and a share of the cache to the tensors of latent attention.

H query heads, G key-value heads, d head width, F = d / 2 frequencies, J pairs, W folded frequencies, R latent width,
z = 2 G d lanes of [all keys | all values], D hidden width.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor

from vidence.models.internvideo3.convert.balance import weights
from vidence.models.internvideo3.convert.budget import Ranks
from vidence.models.internvideo3.convert.factor import Basis, Factors, basis, factors
from vidence.models.internvideo3.convert.moments import Moments
from vidence.models.internvideo3.convert.positional import Candidates, Positional, candidates, folds_of
from vidence.models.internvideo3.convert.recipe import Recipe
from vidence.models.internvideo3.convert.source import Layer, Source


@dataclass(frozen=True, slots=True)
class Errors:
    """What a layer's fit loses, as shares of its attention output's energy, by the model of `balance`.

    kept_energy: of the content's weighed energy, what the latent keeps. positional: lost with the rotation of pairs
    that are not kept. content: lost with the directions that are not kept.
    """

    kept_energy: float
    positional: float
    content: float


@dataclass(frozen=True, slots=True)
class Fit:
    """One converted layer's attention: the shape of its rows, and what it lost by its own account.

    normed and biased: whether queries and keys are normed, and projected with biases.
    """

    ranks: Ranks
    frequencies: tuple[int, ...]
    sources: tuple[tuple[int, ...], ...]
    normed: bool
    biased: bool
    errors: Errors

    def to_json(self) -> dict[str, Any]:
        """Write as dictionaries."""
        return asdict(self)

    @classmethod
    def from_json(cls, told: Mapping[str, Any]) -> Fit:
        """Read what `to_json` wrote."""
        shape = {
            "ranks": Ranks(**told["ranks"]),
            "frequencies": tuple(told["frequencies"]),
            "sources": tuple(tuple(pair) for pair in told["sources"]),
            "errors": Errors(**told["errors"]),
        }
        return cls(**{**told, **shape})


def find_candidates(source: Source, moments: Moments, layer: Layer, recipe: Recipe) -> Candidates:
    """Find what may be kept positional in a layer."""
    axes = source.text.rope_axes
    folds = folds_of(axes, recipe.fold)
    return candidates(moments, layer, folds, turn=recipe.turn, weighed=recipe.weigh == "outputs")


def find_basis(
    moments: Moments, layer: Layer, positional: Positional, recipe: Recipe, vision_rank: int | None = None
) -> Basis:
    """Find the directions of what is left beside the pairs kept."""
    how = weights(moments, layer, positional, how=recipe.weigh, keys=recipe.keys)
    return basis(moments, layer, positional, how, vision_rank=vision_rank, centre=recipe.centre)


def fit(
    source: Source, moments: Moments, layer: Layer, ranks: Ranks, recipe: Recipe, scaling: float = 1.0
) -> tuple[Fit, dict[str, Tensor]]:
    """Convert one layer; return its shape and its tensors by name within the layer.

    `scaling` is what its rotary angles are multiplied by in length (YaRN's attention factor).
    """
    found = find_candidates(source, moments, layer, recipe)
    positional = found.kept(ranks.pairs)
    directions = find_basis(moments, layer, positional, recipe, ranks.vision)
    part = factors(directions, ranks.text, ranks.vision)
    energy = float(moments.output) / moments.tokens
    errors = Errors(
        kept_energy=_share(directions.cost_z[: ranks.text], directions.cost_z),
        positional=positional.cost / energy,
        content=float(directions.cost_z[ranks.text :].sum()) / energy,
    )
    found_fit = Fit(
        ranks,
        tuple(positional.frequency_J.tolist()),
        tuple(tuple(pair) for pair in positional.sources_JW.tolist()),
        "self_attn.q_norm.weight" in layer.weights,
        "self_attn.q_proj.bias" in layer.weights,
        errors,
    )
    return found_fit, _tensors(layer, positional, part, ranks, scaling)


def config_fields(fits: Sequence[Fit]) -> dict[str, object]:
    """Return the fields of the configuration that say what rows look like, and what of the projections is there."""
    folded = any(len(sources) > 1 for one in fits for sources in one.sources)
    vision = [one.ranks.vision for one in fits]
    text = [one.ranks.text for one in fits]
    return {
        "kv_lora_rank": text,
        "kv_lora_rank_vision": None if vision == text else vision,
        "rope_frequencies": [list(one.frequencies) for one in fits],
        "rope_sources": [[list(pair) for pair in one.sources] for one in fits] if folded else None,
        "qk_norm": fits[0].normed,
        "attention_bias": fits[0].biased,
        "qk_rope_head_dim": 2 * max(len(one.frequencies) for one in fits),
    }


def _tensors(
    layer: Layer, positional: Positional, part: Factors, ranks: Ranks, scaling: float
) -> dict[str, Tensor]:
    share, lanes = layer.heads // layer.groups, layer.groups * layer.width
    keys_GdR, values_GdR = (
        half.unflatten(0, (layer.groups, layer.width)) for half in part.decode_zR.split(lanes)
    )
    # A pair's key and query mixes are free in their common scale: keys of norm 1 keep rows in 8 bits comparable.
    size_J11 = positional.encode_JWG.abs().square().sum((1, 2), keepdim=True).sqrt().clamp_min(1e-30)
    key_mix_JWG = positional.encode_JWG / size_J11
    query_mix_JWH = (positional.decode_JWG.conj() * size_J11).repeat_interleave(share, 2)
    out_DHd = layer.weights["self_attn.o_proj.weight"].unflatten(1, (layer.heads, layer.width)).double()
    mean_Hd = part.mean_z[lanes:].unflatten(0, (layer.groups, layer.width)).repeat_interleave(share, 0)
    bias_D = torch.einsum("Dhd,hd->D", out_DHd, mean_Hd)
    if (given := layer.weights.get("self_attn.o_proj.bias")) is not None:
        bias_D = bias_D + given
    kept = {
        name: layer.weights[name]
        for name in layer.weights
        if name.startswith("self_attn.")
        and name.split(".")[1] in ("q_proj", "k_proj", "v_proj", "q_norm", "k_norm")
    }
    vision = slice(0, ranks.vision)
    return kept | {
        "self_attn.o_proj.weight": layer.weights["self_attn.o_proj.weight"],
        "self_attn.o_proj.bias": bias_D.float(),
        "self_attn.text_encoder.weight": part.encode_Rz.float(),
        "self_attn.text_encoder.bias": part.offset_R.float(),
        "self_attn.vision_encoder.weight": part.encode_Rz[vision].float(),
        "self_attn.vision_encoder.bias": part.offset_R[vision].float(),
        "self_attn.kv_b_proj.weight": torch.cat([keys_GdR, values_GdR], 1).flatten(0, 1).float(),
        "self_attn.rope_key_mix": torch.view_as_real(key_mix_JWG).float(),
        "self_attn.rope_query_mix": torch.view_as_real(query_mix_JWH).float(),
        "self_attn.query_turn": torch.view_as_real(positional.turn_HF.conj() * scaling**2).float(),
    }


def _share(part: Tensor, whole: Tensor) -> float:
    return float(part.sum() / whole.sum().clamp_min(1e-300))
