"""The decoder: Qwen3's layers around latent attention (M²LA), with DeepStack's additions, for text alone with its head.

B batch, L tokens, D hidden width. Positions are those of Qwen3-VL: one row for text order, three for time, height
and width.
"""

# transformers declares these as variables of an instance and of each class in turn.
# pyright: reportIncompatibleVariableOverride=false
from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, cast

import torch
from torch import Tensor, nn
from transformers import AutoModel, AutoModelForCausalLM
from transformers.cache_utils import Cache
from transformers.modeling_layers import GradientCheckpointingLayer
from transformers.modeling_outputs import BaseModelOutputWithPast, CausalLMOutputWithPast
from transformers.modeling_utils import PreTrainedModel, slice_logits_to_keep
from transformers.models.qwen3_vl.modeling_qwen3_vl import (
    Qwen3VLTextMLP,
    Qwen3VLTextModel,
    Qwen3VLTextRMSNorm,
)
from transformers.utils.generic import can_return_tuple, merge_with_config_defaults
from transformers.utils.output_capturing import capture_outputs

from vidence.errors import UsageError
from vidence.models.internvideo3.config import InternVideo3TextConfig
from vidence.models.internvideo3.latent import Held, LatentCache
from vidence.models.internvideo3.ledger import PADDING, TEXT, VISION
from vidence.models.internvideo3.m2la import attention
from vidence.models.internvideo3.prefill import Visible
from vidence.models.internvideo3.pretrained import LatentGenerationMixin, LatentModel
from vidence.models.internvideo3.rope import rotary

PREFILL_TOKENS = 16_384  # at once with a cache: the 8B model's widest layer then takes 1.2 GB of bfloat16


@dataclass(frozen=True, slots=True)
class _Deep:
    """Which tokens are vision (B, L), and for the first layers what DeepStack adds to them, (N, D) each."""

    mask_BL: Tensor | None
    features: list[Tensor]

    def span(self, tokens: slice) -> _Deep:
        """Return those of a stretch of tokens; features stand in the order of sequences, then tokens."""
        if self.mask_BL is None:
            return self
        inside_BL = torch.zeros_like(self.mask_BL)
        inside_BL[:, tokens] = True
        kept_N = inside_BL[self.mask_BL]
        return _Deep(
            self.mask_BL[:, tokens], [feature[kept_N.to(feature.device)] for feature in self.features]
        )


class InternVideo3DecoderLayer(GradientCheckpointingLayer):
    """Qwen3's decoder layer around latent attention."""

    def __init__(self, config: InternVideo3TextConfig, layer_idx: int) -> None:
        super().__init__()
        self.self_attn = attention(config, layer_idx)
        self.mlp = Qwen3VLTextMLP(config)
        self.input_layernorm = Qwen3VLTextRMSNorm(config.hidden_size, eps=config.rms_norm_eps)
        self.post_attention_layernorm = Qwen3VLTextRMSNorm(config.hidden_size, eps=config.rms_norm_eps)

    def forward(self, hidden_states: Tensor, **kwargs: Any) -> Tensor:
        """Attend and transform: (B, L, D) to (B, L, D)."""
        hidden_states = hidden_states + self.self_attn(self.input_layernorm(hidden_states), **kwargs)
        return hidden_states + self.mlp(self.post_attention_layernorm(hidden_states))


