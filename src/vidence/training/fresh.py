"""A model from nothing: a tokenizer of the words at hand, and a small Qwen3-VL with grouped-query attention."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast
from transformers.models.qwen3_vl.configuration_qwen3_vl import Qwen3VLConfig
from transformers.models.qwen3_vl.modeling_qwen3_vl import Qwen3VLForConditionalGeneration

from vidence.models.internvideo3.processing import (
    IMAGE,
    VIDEO,
    VISION_END,
    VISION_START,
    InternVideo3Processor,
)
from vidence.training.chat import END, START

PAD = "<|endoftext|>"
SPECIAL = (PAD, START, END, VISION_START, VISION_END, IMAGE, VIDEO)


@dataclass(frozen=True, slots=True)
class Size:
    """How large a model is. `frequencies` of a head's rotation are shared out to time, height and width.

    tower_taps of the tower's last layers feed the decoder's first (DeepStack); patch_px is the side of a patch, of
    which the tower makes 2 x 2 a token.
    """

    width: int = 128
    layers: int = 4
    heads: int = 4
    key_value_heads: int = 2
    head_width: int = 32
    inner: int = 384
    tower_width: int = 96
    tower_layers: int = 3
    tower_heads: int = 3
    tower_taps: int = 2
    patch_px: int = 16
    tokens: int = 1024

    @property
    def section(self) -> list[int]:
        """Return how many frequencies turn with time, height and width."""
        frequencies = self.head_width // 2
        return [frequencies - 2 * (frequencies // 3), frequencies // 3, frequencies // 3]


def tokenizer(texts: Iterable[str], tokens: int) -> PreTrainedTokenizerFast:
    """Learn byte pairs from texts, with the marks of Qwen's conversations; digits stand alone."""
    pairs = Tokenizer(models.BPE())
    split = [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    pairs.pre_tokenizer = pre_tokenizers.Sequence(split)  # type: ignore[assignment]
    pairs.decoder = decoders.ByteLevel()  # type: ignore[assignment]
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=tokens, initial_alphabet=alphabet, special_tokens=list(SPECIAL), show_progress=False
    )
    pairs.train_from_iterator(texts, trainer)
    return PreTrainedTokenizerFast(
        tokenizer_object=pairs,
        eos_token=END,
        pad_token=PAD,
        additional_special_tokens=[each for each in SPECIAL if each not in (PAD, END)],
    )


def write_fresh(
    folder: Path,
    words: PreTrainedTokenizerFast,
    size: Size,
    *,
    seed: int = 0,
    video_limits: Mapping[str, Any] | None = None,
) -> None:
    """Write a model of random weights and its processor."""
    processor = InternVideo3Processor(
        words,
        patches={"patch_px": size.patch_px},
        video_limits={"min_frames": 2, "min_pixels": 1024} | dict(video_limits or {}),
        image_limits={"min_pixels": 1024},
    )
    marks = {
        name: getattr(processor, name)
        for name in ("image_token_id", "video_token_id", "vision_start_token_id", "vision_end_token_id")
    }
    rope = {
        "rope_type": "default",
        "rope_theta": 10_000.0,
        "mrope_section": size.section,
        "mrope_interleaved": True,
    }
    text = {
        "vocab_size": len(words),
        "hidden_size": size.width,
        "intermediate_size": size.inner,
        "num_hidden_layers": size.layers,
        "num_attention_heads": size.heads,
        "num_key_value_heads": size.key_value_heads,
        "head_dim": size.head_width,
        "max_position_embeddings": 262_144,
        "rope_parameters": rope,
        "pad_token_id": words.pad_token_id,
        "eos_token_id": words.eos_token_id,
        "bos_token_id": None,
    }
    vision = {
        "depth": size.tower_layers,
        "hidden_size": size.tower_width,
        "intermediate_size": 4 * size.tower_width,
        "num_heads": size.tower_heads,
        "out_hidden_size": size.width,
        "patch_size": size.patch_px,
        "deepstack_visual_indexes": list(range(size.tower_layers - size.tower_taps, size.tower_layers)),
        "num_position_embeddings": 16**2,
    }
    torch.manual_seed(seed)
    config = Qwen3VLConfig(text_config=text, vision_config=vision, tie_word_embeddings=True, **marks)
    model = Qwen3VLForConditionalGeneration(config)
    with (
        torch.no_grad()
    ):  # 0.02, transformers' start, is for wide models: narrow ones would attend evenly for long
        for name, weight in model.named_parameters():
            if weight.ndim == 2 and "embed" not in name:
                weight.normal_(0, weight.shape[1] ** -0.5)
    model.save_pretrained(folder)
    processor.save_pretrained(folder)
