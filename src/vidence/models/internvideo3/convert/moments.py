"""What calibration keeps of a layer: second moments, streamed in float64, and nothing of any single token.

B batch, L tokens, H query heads, G key-value heads, h = H / G, d head width, F = d / 2 frequencies, z = 2 G d lanes of
[all keys | all values].

Every moment is weighed by attention, for what a layer gives depends on the rows that are read, by those who read them:

* a token's key and value count by the attention they receive, summed over queries and averaged over heads;
* a query counts by how much the layer's output moves when its scores do: the variance of the values it reads, seen
  through the output projection, under its own attention.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from vidence.models.internvideo3.convert.source import Layer, turned

MODALITIES = ("text", "vision")


@dataclass(slots=True)
class Moments:
    """One layer's moments, all float64 (phases complex128).

    second_Mzz, first_Mz, mass_M: of [keys | values] by modality M of the token, weighed by attention received.
    tokens_M: how many tokens were seen. queries_Hdd: of unrotated queries, weighed by sensitivity.
    phase_HF: sum of sensitivity * attention * |q|^2 * |k|^2 * e^(i angle of key minus angle of query); energy_HF: the
    same without the phase, so that their quotient is the mean rotation that a content key would have had.
    output: sum of squares of the layer's attention output.
    """

    second_Mzz: Tensor
    first_Mz: Tensor
    mass_M: Tensor
    tokens_M: Tensor
    queries_Hdd: Tensor
    phase_HF: Tensor
    energy_HF: Tensor
    output: Tensor

    @property
    def tokens(self) -> float:
        """Return how many tokens were seen."""
        return float(self.tokens_M.sum())

    @property
    def mean_z(self) -> Tensor:
        """Return the mean that attention gives to [keys | values]."""
        return self.first_Mz.sum(0) / self.mass_M.sum()

    def covariance_zz(self, modality: int | None = None) -> Tensor:
        """Return the covariance about the common mean, of one modality's tokens or of all, a token on average."""
        second, first, mass = (
            (self.second_Mzz.sum(0), self.first_Mz.sum(0), self.mass_M.sum())
            if modality is None
            else (self.second_Mzz[modality], self.first_Mz[modality], self.mass_M[modality])
        )
        mean, mass = self.mean_z, mass.clamp_min(1e-300)
        crossed = torch.outer(first / mass, mean)
        return second / mass - crossed - crossed.mT + torch.outer(mean, mean)

    def turn_HF(self) -> Tensor:
        """Return the mean rotation of each head's keys, by frequency, as its queries met them; its modulus is <= 1."""
        return self.phase_HF / self.energy_HF.clamp_min(1e-300)

    def tensors(self) -> dict[str, Tensor]:
        """Return all moments by name, complex ones as [real, imaginary]."""
        found = {name: getattr(self, name) for name in self.__slots__}
        return found | {"phase_HF": torch.view_as_real(self.phase_HF)}


def empty(layer: Layer) -> Moments:
    """Return moments of nothing."""
    lanes, half = 2 * layer.groups * layer.width, layer.width // 2
    f64 = torch.float64
    kinds = len(MODALITIES)
    return Moments(
        second_Mzz=torch.zeros(kinds, lanes, lanes, dtype=f64),
        first_Mz=torch.zeros(kinds, lanes, dtype=f64),
        mass_M=torch.zeros(kinds, dtype=f64),
        tokens_M=torch.zeros(kinds, dtype=f64),
        queries_Hdd=torch.zeros(layer.heads, layer.width, layer.width, dtype=f64),
        phase_HF=torch.zeros(layer.heads, half, dtype=torch.complex128),
        energy_HF=torch.zeros(layer.heads, half, dtype=f64),
        output=torch.zeros((), dtype=f64),
    )


def restored(tensors: Mapping[str, Tensor]) -> Moments:
    """Return moments from what `tensors` gave."""
    return Moments(**{**tensors, "phase_HF": torch.view_as_complex(tensors["phase_HF"])})


def output_metric_Hdd(layer: Layer) -> Tensor:
    """Return, by query head, the form that measures a value's error by what it does to the layer's output."""
    out_DHd = layer.weights["self_attn.o_proj.weight"].unflatten(1, (layer.heads, layer.width)).double()
    return torch.einsum("Dhd,Dhe->hde", out_DHd, out_DHd)


