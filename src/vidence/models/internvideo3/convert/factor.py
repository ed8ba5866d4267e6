"""Low-rank factorisation: one latent for all content keys and values of a layer.

G key-value heads, H query heads, d head width, z = 2 G d lanes of [all keys | all values], R latent width.

The latent is the projection of a token's centred content on the directions in which losing it would cost most
(principal components under the weights of `balance`). Centring is free: an offset that all keys share cancels in the
softmax, and one that all values share is a bias of the output projection.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from vidence.models.internvideo3.convert.balance import Weights
from vidence.models.internvideo3.convert.moments import Moments
from vidence.models.internvideo3.convert.positional import Positional
from vidence.models.internvideo3.convert.source import Layer

SEED = 20_260_612  # of the rotation that spreads a latent over its lanes, for rows in 8 bits


@dataclass(frozen=True, slots=True)
class Basis:
    """Directions of content, costliest first: cost_z a direction, encode_zz from content, decode_zz back."""

    cost_z: Tensor
    encode_zz: Tensor
    decode_zz: Tensor
    mean_z: Tensor


@dataclass(frozen=True, slots=True)
class Factors:
    """encode_Rz and offset_R write a latent; decode_zR reads keys and values from it. mean_z is what was taken out."""

    encode_Rz: Tensor
    offset_R: Tensor
    decode_zR: Tensor
    mean_z: Tensor


def basis(
    moments: Moments,
    layer: Layer,
    positional: Positional,
    weights: Weights,
    *,
    vision_rank: int | None = None,
    centre: bool = True,
) -> Basis:
    """Find the directions of the content that is left beside the rope key.

    With `vision_rank` the first so many are those of both modalities' tokens together, and the others those of text in
    what remains: vision rows then end there.
    """
    lanes = layer.groups * layer.width
    rest_zz = torch.block_diag(
        positional.rest_kk(layer.groups, layer.width // 2), torch.eye(lanes, dtype=torch.float64)
    )
    seen_zz = weights.root_zz @ rest_zz
    mean_z = moments.mean_z if centre else torch.zeros_like(moments.mean_z)

    def spread(modality: int | None = None) -> Tensor:
        around_zz = moments.covariance_zz(modality)
        if not centre:
            around_zz = moments.second_Mzz.sum(0) / moments.mass_M.sum()
        return seen_zz @ around_zz @ seen_zz.mT

    cost_z, columns_zz = _principal(spread())
    if vision_rank is not None and vision_rank < len(cost_z):
        shared_zR = columns_zz[:, :vision_rank]
        left_zz = torch.eye(len(cost_z), dtype=torch.float64) - shared_zR @ shared_zR.mT
        text_z, text_zz = _principal(left_zz @ spread(0) @ left_zz)
        more = len(cost_z) - vision_rank
        cost_z = torch.cat([cost_z[:vision_rank], text_z[:more]])
        columns_zz = torch.cat([shared_zR, text_zz[:, :more]], 1)
    return Basis(cost_z, columns_zz.mT @ seen_zz, weights.inverse_zz @ columns_zz, mean_z)


def factors(found: Basis, rank: int, vision_rank: int) -> Factors:
    """Keep `rank` directions, `vision_rank` of them for vision, in lanes of one size.

    Lanes that one row has in common are rotated at random, so that all are alike: rows in 8 bits share one scale.
    """
    encode_Rz, decode_zR = found.encode_zz[:rank], found.decode_zz[:, :rank]
    size = found.cost_z[:rank].mean().clamp_min(1e-300).sqrt()
    mixed, read = [], []
    for first, last in ((0, min(vision_rank, rank)), (min(vision_rank, rank), rank)):
        rotation_rr = _rotation(last - first)
        mixed.append(rotation_rr @ encode_Rz[first:last] / size)
        read.append(decode_zR[:, first:last] @ rotation_rr.mT * size)
    encode_Rz = torch.cat(mixed)
    return Factors(encode_Rz, -(encode_Rz @ found.mean_z), torch.cat(read, 1), found.mean_z)


def _principal(form_zz: Tensor) -> tuple[Tensor, Tensor]:
    size_z, columns_zz = torch.linalg.eigh((form_zz + form_zz.mT) / 2)
    return size_z.flip(0).clamp_min(0), columns_zz.flip(1)


def _rotation(size: int) -> Tensor:
    generator = torch.Generator().manual_seed(SEED + size)
    return torch.linalg.qr(torch.randn(size, size, generator=generator, dtype=torch.float64))[0]
