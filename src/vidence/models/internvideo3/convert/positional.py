"""Positional aggregation: which components of the keys stay positional, in one rope key that all heads share.

G key-value heads, H query heads, h = H / G, d head width, F = d / 2 frequencies, W frequencies folded together,
J pairs of the rope key. A key's component at a frequency is complex, [real | imaginary] in halves.

At one frequency the components of all heads turn by the same angle, so any complex mix of them commutes with rotation
(RoRoPE, TransMLA; arXiv 2606.12195 section 3.2). Of all mixes of all frequencies the J are kept positional whose loss
would cost most; the others go into the content, unrotated, and their queries are turned by the mean rotation that
attention met. What remains is its variance: of a component that always meets one phase nothing is lost.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from vidence.errors import UsageError
from vidence.models.internvideo3.convert.moments import Moments
from vidence.models.internvideo3.convert.source import Layer

FLOOR = (
    1e-3  # of the mean: a head whose keys never matter keeps so much weight, or its mix could not be undone
)


@dataclass(frozen=True, slots=True)
class Candidates:
    """All mixes of all frequencies, costliest first.

    cost_C: how much the layer's output would lose, a token on average, if a mix were not kept positional.
    sources_CW: the frequencies a mix draws on; frequency_C: the one it turns with. encode_CWG: from keys to the rope
    key; decode_CWG: from the rope key to keys. turn_HF: the mean rotation of what is not kept.
    """

    cost_C: Tensor
    sources_CW: Tensor
    frequency_C: Tensor
    encode_CWG: Tensor
    decode_CWG: Tensor
    turn_HF: Tensor

    def kept(self, pairs: int) -> Positional:
        """Keep the costliest mixes positional."""
        order = self.frequency_C[:pairs].argsort(stable=True)
        return Positional(
            self.sources_CW[order],
            self.frequency_C[order],
            self.encode_CWG[order],
            self.decode_CWG[order],
            self.turn_HF,
            float(self.cost_C[pairs:].sum()),
        )


@dataclass(frozen=True, slots=True)
class Positional:
    """The pairs that are kept, in the order of their frequencies, and the cost of the rest."""

    sources_JW: Tensor
    frequency_J: Tensor
    encode_JWG: Tensor
    decode_JWG: Tensor
    turn_HF: Tensor
    cost: float

    def rest_kk(self, groups: int, half: int) -> Tensor:
        """Return what is left of all keys (G d, G d) when the kept pairs are taken out."""
        # Complex coordinates of a key: (frequency, head).
        at_JWG = self.sources_JW[..., None] * groups + torch.arange(groups)
        left = torch.eye(half * groups, dtype=torch.complex128)
        mixes = (at_JWG.flatten(1), self.encode_JWG.flatten(1), self.decode_JWG.flatten(1))
        for index_Y, encode_Y, decode_Y in zip(*mixes, strict=True):
            left[index_Y[:, None], index_Y[None]] -= torch.outer(decode_Y, encode_Y)
        return _real(left.view(half, groups, half, groups))


def candidates(
    moments: Moments, layer: Layer, folds: Sequence[Sequence[int]], *, turn: bool = True, weighed: bool = True
) -> Candidates:
    """Find every mix of every fold of frequencies and what it costs not to keep it positional.

    `folds` lists the frequencies that are treated as one; all of one length, each frequency once. Without `turn` the
    rest meets its queries unturned; without `weighed` mixes are those of the most energy, whoever reads them.
    """
    groups, half = layer.groups, layer.width // 2
    turn_HF = moments.turn_HF()
    if turn:
        lost_HF = moments.energy_HF * (1 - turn_HF.abs().clamp(max=1).square())
    else:
        lost_HF = moments.energy_HF * (2 - 2 * turn_HF.real)
        turn_HF = torch.ones_like(turn_HF)
    lost_GF = lost_HF.unflatten(0, (groups, -1)).sum(1) / moments.tokens / layer.width
    keys_YY = _hermitian(moments, groups, half)  # Y = (frequency, head)
    energy_FG = keys_YY.diagonal().real.view(half, groups)
    weight_FG = lost_GF.mT / energy_FG.clamp_min(1e-300)
    weight_FG = weight_FG + FLOOR * weight_FG.mean(1, keepdim=True) + 1e-9 * weight_FG.mean()
    if not weighed:
        weight_FG = weight_FG.mean(1, keepdim=True).expand(-1, groups)
    costs, sources, frequencies, encodes, decodes = [], [], [], [], []
    for fold in folds:
        index = torch.tensor(fold)
        at_Y = (index[:, None] * groups + torch.arange(groups)).flatten()
        root_Y = weight_FG[index].flatten().sqrt()
        cost_Y, basis_YC = torch.linalg.eigh(root_Y[:, None] * keys_YY[at_Y[:, None], at_Y] * root_Y)
        mix_CWG = basis_YC.mT.unflatten(1, (len(fold), groups))
        costs.append(cost_Y.clamp_min(0))
        sources.append(index.expand(len(cost_Y), -1))
        frequencies.append(index[mix_CWG.abs().square().sum(2).argmax(1)])
        root_WG = root_Y.view(len(fold), groups)
        encodes.append(mix_CWG.conj() * root_WG)
        decodes.append(mix_CWG / root_WG)
    cost_C = torch.cat(costs)
    order = cost_C.argsort(descending=True, stable=True)
    source, frequency, encode, decode = (
        torch.cat(part)[order] for part in (sources, frequencies, encodes, decodes)
    )
    return Candidates(cost_C[order], source, frequency, encode, decode, turn_HF)


def folds_of(axes: Sequence[int], width: int) -> list[list[int]]:
    """List the frequencies in folds of `width` neighbours, all of one axis.

    Raises:
        UsageError: an axis' frequencies do not divide into such folds.
    """
    folds = []
    for axis in sorted(set(axes)):
        own = [frequency for frequency, turned_by in enumerate(axes) if turned_by == axis]
        if len(own) % width:
            raise UsageError(
                f"fold {width}: axis {'THW'[axis]} has {len(own)} frequencies, which is no multiple"
            )
        folds += [own[start : start + width] for start in range(0, len(own), width)]
    return folds


def _hermitian(moments: Moments, groups: int, half: int) -> Tensor:
    """Return E[x x*] of the keys' complex components (F G, F G), from the second moments of their halves."""
    keys = groups * 2 * half
    second = moments.second_Mzz.sum(0)[:keys, :keys] / moments.mass_M.sum()
    parts = second.view(groups, 2, half, groups, 2, half)
    real = parts[:, 0, :, :, 0] + parts[:, 1, :, :, 1]
    imaginary = parts[:, 1, :, :, 0] - parts[:, 0, :, :, 1]
    complex_GFGF = torch.complex(real, imaginary)
    return complex_GFGF.permute(1, 0, 3, 2).reshape(half * groups, half * groups)


def _real(map_FGFG: Tensor) -> Tensor:
    """Write a complex map of components as a real one of [real | imaginary] keys (G d, G d)."""
    half, groups = map_FGFG.shape[:2]
    map_GFGF = map_FGFG.permute(1, 0, 3, 2)
    real, imaginary = map_GFGF.real, map_GFGF.imag
    rows = [torch.stack([real, -imaginary], 3), torch.stack([imaginary, real], 3)]
    return torch.stack(rows, 1).reshape(groups * 2 * half, groups * 2 * half)


def turn_map_dd(turn_F: Tensor) -> Tensor:
    """Write multiplication of each component by a complex number as a real map (d, d)."""
    real, imaginary = torch.diag(turn_F.real), torch.diag(turn_F.imag)
    return torch.cat([torch.cat([real, -imaginary], 1), torch.cat([imaginary, real], 1)])
