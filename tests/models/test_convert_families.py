"""Each text family with every pair of its keys kept equals what it was converted from."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")

from convert_cases import LOSSLESS, VOCABULARY, converted, nats, save_lively, texts, words  # noqa: E402
from transformers import (  # noqa: E402
    LlamaConfig,
    LlamaForCausalLM,
    MistralConfig,
    MistralForCausalLM,
    Qwen2Config,
    Qwen2ForCausalLM,
    Qwen3Config,
    Qwen3ForCausalLM,
)

from vidence.errors import UsageError  # noqa: E402
from vidence.models.internvideo3.convert.source import open_source  # noqa: E402

SHAPE = {
    "vocab_size": VOCABULARY,
    "hidden_size": 64,
    "intermediate_size": 96,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "head_dim": 16,
    "max_position_embeddings": 512,
    "bos_token_id": 1,
    "eos_token_id": 2,
}
LLAMA3 = {
    "rope_type": "llama3",
    "rope_theta": 5e5,
    "factor": 8.0,
    "low_freq_factor": 1.0,
    "high_freq_factor": 4.0,
    "original_max_position_embeddings": 64,
}
YARN = {"rope_type": "yarn", "rope_theta": 1e4, "factor": 8.0, "original_max_position_embeddings": 64}
FAMILIES: dict[str, tuple[Any, Any, dict[str, Any]]] = {
    "llama": (LlamaForCausalLM, LlamaConfig, {}),
    "llama with biases": (LlamaForCausalLM, LlamaConfig, {"attention_bias": True}),
    "llama3 scaling": (LlamaForCausalLM, LlamaConfig, {"rope_parameters": LLAMA3}),
    "llama, tied": (LlamaForCausalLM, LlamaConfig, {"tie_word_embeddings": True}),
    "llama, yarn": (LlamaForCausalLM, LlamaConfig, {"rope_parameters": YARN}),
    "qwen3": (Qwen3ForCausalLM, Qwen3Config, {}),
    "qwen3, yarn": (Qwen3ForCausalLM, Qwen3Config, {"rope_parameters": YARN}),
    "qwen2": (Qwen2ForCausalLM, Qwen2Config, {}),
    "mistral": (MistralForCausalLM, MistralConfig, {"sliding_window": None}),
}


def make(name: str, folder: Path, **changes: Any) -> Any:
    torch.manual_seed(0)
    model_class, config_class, own = FAMILIES[name]
    return save_lively(model_class(config_class(**{**SHAPE, **own, **changes})), folder)


@pytest.mark.parametrize("name", FAMILIES)
def test_with_every_pair_kept_the_model_is_its_source(name: str, tmp_path: Path) -> None:
    source = make(name, tmp_path / "source")
    model, done = converted(tmp_path / "source", tmp_path / "lossless", LOSSLESS, texts(8))
    assert done.measured.agreement["text"].nats < 1e-5
    for length in (
        30,
        100,
    ):  # beyond what it was calibrated on, and beyond where YaRN and Llama 3 begin to scale
        ids_BL = words(length, seed=9)
        with torch.no_grad():
            torch.testing.assert_close(model(ids_BL).logits, source(ids_BL).logits, atol=2e-5, rtol=1e-5)
    asked = {"max_new_tokens": 6, "do_sample": False}
    wanted_BL = source.generate(ids_BL, **asked)
    assert torch.equal(model.generate(ids_BL, **asked), wanted_BL)


@pytest.mark.parametrize("name", ["llama, yarn", "qwen2"])
def test_all_of_the_cache_loses_next_to_nothing_and_half_little(name: str, tmp_path: Path) -> None:
    """Pairs go into the latent here; without YaRN's factor on what they meet, all of the cache would lose 0.02."""
    source = make(name, tmp_path / "source")
    ids_BL = words(60, seed=9)
    for target, most in (("100%", 2e-3), ("50%", 0.2)):
        model, _ = converted(tmp_path / "source", tmp_path / target, target, texts(16))
        with torch.no_grad():
            assert nats(source(ids_BL).logits, model(ids_BL).logits) < most


def test_a_sliding_window_is_refused(tmp_path: Path) -> None:
    make("mistral", tmp_path, sliding_window=128)
    with pytest.raises(UsageError, match="sliding window"):
        open_source(tmp_path)


@pytest.mark.parametrize(
    ("name", "changes", "what"),
    [("llama", {"mlp_bias": True}, "MLP"), ("qwen2", {"hidden_act": "gelu"}, "gelu")],
)
def test_other_layers_are_refused(name: str, changes: dict[str, Any], what: str, tmp_path: Path) -> None:
    make(name, tmp_path, **changes)
    with pytest.raises(UsageError, match=what):
        open_source(tmp_path)
