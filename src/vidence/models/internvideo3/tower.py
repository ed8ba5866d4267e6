"""The vision towers: Qwen3-VL's, or Qwen2.5-VL's with what it gives in the same form."""

# transformers declares these as variables of an instance and of each class in turn.
# pyright: reportIncompatibleVariableOverride=false

from __future__ import annotations

from itertools import groupby
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import scaled_dot_product_attention
from transformers.models.qwen2_5_vl.modeling_qwen2_5_vl import Qwen2_5_VisionTransformerPretrainedModel
from transformers.models.qwen3_vl.modeling_qwen3_vl import (
    BaseModelOutputWithDeepstackFeatures,
    Qwen3VLVisionAttention,
    Qwen3VLVisionModel,
    apply_rotary_pos_emb_vision,
)

from vidence.models.internvideo3.config import InternVideo3Config


class WindowedTower(Qwen2_5_VisionTransformerPretrainedModel):
    """Qwen2.5-VL's tower, attending in windows, without DeepStack: it adds nothing to the decoder's layers."""

    def forward(self, hidden_states: Tensor, grid_thw: Tensor, **kwargs: Any) -> Any:
        """See patches (N, D) of grids (., 3); return the tokens in `pooler_output` and no DeepStack features."""
        out: Any = super().forward(hidden_states, grid_thw, **kwargs)
        return BaseModelOutputWithDeepstackFeatures(
            last_hidden_state=out.last_hidden_state, pooler_output=out.pooler_output, deepstack_features=[]
        )


class FrameAttention(Qwen3VLVisionAttention):
    """Qwen3-VL's attention within each frame, with frames of one size side by side in one call.

    transformers calls it frame by frame; of a video a GPU would spend most of its time on launching that.
    """

    def forward(
        self,
        hidden_states: Tensor,
        cu_seqlens: Tensor,
        position_embeddings: tuple[Tensor, Tensor] | None = None,
        max_seqlen: int | None = None,
        **kwargs: Any,
    ) -> Tensor:
        """Attend: patches (N, D) to (N, D)."""
        del max_seqlen, kwargs
        assert position_embeddings is not None
        query_NHd, key_NHd, value_NHd = (
            self.qkv(hidden_states).unflatten(-1, (3, self.num_heads, -1)).unbind(1)
        )
        query_NHd, key_NHd = apply_rotary_pos_emb_vision(query_NHd, key_NHd, *position_embeddings)
        outs, first = [], 0
        for length, run in groupby(cu_seqlens.diff().tolist()):
            stop = first + length * sum(1 for _ in run)
            query, key, value = (
                each[first:stop].unflatten(0, (-1, length)).transpose(1, 2)
                for each in (query_NHd, key_NHd, value_NHd)
            )
            out_THnd = scaled_dot_product_attention(query, key, value, scale=self.scaling)
            outs.append(out_THnd.transpose(1, 2).flatten(0, 1).flatten(1))
            first = stop
        return self.proj(outs[0] if len(outs) == 1 else torch.cat(outs))


def by_frames(seeing: Qwen3VLVisionModel) -> None:
    """Let a tower attend to frames of one size in one call; its weights and what it gives stay the same."""
    for block in seeing.blocks:
        attention: Any = block.attn
        attention.__class__ = FrameAttention


def tower(config: InternVideo3Config) -> Qwen3VLVisionModel | WindowedTower:
    """Make the tower that the configuration names."""
    if config.windowed:
        return WindowedTower._from_config(config.vision_config)
    made = Qwen3VLVisionModel._from_config(config.vision_config)
    by_frames(made)
    return made
