"""M²LA: multi-head latent attention of one layer, in two layouts that share everything after the projections.

B batch, L tokens, D hidden width, H query heads, G key-value heads, d head width, F = d / 2 frequencies, J pairs of
the rope key, P = 2 J, R latent width, N heads with keys of their own (G exact, H as published).

What is cached of a token is [latent R | rope key P]. Scores are q_content . k_content + R(q_rope) . R(k_rope), where
k_content and v are linear in the latent, so that a query may be multiplied into the latent's space instead (decode)
or the rows expanded (many queries).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from transformers.models.qwen3_vl.modeling_qwen3_vl import Qwen3VLTextRMSNorm

from vidence.models.internvideo3.config import EXACT, InternVideo3TextConfig
from vidence.models.internvideo3.decode import attend, merge
from vidence.models.internvideo3.latent import Held
from vidence.models.internvideo3.ledger import VISION, Plan
from vidence.models.internvideo3.prefill import Visible, expanded_attention, visible
from vidence.models.internvideo3.rope import angles, as_pairs, deinterleave, multiply, pick, rotate
from vidence.models.internvideo3.rows import Level, Rows


class LatentAttention(nn.Module):
    """Attend through latent rows; a subclass projects hidden states to queries and rows."""

    def __init__(self, config: InternVideo3TextConfig, layer_idx: int) -> None:
        super().__init__()
        self.layer_idx = layer_idx
        self.shape = config.latent_shape(layer_idx)
        self.heads, self.latent_heads = config.num_attention_heads, config.latent_heads
        self.content, self.value = config.qk_nope_head_dim, config.v_head_dim
        self.scale = config.scale
        self.kv_b_proj = nn.Linear(
            self.shape.rank, self.latent_heads * (self.content + self.value), bias=False
        )
        self.o_proj = nn.Linear(
            self.heads * self.value, config.hidden_size, bias=config.attention_output_bias
        )

    def project(
        self, hidden_BLD: Tensor, position_embeddings: tuple[Tensor, Tensor], kinds_BL: Tensor | None
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Return q_content_BHLd, rotated q_rope_BHLP, latent_BLR and rotated k_rope_BLP."""
        raise NotImplementedError

    def forward(
        self,
        hidden_states: Tensor,
        position_embeddings: tuple[Tensor, Tensor],
        kinds_BL: Tensor | None = None,
        seen: Visible | None = None,
        plan: Plan | None = None,
        past_key_values: Held | None = None,
        **kwargs: Any,
    ) -> Tensor:
        """Attend and project out: (B, L, D) to (B, L, D). With a cache, `plan` says where rows go; else `seen`."""
        del kwargs
        q_content_BHLd, q_rope_BHLP, latent_BLR, k_rope_BLP = self.project(
            hidden_states, position_embeddings, kinds_BL
        )
        if past_key_values is None or plan is None:
            seen = seen or Visible((hidden_states.shape[1],))
            rows_BLW = torch.cat([latent_BLR, k_rope_BLP], -1)
            rows = [rows_BLW if seen.gather is None else seen.gather(rows_BLW)]
            out_BHLv = self._expanded(q_content_BHLd, q_rope_BHLP, rows, seen)
        else:
            views = past_key_values.write(latent_BLR, k_rope_BLP, self.layer_idx, plan)
            out_BHLv = self._cached(q_content_BHLd, q_rope_BHLP, views, plan)
        return self.o_proj(out_BHLv.transpose(1, 2).flatten(2))

    def absorbs(self, queries: int) -> bool:
        """Tell whether multiplying queries into the latent's space costs less than expanding the rows.

        Per row: absorbed, every query of every head reads R + P lanes and sums R; expanded, the row is expanded once
        and every query reads d + P and sums v. At 512+64 with 8 of 32 heads the two meet at 43 queries.
        """
        rank, rope, each = self.shape.rank, self.shape.rope_width, self.content + self.value
        absorbed = queries * self.heads * (2 * rank + rope)
        return absorbed <= queries * self.heads * (each + rope) + rank * self.latent_heads * each

    def _cached(
        self, q_content_BHLd: Tensor, q_rope_BHLP: Tensor, views: Sequence[Sequence[Rows | Level]], plan: Plan
    ) -> Tensor:
        own = [[slab for slab in slabs if isinstance(slab, Rows)] for slabs in views]
        shares = any(len(mine) < len(slabs) for mine, slabs in zip(own, views, strict=True))
        if not shares and not self.absorbs(q_content_BHLd.shape[2]):
            rows = [slab.dense(q_content_BHLd.dtype) for slabs in own for slab in slabs]
            return self._expanded(q_content_BHLd, q_rope_BHLP, rows, visible(plan, own))
        q_BHLR = self._into_latent(q_content_BHLd)
        parts = []
        for bank, slabs in zip(plan.banks, views, strict=True):
            if slabs:
                out_BHLR, lse_BHL = attend(q_BHLR, q_rope_BHLP, slabs, bank.limits_BL, scale=self.scale)
                parts.append((self._out_of_latent(out_BHLR), lse_BHL))
        return merge(parts)[0]

    def _expanded(self, q_content: Tensor, q_rope: Tensor, rows: Sequence[Tensor], seen: Visible) -> Tensor:
        return expanded_attention(q_content, q_rope, rows, self._kv_b_NkR(), seen, scale=self.scale)

    def _kv_b_NkR(self) -> Tensor:
        return self.kv_b_proj.weight.view(self.latent_heads, self.content + self.value, self.shape.rank)

    def _into_latent(self, q_content_BHLd: Tensor) -> Tensor:
        keys_NdR = self._kv_b_NkR()[:, : self.content]
        return (_by_latent_head(q_content_BHLd, self.latent_heads) @ keys_NdR).view(
            *q_content_BHLd.shape[:-1], -1
        )

    def _out_of_latent(self, out_BHLR: Tensor) -> Tensor:
        values_NRv = self._kv_b_NkR()[:, self.content :, : out_BHLR.shape[-1]].mT
        return (_by_latent_head(out_BHLR, self.latent_heads) @ values_NRv).view(*out_BHLR.shape[:-1], -1)


