"""The shape of a tiny Qwen2.5-VL: 3 layers of 4 heads on 2, 16 wide each (8 frequencies), and 2 blocks that see."""

from __future__ import annotations

from typing import Any

from convert_cases import VOCABULARY

SHAPE: dict[str, Any] = {
    "vocab_size": VOCABULARY,
    "hidden_size": 64,
    "intermediate_size": 96,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 32_768,
    "rope_scaling": {"type": "mrope", "mrope_section": [2, 2, 4]},
    "rope_theta": 1e6,
    "bos_token_id": 1,
    "eos_token_id": 2,
}
TOWER: dict[str, Any] = {
    "depth": 2,
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_heads": 2,
    "out_hidden_size": 64,
    "fullatt_block_indexes": [1],
    "window_size": 56,  # two tokens: most pictures below have several windows
    "tokens_per_second": 2,
}
