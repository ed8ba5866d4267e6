"""The configuration: published defaults, per-layer shapes, mRoPE axes, and faults named by field."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch")
pytest.importorskip("transformers")

import torch
from tiny_models import special_tokens, tiny_text, tiny_vision
from transformers import AutoConfig
from transformers.models.qwen3_vl.modeling_qwen3_vl import Qwen3VLTextRotaryEmbedding

from vidence.errors import UsageError
from vidence.models.internvideo3.config import (
    InternVideo3Config,
    InternVideo3TextConfig,
    even_frequencies,
    mrope_axes,
)
from vidence.models.internvideo3.modeling import InternVideo3ForConditionalGeneration


def test_defaults_are_the_published_model() -> None:
    config = InternVideo3Config()
    with torch.device("meta"):
        model = InternVideo3ForConditionalGeneration(config)
    assert round(sum(one.numel() for one in model.parameters()) / 1e9, 3) == 9.485
    shape = config.text_config.latent_shape(35)
    assert (shape.rank, shape.rope_width, config.text_config.scale) == (896, 128, 256**-0.5)


def test_a_round_trip_keeps_every_field(tmp_path: Path) -> None:
    text = tiny_text(
        kv_lora_rank=[8, 16, 24, 24], kv_lora_rank_vision=8, rope_frequencies=[[0, 0], [1], [], [7]]
    )
    config = InternVideo3Config(text_config=text, vision_config=tiny_vision(), **special_tokens())
    config.save_pretrained(tmp_path)
    again = AutoConfig.from_pretrained(tmp_path)
    for part in ("text_config", "vision_config"):
        assert getattr(again, part).to_dict() == getattr(config, part).to_dict()
    assert [again.text_config.latent_shape(layer) for layer in range(4)] == [
        config.text_config.latent_shape(layer) for layer in range(4)
    ]
    assert text["kv_lora_rank"] == [8, 16, 24, 24]  # what was passed in is left as it was


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"kv_lora_rank": [8, 8]}, "kv_lora_rank: has 2 entries for 4 layers"),
        ({"kv_lora_rank": 0}, "kv_lora_rank: layer 0 has a rank below 1"),
        ({"rope_frequencies": [[8]] * 4}, r"rope_frequencies: layer 0 names one outside 0\.\.7"),
        ({"rope_frequencies": [[1]] * 3}, "rope_frequencies: has 3 entries"),
        ({"attention_layout": "gqa"}, "attention_layout: 'gqa' is none of exact, release"),
        ({"latent_storage": "int4"}, "latent_storage: 'int4' is none of float, int8"),
        ({"num_key_value_heads": 3}, "num_attention_heads: 4 is no multiple of 3"),
        ({"qk_nope_head_dim": 8}, "qk_nope_head_dim: 8 differs from head_dim 16"),
        (
            {"attention_layout": "release", "kv_lora_rank_vision": 8},
            "kv_lora_rank_vision: the release layout",
        ),
    ],
)
def test_a_fault_names_its_field(changes: dict[str, Any], told: str) -> None:
    with pytest.raises(UsageError, match=told):
        InternVideo3TextConfig(**tiny_text(**changes))


def test_axes_are_those_that_turn_each_frequency() -> None:
    """Moving a token along one axis changes the angles of that axis's frequencies and no others."""
    config = InternVideo3TextConfig()
    rotary = Qwen3VLTextRotaryEmbedding(config)
    axes = mrope_axes([24, 20, 20], 64)
    assert [axes.count(axis) for axis in (0, 1, 2)] == [24, 20, 20]
    for axis in range(3):
        positions = torch.zeros(3, 1, 2)
        positions[axis, 0, 1] = 1.0
        _, sin = rotary(torch.zeros(1, 2, 1), positions)
        turned = (sin[0, 1, :64] != sin[0, 0, :64]).tolist()
        assert turned == [one == axis for one in axes]


def test_default_frequencies_cover_all_axes() -> None:
    chosen = even_frequencies(32, 64)
    axes = mrope_axes([24, 20, 20], 64)
    assert len(set(chosen)) == 32
    assert {axes[one] for one in chosen} == {0, 1, 2}
    assert even_frequencies(10, 8)[8:] == (0, 1)