def observe(
    moments: Moments, layer: Layer, hidden_BLD: Tensor, phases_BLF: Tensor, vision_BL: Tensor
) -> Tensor:
    """Add some sequences to the moments; return the stream after attention, computed on the way.

    Memory is that of one key-value head's attention over one sequence: h * L * L.
    """
    outs = []
    for one in range(hidden_BLD.shape[0]):
        part = slice(one, one + 1)
        outs.append(_observe(moments, layer, hidden_BLD[part], phases_BLF[part], vision_BL[one]))
    return torch.cat(outs)


def _observe(
    moments: Moments, layer: Layer, hidden_1LD: Tensor, phases_1LF: Tensor, vision_L: Tensor
) -> Tensor:
    q_1HLd, k_1GLd, v_1GLd = layer.project(hidden_1LD)
    share, length = layer.heads // layer.groups, hidden_1LD.shape[1]
    rotated_q, rotated_k = turned(q_1HLd, phases_1LF)[0], turned(k_1GLd, phases_1LF)[0]
    future_LL = torch.ones((length, length), dtype=torch.bool).triu(1)
    metric_Hdd = output_metric_Hdd(layer).float()
    phases_LF, received_L, outs = phases_1LF[0], torch.zeros(length), []
    for group in range(layer.groups):
        heads = slice(group * share, (group + 1) * share)
        scores_hLL = rotated_q[heads] @ rotated_k[group].mT * layer.width**-0.5
        attention_hLL = scores_hLL.masked_fill_(future_LL, -torch.inf).softmax(-1)
        received_L += attention_hLL.sum((0, 1))
        value_Ld, form_hdd = v_1GLd[0, group], metric_Hdd[heads]
        out_hLd = attention_hLL @ value_Ld
        # Variance of the values under each query's attention, measured by the output: E[v'Mv] - o'Mo.
        energy_hL = ((value_Ld @ form_hdd) * value_Ld).sum(-1)
        mean_hL = (attention_hLL @ energy_hL[..., None])[..., 0]
        sensitivity_hL = (mean_hL - ((out_hLd @ form_hdd) * out_hLd).sum(-1)).clamp_min(0)
        query_hLd = q_1HLd[0, heads]
        moments.queries_Hdd[heads] += (query_hLd.mT @ (query_hLd * sensitivity_hL[..., None])).double()
        # In real numbers [cos | sin | 1] times |k|^2, as a complex product would copy the attention.
        square_LF = _squares(k_1GLd[0, group])
        met_hL3 = attention_hLL @ torch.cat(
            [square_LF * phases_LF.real, square_LF * phases_LF.imag, square_LF], -1
        )
        cos_hLF, sin_hLF, plain_hLF = met_hL3.chunk(3, -1)
        weight_hLF = _squares(query_hLd) * sensitivity_hL[..., None]
        scale_LF = phases_LF.abs().square()
        turned_hLF = torch.complex(cos_hLF, sin_hLF) * phases_LF.conj()
        moments.phase_HF[heads] += (turned_hLF * weight_hLF).sum(1)
        moments.energy_HF[heads] += (plain_hLF * weight_hLF * scale_LF).sum(1).double()
        outs.append(out_hLd)
    _count(moments, k_1GLd[0], v_1GLd[0], received_L / layer.heads, vision_L)
    out_1LD = layer.output(torch.cat(outs)[None])
    moments.output += out_1LD.double().square().sum()
    return hidden_1LD + out_1LD


def _count(moments: Moments, k_GLd: Tensor, v_GLd: Tensor, weight_L: Tensor, vision_L: Tensor) -> None:
    rows_Lz = torch.cat([k_GLd, v_GLd]).transpose(0, 1).flatten(1)
    for kind, here_L in enumerate((~vision_L, vision_L)):
        if not bool(here_L.any()):
            continue
        rows_Nz, weight_N1 = rows_Lz[here_L], weight_L[here_L, None]
        moments.second_Mzz[kind] += (rows_Nz.mT @ (rows_Nz * weight_N1)).double()
        moments.first_Mz[kind] += (rows_Nz * weight_N1).sum(0).double()
        moments.mass_M[kind] += weight_N1.sum().double()
        moments.tokens_M[kind] += len(rows_Nz)


def _squares(x_Ld: Tensor) -> Tensor:
    real, imaginary = x_Ld.chunk(2, -1)
    return real.square() + imaginary.square()
