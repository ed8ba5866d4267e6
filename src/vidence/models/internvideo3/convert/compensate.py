"""Error compensation: fit a layer's output projection to what the source has, on what the converted prefix gives.

D hidden width, X = H d lanes of all heads. Ridge least squares, streamed: the best affine map from the converted
heads to what would bring the converted model's stream back to the source's, near the projection as it was.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from vidence.models.internvideo3.convert.samples import Sample
from vidence.models.internvideo3.convert.twin import Twin


@dataclass(slots=True)
class Compensation:
    """Normal equations of the fit, in float64, about the projection as it is."""

    twin: Twin
    gram_XX: Tensor
    right_XD: Tensor

    def observe(
        self, hidden_BLD: Tensor, embeddings: tuple[Tensor, Tensor], sample: Sample, wanted_BLD: Tensor
    ) -> None:
        """Add a sequence: the converted stream before the layer, and the source's stream after its attention.

        Positions count by the inverse of their energy, as the norm that follows will see them.
        """
        heads = list[Tensor]()
        hook: Any = self.twin.attention.o_proj.register_forward_pre_hook(
            lambda _, inputs: heads.append(inputs[0])
        )
        try:
            missing_BLD = wanted_BLD - self.twin.attended(hidden_BLD, embeddings, sample)
        finally:
            hook.remove()
        weight = wanted_BLD.double().square().mean(-1, keepdim=True).clamp_min(1e-12).rsqrt()
        rows = torch.cat([heads[0].double(), torch.ones_like(weight)], -1) * weight
        rows, missing = rows.flatten(0, 1), (missing_BLD.double() * weight).flatten(0, 1)
        self.gram_XX += rows.mT @ rows
        self.right_XD += rows.mT @ missing

    def solved(self, ridge: float) -> dict[str, Tensor]:
        """Return the fitted projection and bias."""
        lanes = len(self.gram_XX)
        held_X = torch.full((lanes,), ridge, dtype=torch.float64) * self.gram_XX.diagonal()[:-1].mean()
        held_X[-1] *= 1e-6  # the bias may move freely
        change_XD = torch.linalg.solve(self.gram_XX + torch.diag(held_X), self.right_XD)
        out = self.twin.attention.o_proj
        return {
            "self_attn.o_proj.weight": (out.weight.double() + change_XD[:-1].mT).float(),
            "self_attn.o_proj.bias": (out.bias.double() + change_XD[-1]).float(),
        }


def compensation(twin: Twin) -> Compensation:
    """Return normal equations of nothing yet."""
    out = twin.attention.o_proj
    lanes = out.in_features + 1
    f64 = torch.float64
    return Compensation(
        twin, torch.zeros(lanes, lanes, dtype=f64), torch.zeros(lanes, out.out_features, dtype=f64)
    )
