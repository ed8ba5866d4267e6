"""The model: Qwen3-VL's vision tower, merger and DeepStack before a decoder whose attention is latent (M²LA).

B batch, L tokens. Positions are those of Qwen3-VL: one row for text order, three for time, height and width.
"""

# transformers declares these as variables of an instance and of each class in turn.
# pyright: reportIncompatibleVariableOverride=false

from __future__ import annotations

from typing import Any, ClassVar

from torch import Tensor, nn
from transformers import AutoModel, AutoModelForCausalLM, AutoModelForImageTextToText
from transformers.modeling_utils import PreTrainedModel
from transformers.models.qwen3_vl.modeling_qwen3_vl import Qwen3VLForConditionalGeneration, Qwen3VLModel

from vidence.models.internvideo3.config import InternVideo3Config
from vidence.models.internvideo3.decoder import InternVideo3ForCausalLM, InternVideo3TextModel
from vidence.models.internvideo3.latent import LatentCache
from vidence.models.internvideo3.positions import continued_positions, new_tokens
from vidence.models.internvideo3.pretrained import LatentGenerationMixin, LatentModel

__all__ = [
    "InternVideo3ForCausalLM",
    "InternVideo3ForConditionalGeneration",
    "InternVideo3Model",
    "InternVideo3TextModel",
]


class InternVideo3Model(LatentModel, Qwen3VLModel):
    """Vision tower and decoder without the head; Qwen3-VL's own code joins them."""

    config: InternVideo3Config
    config_class = InternVideo3Config

    def compute_3d_position_ids(
        self, input_ids: Tensor | None, inputs_embeds: Tensor | None, *args: Any, **kwargs: Any
    ) -> Tensor | None:
        """Return positions (3, B, L), counted on from the cache where there is one."""
        cache = kwargs.get("past_key_values")
        if isinstance(cache, LatentCache) and cache.get_seq_length():
            tokens = input_ids if input_ids is not None else inputs_embeds
            assert tokens is not None  # forward has checked that one of the two is given
            return continued_positions(self, cache, tokens if tokens.ndim == 2 else tokens[..., 0], kwargs)
        return super().compute_3d_position_ids(input_ids, inputs_embeds, *args, **kwargs)


class InternVideo3ForConditionalGeneration(
    LatentModel, LatentGenerationMixin, Qwen3VLForConditionalGeneration
):
    """Images, videos and text in; text out."""

    config: InternVideo3Config
    config_class = InternVideo3Config
    _tied_weights_keys: ClassVar[dict[str, str]] = {
        "lm_head.weight": "model.language_model.embed_tokens.weight"
    }

    def __init__(self, config: InternVideo3Config) -> None:
        PreTrainedModel.__init__(self, config)
        self.model = InternVideo3Model(config)
        text = config.get_text_config(decoder=True)
        self.lm_head = nn.Linear(text.hidden_size, text.vocab_size, bias=False)
        self.post_init()

    def _prepare_position_ids_for_generation(
        self, inputs_tensor: Tensor, model_kwargs: dict[str, Any]
    ) -> Tensor:
        cache = model_kwargs.get("past_key_values")
        if not isinstance(cache, LatentCache) or not cache.get_seq_length():
            return super()._prepare_position_ids_for_generation(inputs_tensor, model_kwargs)
        ids_BT = model_kwargs.get("input_ids", inputs_tensor)
        new_BL = new_tokens(ids_BT, model_kwargs.get("attention_mask"), cache.get_seq_length())
        return continued_positions(self.model, cache, new_BL, model_kwargs)


AutoModel.register(InternVideo3Config, InternVideo3Model, exist_ok=True)
AutoModelForCausalLM.register(InternVideo3Config, InternVideo3ForConditionalGeneration, exist_ok=True)
AutoModelForImageTextToText.register(InternVideo3Config, InternVideo3ForConditionalGeneration, exist_ok=True)
