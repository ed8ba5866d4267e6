"""Attention of a packed row of a grouped-query model, whose samples transformers would tell apart by a mask."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torch import Tensor, nn
from transformers import AttentionInterface, AttentionMaskInterface, PreTrainedModel
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.masking_utils import sdpa_mask

from vidence.models.internvideo3.prefill import attend_apart

NAME = "vidence_apart"


def attends_apart(model: PreTrainedModel) -> None:
    """Let a model's decoder attend sample by sample where it is told `ends`, and as ever where it is not."""
    AttentionInterface.register(NAME, _attention)
    AttentionMaskInterface.register(NAME, sdpa_mask)
    model.config.get_text_config(decoder=True)._attn_implementation = NAME


def _attention(
    module: nn.Module,
    query_BHLd: Tensor,
    key_BGSd: Tensor,
    value_BGSd: Tensor,
    attention_mask: Tensor | None,
    *,
    scaling: float | None = None,
    ends: Sequence[int] | None = None,
    **kwargs: Any,
) -> tuple[Tensor, None]:
    given: Any = sdpa_attention_forward
    if ends is None:
        return given(module, query_BHLd, key_BGSd, value_BGSd, attention_mask, scaling=scaling, **kwargs)
    share = query_BHLd.shape[1] // key_BGSd.shape[1]
    key_BHSd, value_BHSd = (each.repeat_interleave(share, 1) for each in (key_BGSd, value_BGSd))
    scale = query_BHLd.shape[-1] ** -0.5 if scaling is None else scaling
    out_BHLd = attend_apart(query_BHLd, key_BHSd, value_BHSd, ends, scale)
    return out_BHLd.transpose(1, 2).contiguous(), None
