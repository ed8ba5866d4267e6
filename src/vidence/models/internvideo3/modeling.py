"""The model: the vision tower of Qwen3-VL or Qwen2.5-VL before a decoder whose attention is latent (M²LA).

B batch, L tokens. Positions are those of the tower's family: one row for text order, three for time, height and width.
"""

# transformers declares these as variables of an instance and of each class in turn.
# pyright: reportIncompatibleVariableOverride=false

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, cast

from torch import Tensor, nn
from transformers import AutoModel, AutoModelForCausalLM, AutoModelForImageTextToText
from transformers.modeling_utils import PreTrainedModel
from transformers.models.qwen2_5_vl.modeling_qwen2_5_vl import Qwen2_5_VLModel
from transformers.models.qwen3_vl.modeling_qwen3_vl import Qwen3VLForConditionalGeneration, Qwen3VLModel

from vidence.models.internvideo3.config import InternVideo3Config
from vidence.models.internvideo3.decoder import InternVideo3ForCausalLM, InternVideo3TextModel
from vidence.models.internvideo3.latent import LatentCache
from vidence.models.internvideo3.positions import GRIDS, continued_positions, new_tokens
from vidence.models.internvideo3.pretrained import LatentGenerationMixin, LatentModel
from vidence.models.internvideo3.tower import tower

__all__ = [
    "InternVideo3ForCausalLM",
    "InternVideo3ForConditionalGeneration",
    "InternVideo3Model",
    "InternVideo3TextModel",
]


_PLACING = (*GRIDS, "attention_mask", "mm_token_type_ids", "past_key_values")  # what positions depend on


class InternVideo3Model(LatentModel, Qwen3VLModel):
    """Vision tower and decoder without the head; Qwen3-VL's own code joins them."""

    config: InternVideo3Config
    config_class = InternVideo3Config

    def __init__(self, config: InternVideo3Config) -> None:
        PreTrainedModel.__init__(self, config)
        self.visual = tower(config)
        self.language_model = InternVideo3TextModel._from_config(config.text_config)
        self.rope_deltas = None
        self.post_init()

    def forward(  # pyright: ignore[reportIncompatibleMethodOverride]  # what it names it hands on by name
        self,
        input_ids: Tensor | None = None,
        position_ids: Tensor | None = None,
        inputs_embeds: Tensor | None = None,
        second_per_grid_ts: Tensor | Sequence[float] | None = None,
        **kwargs: Any,
    ) -> Any:
        """Run tower and decoder; `second_per_grid_ts`, a number a video, is how long a temporal patch lasts.

        Only Qwen2.5-VL's rule of positions asks for it; Qwen3-VL's prompts name the times.
        """
        if second_per_grid_ts is not None and position_ids is None:
            given = {name: kwargs.get(name) for name in _PLACING} | {"second_per_grid_ts": second_per_grid_ts}
            position_ids = self.compute_3d_position_ids(input_ids, inputs_embeds, **given)
        return super().forward(
            input_ids=cast(Any, input_ids),
            position_ids=cast(Any, position_ids),
            inputs_embeds=cast(Any, inputs_embeds),
            **kwargs,
        )

    def get_rope_index(  # pyright: ignore[reportIncompatibleMethodOverride]  # grids by name alone
        self, input_ids: Tensor, mm_token_type_ids: Tensor, **kwargs: Any
    ) -> tuple[Tensor, Tensor]:
        """Return positions (3, B, L) by the rule of the tower's family, and how far they run ahead of the tokens."""
        ids, types = cast(Any, input_ids), cast(Any, mm_token_type_ids)
        if self.config.windowed:
            return Qwen2_5_VLModel.get_rope_index(cast(Any, self), ids, types, **kwargs)
        return super().get_rope_index(ids, types, **kwargs)

    def compute_3d_position_ids(
        self, input_ids: Tensor | None, inputs_embeds: Tensor | None, *args: Any, **kwargs: Any
    ) -> Tensor | None:
        """Return positions (3, B, L), counted on from the cache where there is one."""
        cache = kwargs.get("past_key_values")
        if isinstance(cache, LatentCache) and cache.get_seq_length():
            tokens = input_ids if input_ids is not None else inputs_embeds
            assert tokens is not None  # forward has checked that one of the two is given
            return continued_positions(self, cache, tokens if tokens.ndim == 2 else tokens[..., 0], kwargs)
        seconds = kwargs.pop("second_per_grid_ts", None)
        if seconds is not None and input_ids is not None and kwargs.get("mm_token_type_ids") is not None:
            return self.get_rope_index(input_ids, second_per_grid_ts=seconds, **kwargs)[0]
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

    def _validate_model_kwargs(self, model_kwargs: dict[str, Any]) -> None:
        # transformers looks for names in the signature of Qwen3-VL's forward, which hands this one on unnamed.
        known = {name: value for name, value in model_kwargs.items() if name != "second_per_grid_ts"}
        super()._validate_model_kwargs(known)  # type: ignore[attr-defined]

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
