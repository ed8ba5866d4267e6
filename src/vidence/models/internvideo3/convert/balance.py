"""How errors are weighed: of keys by the queries that read them, of values by the projection that follows, or plainly.

G key-value heads, H query heads, h = H / G, d head width, z = 2 G d lanes of [all keys | all values].

With `outputs` both weights say what an error does to the layer's output, so that keys and values are in balance by
themselves: an error e of a key moves the scores of a query q by q'e / sqrt(d), and these the output by the spread of
the values it reads; an error of a value moves it through the output projection. With `energy`, as TransMLA does, all
lanes of keys count alike, all lanes of values too, and the two are brought to one norm.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from vidence.models.internvideo3.convert.moments import Moments, output_metric_Hdd
from vidence.models.internvideo3.convert.positional import Positional, turn_map_dd
from vidence.models.internvideo3.convert.source import Layer

RIDGE = 1e-3  # of the mean: a direction that no query reads still counts so much


@dataclass(frozen=True, slots=True)
class Weights:
    """The square root of the form that measures errors (z, z), and its inverse."""

    root_zz: Tensor
    inverse_zz: Tensor


def weights(
    moments: Moments, layer: Layer, positional: Positional, *, how: str, keys: float = 1.0
) -> Weights:
    """Weigh errors by what they do to the output (`outputs`) or by energy alone (`energy`); `keys` weighs keys more."""
    share, width = layer.heads // layer.groups, layer.width
    if how == "energy":
        return _energy(moments, layer, keys)
    turns_Hdd = torch.stack([turn_map_dd(turn_F.conj()) for turn_F in positional.turn_HF])
    queries_Hdd = turns_Hdd @ moments.queries_Hdd @ turns_Hdd.mT * (keys / width / moments.tokens)
    forms = torch.cat(
        [part.unflatten(0, (layer.groups, share)).sum(1) for part in (queries_Hdd, output_metric_Hdd(layer))]
    )
    ridge = RIDGE * forms.diagonal(dim1=1, dim2=2).mean(1)
    forms = forms + ridge[:, None, None] * torch.eye(width, dtype=forms.dtype)
    size, basis = torch.linalg.eigh(forms)
    root = size.clamp_min(size.amax(1, keepdim=True) * 1e-9).sqrt()
    return Weights(
        torch.block_diag(*(basis * root[:, None]) @ basis.mT),
        torch.block_diag(*(basis / root[:, None]) @ basis.mT),
    )


def _energy(moments: Moments, layer: Layer, keys: float) -> Weights:
    lanes = layer.groups * layer.width
    spread_z = moments.covariance_zz().diagonal().clamp_min(0).sqrt()
    ratio = spread_z[lanes:].mean() / spread_z[:lanes].mean().clamp_min(1e-300)
    scale_z = torch.ones(2 * lanes, dtype=spread_z.dtype)
    scale_z[:lanes] = ratio * keys**0.5
    return Weights(torch.diag(scale_z), torch.diag(1 / scale_z))
