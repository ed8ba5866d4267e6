"""Query and key norms: kept as they are, or replaced by the linear substitute that the paper names.

L tokens, N heads (queries' or keys'), d head width, Y = d + 1 lanes of [head | 1].

Kept, nothing is lost: only what is read from the cache must be linear in the latent, and keys are written to it after
their norm. The substitute (Global-Norm-Linear, arXiv 2606.12195 section 3.2) is the affine map of each head that comes
closest to its norm over the calibration tokens, in least squares; it goes into projections and biases, and no norm is
left.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import torch
from torch import Tensor
from torch.nn import functional as F

from vidence.models.internvideo3.convert.moments import MODALITIES
from vidence.models.internvideo3.convert.source import Layer

RIDGE = 1e-4  # of the mean: heads whose lanes move together would have no one best map


@dataclass(slots=True)
class NormMoments:
    """Second moments, by modality M and head N, queries' heads before keys': all that the fit and its error need.

    before_MNYY: of [head | 1] before the norm. across_MNdY: of the head after it with those. after_MN: its energy.
    """

    before_MNYY: Tensor
    across_MNdY: Tensor
    after_MN: Tensor

    def observe(self, layer: Layer, hidden_1LD: Tensor, vision_L: Tensor) -> None:
        """Add a sequence at the layer's input."""
        plain = replace(layer, weights={k: v for k, v in layer.weights.items() if "_norm." not in k})
        weight = layer.weights["input_layernorm.weight"]
        normed = F.rms_norm(hidden_1LD, hidden_1LD.shape[-1:], weight, layer.eps)
        befores, afters = plain.heads_of(normed), layer.heads_of(normed)
        before_NLd, after_NLd = (torch.cat([q[0], k[0]]).double() for q, k, _ in (befores, afters))
        ones = torch.ones_like(before_NLd[..., :1])
        before_NLY = torch.cat([before_NLd, ones], -1)
        for kind, here_L in enumerate((~vision_L, vision_L)):
            before, after = before_NLY[:, here_L], after_NLd[:, here_L]
            self.before_MNYY[kind] += before.mT @ before
            self.across_MNdY[kind] += after.mT @ before
            self.after_MN[kind] += after.square().sum((1, 2))

    def tensors(self) -> dict[str, Tensor]:
        """Return all moments by name."""
        return {name: getattr(self, name) for name in self.__slots__}

    def map_NdY(self) -> Tensor:
        """Return the affine map of each head."""
        before, across = self.before_MNYY.sum(0), self.across_MNdY.sum(0)
        ridge = RIDGE * before.diagonal(dim1=1, dim2=2).mean(1)[:, None, None]
        eye = torch.eye(before.shape[-1], dtype=before.dtype)
        return torch.linalg.solve(before + ridge * eye, across.mT).mT

    def errors(self, query_heads: int) -> dict[str, dict[str, float]]:
        """Return the substitute's error as a share of energy, for queries and keys, by modality."""
        linear = self.map_NdY()
        missed = (
            self.after_MN
            - 2 * (linear * self.across_MNdY).sum((-2, -1))
            + ((linear @ self.before_MNYY) * linear).sum((-2, -1))
        )
        found = {}
        for name, part in (("queries", slice(0, query_heads)), ("keys", slice(query_heads, None))):
            found[name] = {
                modality: float(missed[kind, part].sum() / self.after_MN[kind, part].sum())
                for kind, modality in enumerate(MODALITIES)
                if bool(self.after_MN[kind].any())
            }
        return found


def no_norms(layer: Layer) -> NormMoments:
    """Return moments of nothing."""
    heads, width, kinds = layer.heads + layer.groups, layer.width, len(MODALITIES)
    f64 = torch.float64
    return NormMoments(
        torch.zeros(kinds, heads, width + 1, width + 1, dtype=f64),
        torch.zeros(kinds, heads, width, width + 1, dtype=f64),
        torch.zeros(kinds, heads, dtype=f64),
    )


def restored_norms(tensors: Mapping[str, Tensor]) -> NormMoments:
    """Return moments from what `tensors` gave."""
    return NormMoments(**tensors)


def normed(layer: Layer) -> bool:
    """Tell whether a layer norms its queries and keys."""
    return "self_attn.q_norm.weight" in layer.weights


def linearised(layer: Layer, moments: NormMoments) -> Layer:
    """Return the layer with the substitute in its projections, and no norms."""
    weights = {name: tensor for name, tensor in layer.weights.items() if "_norm." not in name}
    linear = moments.map_NdY()
    for name, part in (("q", slice(0, layer.heads)), ("k", slice(layer.heads, None))):
        map_Ndd, shift_Nd = linear[part, :, :-1], linear[part, :, -1]
        weight, bias = (f"self_attn.{name}_proj.{kind}" for kind in ("weight", "bias"))
        given = weights[weight].double().unflatten(0, (-1, layer.width))
        weights[weight] = (map_Ndd @ given).flatten(0, 1).float()
        if bias in weights:
            shift_Nd = shift_Nd + (map_Ndd @ weights[bias].double().view(-1, layer.width, 1))[..., 0]
        weights[bias] = shift_Nd.flatten().float()
    value = "self_attn.v_proj.bias"
    weights.setdefault(value, torch.zeros(weights["self_attn.v_proj.weight"].shape[0]))
    return replace(layer, weights=weights)