class ExactAttention(LatentAttention):
    """Keep Qwen3's projections and norms; mix the shared rope key from exact keys and encode the rest.

    Pair j of the rope key is the sum over g of rope_key_mix[j, :, g] times the complex component of frequency f_j of
    head g's key; the query of head h is rope_query_mix[j, :, h] times its own. With the conjugated columns of a
    unitary matrix a frequency as mixes the products are those of the unmixed keys, and because all heads of a
    frequency turn by one angle, rotation commutes with mixing. Where W neighbouring frequencies are folded into a pair,
    its mixes reach over all of them. What is left out of the rope key the latent carries, unrotated, in each head's
    own basis; `query_turn` multiplies a query's component by a complex number, the mean rotation it loses.
    """

    def __init__(self, config: InternVideo3TextConfig, layer_idx: int) -> None:
        super().__init__(config, layer_idx)
        width, bias = config.hidden_size, config.attention_bias
        self.groups, pairs, fold = config.key_value_heads, len(self.shape.frequencies), self.shape.fold
        kept = self.groups * (self.content + self.value)
        self.q_proj = nn.Linear(width, self.heads * self.content, bias=bias)
        self.k_proj = nn.Linear(width, self.groups * self.content, bias=bias)
        self.v_proj = nn.Linear(width, self.groups * self.value, bias=bias)
        self.q_norm = Qwen3VLTextRMSNorm(self.content, eps=config.rms_norm_eps) if config.qk_norm else None
        self.k_norm = Qwen3VLTextRMSNorm(self.content, eps=config.rms_norm_eps) if config.qk_norm else None
        self.text_encoder = nn.Linear(kept, self.shape.text_rank)
        self.vision_encoder = nn.Linear(kept, self.shape.vision_rank)
        self.rope_key_mix = nn.Parameter(torch.empty(pairs, fold, self.groups, 2))
        self.rope_query_mix = nn.Parameter(torch.empty(pairs, fold, self.heads, 2))
        self.query_turn = nn.Parameter(torch.empty(self.heads, self.content // 2, 2))
        self.reset()

    def reset(self) -> None:
        """Mix nothing and turn nothing: pair j is head (j div F mod G)'s own."""
        with torch.no_grad():
            self.rope_key_mix.copy_(self.plain_mix())
            self.rope_query_mix.copy_(self.plain_mix().repeat_interleave(self.heads // self.groups, 2))
            self.query_turn.copy_(torch.tensor([1.0, 0.0]))

    def plain_mix(self) -> Tensor:
        """Return the mix (J, W, G, 2) in which the first appearance of a frequency is head 0's, the second head 1's."""
        mix_JWG2 = torch.zeros_like(self.rope_key_mix)
        taken = dict[int, int]()
        for pair, sources in enumerate(self.shape.sources):
            frequency = sources[0]
            head = taken.get(frequency, 0)
            taken[frequency] = head + 1
            mix_JWG2[pair, 0, head % self.groups, 0] = 1.0
        return mix_JWG2

    def project(
        self, hidden_BLD: Tensor, position_embeddings: tuple[Tensor, Tensor], kinds_BL: Tensor | None
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Return q_content_BHLd, rotated q_rope_BHLP, latent_BLR and rotated k_rope_BLP."""
        q_BLHd = self.q_proj(hidden_BLD).unflatten(-1, (self.heads, -1))
        k_BLGd = self.k_proj(hidden_BLD).unflatten(-1, (self.groups, -1))
        if self.q_norm is not None and self.k_norm is not None:
            q_BLHd, k_BLGd = self.q_norm(q_BLHd), self.k_norm(k_BLGd)
        v_BLx = self.v_proj(hidden_BLD)
        cos_BLJ, sin_BLJ = angles(position_embeddings, self.shape.frequencies)
        q_rope_BLHP, k_rope_BLP = self._rope(q_BLHd, k_BLGd, cos_BLJ, sin_BLJ)
        q_content_BLHd = multiply(*as_pairs(q_BLHd), *self.query_turn.unbind(-1))
        latent_BLR = self._encode(torch.cat([k_BLGd.flatten(2), v_BLx], -1), kinds_BL)
        return q_content_BLHd.transpose(1, 2), q_rope_BLHP.transpose(1, 2), latent_BLR, k_rope_BLP

    def _rope(
        self, q_BLHd: Tensor, k_BLGd: Tensor, cos_BLJ: Tensor, sin_BLJ: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Mix and rotate queries and keys in one go: at one token the number of operations is what takes time."""
        mix_JWX2 = torch.cat([self.rope_query_mix, self.rope_key_mix], 2)  # X = H + G
        mix_XY2 = mix_JWX2.flatten(0, 1).transpose(0, 1)  # Y = J W: what pair j mixes stands side by side
        real_BLXY, imaginary_BLXY = pick(torch.cat([q_BLHd, k_BLGd], 2), self.shape.mixed)
        mixed_BLXP = multiply(real_BLXY, imaginary_BLXY, *mix_XY2.unbind(-1))
        if self.shape.fold > 1:
            mixed_BLXP = mixed_BLXP.unflatten(-1, (-1, self.shape.fold)).sum(-1)
        rotated_BLXP = rotate(mixed_BLXP, cos_BLJ[:, :, None], sin_BLJ[:, :, None])
        return rotated_BLXP[:, :, : self.heads], rotated_BLXP[:, :, self.heads :].sum(2)

    def _encode(self, kept_BLz: Tensor, kinds_BL: Tensor | None) -> Tensor:
        """Encode each modality by its own encoder; a narrower latent is filled up with zeros."""
        text_BLR = self._filled(self.text_encoder(kept_BLz))
        if kinds_BL is None:
            return text_BLR
        vision_BLR = self._filled(self.vision_encoder(kept_BLz))
        return torch.where((kinds_BL == VISION)[..., None], vision_BLR, text_BLR)

    def _filled(self, latent_BLr: Tensor) -> Tensor:
        lacking = self.shape.rank - latent_BLr.shape[-1]
        return nn.functional.pad(latent_BLr, (0, lacking)) if lacking else latent_BLr


class ReleaseAttention(LatentAttention):
    """Project as the published checkpoint does: biases, no norms, rope lanes stored pair by pair."""

    def __init__(self, config: InternVideo3TextConfig, layer_idx: int) -> None:
        super().__init__(config, layer_idx)
        rope = self.shape.rope_width
        self.q_proj = nn.Linear(config.hidden_size, self.heads * (self.content + rope), bias=True)
        self.kv_a_proj_with_mqa = nn.Linear(config.hidden_size, self.shape.rank + rope, bias=True)

    def project(
        self, hidden_BLD: Tensor, position_embeddings: tuple[Tensor, Tensor], kinds_BL: Tensor | None
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Return q_content_BHLd, rotated q_rope_BHLP, latent_BLR and rotated k_rope_BLP."""
        del kinds_BL  # the published model treats both modalities alike
        q_BLHK = self.q_proj(hidden_BLD).unflatten(-1, (self.heads, -1))
        latent_BLR, k_rope_BLP = self.kv_a_proj_with_mqa(hidden_BLD).split(
            [self.shape.rank, self.shape.rope_width], -1
        )
        cos_BLJ, sin_BLJ = angles(position_embeddings, self.shape.frequencies)
        k_rope_BLP = rotate(deinterleave(k_rope_BLP), cos_BLJ, sin_BLJ)
        q_rope_BLHP = deinterleave(q_BLHK[..., self.content :])
        q_rope_BLHP = rotate(q_rope_BLHP, cos_BLJ[:, :, None], sin_BLJ[:, :, None])
        q_content_BHLd = q_BLHK[..., : self.content].transpose(1, 2)
        return q_content_BHLd, q_rope_BLHP.transpose(1, 2), latent_BLR, k_rope_BLP


def attention(config: InternVideo3TextConfig, layer_idx: int) -> LatentAttention:
    """Make one layer's attention in the layout of the configuration."""
    return (ExactAttention if config.attention_layout == EXACT else ReleaseAttention)(config, layer_idx)


def _by_latent_head(x_BHLy: Tensor, latent_heads: int) -> Tensor:
    """Fold the query heads that share a latent head into the query axis: (B, N, h L, y)."""
    return x_BHLy.reshape(x_BHLy.shape[0], latent_heads, -1, x_BHLy.shape[-1])