class InternVideo3TextModel(LatentModel, Qwen3VLTextModel):
    """The decoder without its head."""

    config: InternVideo3TextConfig
    config_class = InternVideo3TextConfig
    _can_record_outputs: ClassVar[dict[str, Any]] = {"hidden_states": InternVideo3DecoderLayer}

    def __init__(self, config: InternVideo3TextConfig) -> None:
        PreTrainedModel.__init__(self, config)
        self.padding_idx, self.vocab_size = config.pad_token_id, config.vocab_size
        self.embed_tokens = nn.Embedding(config.vocab_size, config.hidden_size, self.padding_idx)
        layers = [InternVideo3DecoderLayer(config, index) for index in range(config.num_hidden_layers)]
        self.layers = nn.ModuleList(layers)
        self.norm = Qwen3VLTextRMSNorm(config.hidden_size, eps=config.rms_norm_eps)
        self.rotary_emb = rotary(config)
        self.gradient_checkpointing = False
        self.prefill_tokens = PREFILL_TOKENS
        self.post_init()

    @merge_with_config_defaults
    @capture_outputs
    def forward(
        self,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        position_ids: Tensor | None = None,
        past_key_values: Cache | Held | None = None,
        inputs_embeds: Tensor | None = None,
        use_cache: bool | None = None,
        visual_pos_masks: Tensor | None = None,
        deepstack_visual_embeds: list[Tensor] | None = None,
        seen: Visible | None = None,
        **kwargs: Any,
    ) -> BaseModelOutputWithPast:
        """Run the decoder.

        attention_mask (B, T or L): 0 where padding. Without a cache its values may number samples that are packed in
        one row; tokens of different numbers do not see each other. position_ids (3 or 4, B, L) or (B, L).
        visual_pos_masks (B, L): which tokens are vision, with deepstack_visual_embeds for the first layers.
        seen: what each token sees, where that is not told by attention_mask alone; not with a cache.
        A cache is made where use_cache asks for one and gradients are off; with one, `prefill_tokens` are run at once.

        Raises:
            UsageError: both or neither of input_ids and inputs_embeds, or a cache that is not latent.
        """
        del kwargs
        if (input_ids is None) == (inputs_embeds is None):
            raise UsageError("pass exactly one of input_ids and inputs_embeds")
        hidden_BLD = self.embed_tokens(input_ids) if inputs_embeds is None else inputs_embeds
        cache = _latent_cache(past_key_values, self.config, bool(use_cache))
        position_ids_3BL = self._positions(position_ids, hidden_BLD, cache)
        kinds_BL, segments_BL = _kinds(attention_mask, visual_pos_masks, hidden_BLD)
        deep = _Deep(visual_pos_masks, deepstack_visual_embeds or [])
        length = hidden_BLD.shape[1]
        if cache is None:
            seen = seen or Visible((length,), segments_BL=segments_BL)
            hidden_BLD = self._run(hidden_BLD, position_ids_3BL, kinds_BL, seen, None, deep)
        else:
            cache.expect(kinds_BL)
            step, parts = self.prefill_tokens, []
            for span in (slice(start, start + step) for start in range(0, length, step)):
                part = hidden_BLD[:, span], position_ids_3BL[..., span], kinds_BL[:, span]
                parts.append(self._run(*part, None, cache, deep.span(span)))
            hidden_BLD = parts[0] if len(parts) == 1 else torch.cat(parts, 1)
        return BaseModelOutputWithPast(
            last_hidden_state=self.norm(hidden_BLD), past_key_values=cast(Cache | None, cache)
        )

    def _run(
        self,
        hidden_BLD: Tensor,
        position_ids_3BL: Tensor,
        kinds_BL: Tensor,
        seen: Visible | None,
        cache: Held | None,
        deep: _Deep,
    ) -> Tensor:
        """Run the layers on some tokens, those before them being in the cache."""
        shared = {
            "position_embeddings": self.rotary_emb(hidden_BLD, position_ids_3BL),
            "kinds_BL": None if deep.mask_BL is None else kinds_BL,
            "seen": seen,
            "plan": None if cache is None else cache.begin(kinds_BL, position_ids_3BL.amax(0), hidden_BLD),
            "past_key_values": cache,
        }
        for index, layer in enumerate(self.layers):
            hidden_BLD = layer(hidden_BLD, **shared)
            if index < len(deep.features) and deep.mask_BL is not None:
                hidden_BLD = self._deepstack_process(hidden_BLD, deep.mask_BL, deep.features[index])
        return hidden_BLD

    def _positions(self, position_ids: Tensor | None, hidden_BLD: Tensor, cache: Held | None) -> Tensor:
        if position_ids is None:
            batch, length = hidden_BLD.shape[:2]
            past = 0 if cache is None else cache.get_seq_length()
            position_ids = torch.arange(past, past + length, device=hidden_BLD.device).expand(batch, -1)
        if position_ids.ndim == 2:
            return position_ids[None].expand(3, -1, -1)
        return position_ids[-3:]  # four rows: the first is the text order, which the ledger keeps by itself


class InternVideo3ForCausalLM(LatentModel, LatentGenerationMixin):
    """The decoder with its head, for text alone."""

    config: InternVideo3TextConfig
    config_class = InternVideo3TextConfig
    base_model_prefix = "model"
    _tied_weights_keys: ClassVar[dict[str, str]] = {"lm_head.weight": "model.embed_tokens.weight"}

    def __init__(self, config: InternVideo3TextConfig) -> None:
        super().__init__(config)
        self.model = InternVideo3TextModel(config)
        self.lm_head = nn.Linear(config.hidden_size, config.vocab_size, bias=False)
        self.post_init()

    @can_return_tuple
    def forward(
        self,
        input_ids: Tensor | None = None,
        labels: Tensor | None = None,
        logits_to_keep: int | Tensor = 0,
        **kwargs: Any,
    ) -> CausalLMOutputWithPast:
        """Return logits (B, L, vocabulary), and the loss where `labels` are given."""
        outputs = self.model(input_ids=input_ids, **kwargs)
        logits = self.lm_head(slice_logits_to_keep(outputs.last_hidden_state, logits_to_keep))
        loss = None
        if labels is not None:
            loss = self.loss_function(
                logits=logits, labels=labels, vocab_size=self.config.vocab_size, **kwargs
            )
        return CausalLMOutputWithPast(loss, logits, outputs.past_key_values, outputs.hidden_states)


def _latent_cache(given: Cache | Held | None, config: InternVideo3TextConfig, wanted: bool) -> Held | None:
    if given is None:
        return LatentCache(config) if wanted and not torch.is_grad_enabled() else None
    if not isinstance(given, Held):
        raise UsageError(
            f"past_key_values is a {type(given).__name__}; this model's is LatentCache(config.text_config)"
        )
    if torch.is_grad_enabled():
        raise UsageError(
            "cached rows carry no gradient; leave past_key_values out, or run under torch.no_grad()"
        )
    return given


def _kinds(mask: Tensor | None, visual: Tensor | None, hidden_BLD: Tensor) -> tuple[Tensor, Tensor | None]:
    """Return what each new token is, and the mask of the new tokens where it says anything."""
    batch, length = hidden_BLD.shape[:2]
    kinds_BL = torch.full((batch, length), TEXT, dtype=torch.uint8, device=hidden_BLD.device)
    if visual is not None:
        kinds_BL[visual.to(kinds_BL.device)] = VISION
    if mask is None:
        return kinds_BL, None
    if mask.ndim != 2:
        raise UsageError(f"attention_mask has {mask.ndim} axes; it is (batch, tokens), 0 where padding")
    segments_BL = mask[:, -length:].to(kinds_BL.device, torch.int32)
    kinds_BL[segments_BL == 0] = PADDING
    return kinds_BL, None if bool((segments_BL == 1).all()) else segments_BL


AutoModel.register(InternVideo3TextConfig, InternVideo3TextModel, exist_ok=True)
AutoModelForCausalLM.register(InternVideo3TextConfig, InternVideo3ForCausalLM, exist_ok=True)
