"""Tiny grouped-query models with random weights, in folders, to be converted."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from tiny_models import ROPE, prompt, special_tokens, tiny_text, tiny_vision
from transformers import Qwen3Config, Qwen3ForCausalLM
from transformers.models.qwen3_vl.configuration_qwen3_vl import Qwen3VLConfig
from transformers.models.qwen3_vl.modeling_qwen3_vl import Qwen3VLForConditionalGeneration

from vidence.models.internvideo3.convert.budget import Target, parse_target
from vidence.models.internvideo3.convert.samples import Corpus, text_sample
from vidence.models.internvideo3.convert.seeing import Eyes
from vidence.models.internvideo3.convert.source import Source, open_source

_LATENT = ("attention_layout", "kv_lora_rank", "qk_rope_head_dim", "qk_nope_head_dim", "v_head_dim")


def shape(**changes: Any) -> dict[str, Any]:
    """Return the decoder's configuration without what is latent about it."""
    return {name: value for name, value in tiny_text(**changes).items() if name not in _LATENT}


def seeing_source(folder: Path, seed: int = 0, **changes: Any) -> Source:
    """Write a tiny Qwen3-VL and open it."""
    config = Qwen3VLConfig(
        text_config=shape(**changes),
        vision_config=tiny_vision(),
        tie_word_embeddings=False,
        **special_tokens(),
    )
    return _written(Qwen3VLForConditionalGeneration, config, folder, seed)


def text_source(folder: Path, seed: int = 0, **changes: Any) -> Source:
    """Write a tiny Qwen3 and open it."""
    rope = {"rope_type": "default", "rope_theta": ROPE["rope_theta"]}
    return _written(Qwen3ForCausalLM, Qwen3Config(**shape(rope_parameters=rope, **changes)), folder, seed)


def seen_corpus(source: Source, count: int = 8) -> Corpus:
    """Return sequences with two videos among text, and some of text alone."""
    eyes = Eyes(source)
    seen = [eyes.sample(prompt(5 + at, (2, 4, 4), 7, (3, 4, 8), 9)) for at in range(count)]
    return Corpus((*seen, *text_corpus(source, max(count // 4, 1)).samples), ({"file": "drawn"},))


def text_corpus(source: Source, count: int = 8, length: int = 48) -> Corpus:
    """Return sequences of random text."""
    generator = torch.Generator().manual_seed(1)
    high = min(source.text.vocab_size, 200)
    drawn = [torch.randint(1, high, (length,), generator=generator) for _ in range(count)]
    return Corpus(tuple(text_sample(ids_L) for ids_L in drawn), ({"file": "drawn"},))


def target(source: Source, text: str) -> Target:
    """Read a target for a source."""
    shape = source.text
    return parse_target(
        text, layers=shape.num_hidden_layers, groups=shape.key_value_heads, width=shape.head_dim
    )


def _written(model_class: Any, config: Any, folder: Path, seed: int) -> Source:
    torch.manual_seed(seed)
    model = model_class(config).eval()
    with torch.no_grad():  # a start from 0.02 leaves attention nearly uniform, which would test little
        for name, weight in model.named_parameters():
            if "visual" not in name and weight.ndim == 2:
                weight.normal_(0, weight.shape[1] ** -0.5)
            elif "q_norm" in name or "k_norm" in name:
                weight.uniform_(0.7, 1.5)
    model.save_pretrained(folder)
    return open_source(folder)
