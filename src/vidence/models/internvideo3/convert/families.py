"""The families of models that are converted, and the configuration that each one's latent twin starts from."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from transformers import PreTrainedConfig

from vidence.errors import UsageError
from vidence.models.internvideo3.config import EXACT, InternVideo3TextConfig

VISUAL = {"qwen3_vl", "qwen2_5_vl"}
TEXT = {"qwen3", "qwen2", "llama", "mistral"}
_SECTION = [16, 24, 24]  # Qwen2.5-VL's, where its file names none
_COPIED = (
    "vocab_size",
    "hidden_size",
    "intermediate_size",
    "num_hidden_layers",
    "num_attention_heads",
    "num_key_value_heads",
    "head_dim",
    "hidden_act",
    "max_position_embeddings",
    "rms_norm_eps",
    "rope_parameters",
    "initializer_range",
    "attention_dropout",
    "bos_token_id",
    "eos_token_id",
    "pad_token_id",
    "tie_word_embeddings",
)


def twin_config(
    directory: Path, config: PreTrainedConfig, shapes: Mapping[str, tuple[int, ...]], prefix: str
) -> InternVideo3TextConfig:
    """Return the decoder's configuration as latent attention of rank 1, from which a conversion starts.

    Raises:
        UsageError: its attention or MLP is of a kind that cannot be converted, naming what it has.
    """
    text: Any = config.get_text_config(decoder=True)
    _refuse(directory, text)
    fields = {name: getattr(text, name) for name in _COPIED if getattr(text, name, None) is not None}
    head = fields.get("head_dim") or text.hidden_size // text.num_attention_heads
    rope = dict(fields["rope_parameters"])
    if config.model_type in TEXT:  # one axis turns all frequencies
        rope |= {"mrope_section": [head // 2, 0, 0], "mrope_interleaved": True}
    elif config.model_type == "qwen2_5_vl":
        rope.pop("type", None)  # files of older versions say "mrope" there
        rope = {"mrope_section": [*_SECTION], **rope, "mrope_interleaved": False}
    start = f"{prefix}layers.0.self_attn."
    return InternVideo3TextConfig(
        **fields
        | {
            "head_dim": head,
            "qk_nope_head_dim": head,
            "v_head_dim": head,
            "num_key_value_heads": text.num_key_value_heads or text.num_attention_heads,
            "rope_parameters": rope,
            "attention_layout": EXACT,
            "attention_bias": f"{start}q_proj.bias" in shapes,
            "attention_output_bias": True,
            "qk_norm": f"{start}q_norm.weight" in shapes,
            "kv_lora_rank": 1,
            "qk_rope_head_dim": 2,
        }
    )


def _refuse(directory: Path, text: Any) -> None:
    faults = []
    if text.hidden_act != "silu":
        faults.append(f"hidden_act {text.hidden_act!r} instead of 'silu'")
    if getattr(text, "partial_rotary_factor", None) not in (None, 1, 1.0):
        faults.append(f"partial_rotary_factor {text.partial_rotary_factor}")
    if getattr(text, "mlp_bias", False):
        faults.append("biases in its MLP")
    kinds = set(getattr(text, "layer_types", None) or ()) - {"full_attention"}
    sliding = getattr(text, "sliding_window", None) and getattr(text, "use_sliding_window", True)
    if kinds or (sliding and text.sliding_window < text.max_position_embeddings):
        faults.append("attention over a sliding window")
    if faults:
        raise UsageError(f"{directory}: this model cannot be converted, as it has {' and '.join(faults)}")
