"""The vision towers: Qwen3-VL's, or Qwen2.5-VL's with what it gives in the same form."""

# transformers declares these as variables of an instance and of each class in turn.
# pyright: reportIncompatibleVariableOverride=false

from __future__ import annotations

from typing import Any

from torch import Tensor
from transformers.models.qwen2_5_vl.modeling_qwen2_5_vl import Qwen2_5_VisionTransformerPretrainedModel
from transformers.models.qwen3_vl.modeling_qwen3_vl import (
    BaseModelOutputWithDeepstackFeatures,
    Qwen3VLVisionModel,
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


def tower(config: InternVideo3Config) -> Qwen3VLVisionModel | WindowedTower:
    """Make the tower that the configuration names."""
    return (WindowedTower if config.windowed else Qwen3VLVisionModel)._from_config(config.vision_config)
