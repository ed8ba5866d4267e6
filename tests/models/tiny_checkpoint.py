"""Folders as `vidence chat` and `vidence convert` take them: tiny models with random weights, and their processor."""

from __future__ import annotations

from pathlib import Path

import torch
from processor_cases import tiny_tokenizer
from tiny_models import tiny_text, tiny_vision
from tiny_sources import shape
from transformers.models.qwen3_vl.configuration_qwen3_vl import Qwen3VLConfig
from transformers.models.qwen3_vl.modeling_qwen3_vl import Qwen3VLForConditionalGeneration

from vidence.models.internvideo3.config import InternVideo3Config
from vidence.models.internvideo3.modeling import InternVideo3ForConditionalGeneration
from vidence.models.internvideo3.processing import InternVideo3Processor

MARKS = ("image_token_id", "video_token_id", "vision_start_token_id", "vision_end_token_id")


def model_for(processor: InternVideo3Processor) -> InternVideo3ForConditionalGeneration:
    """Return a model whose marks of pictures are the processor's."""
    marks = {name: getattr(processor, name) for name in MARKS}
    torch.manual_seed(5)
    config = InternVideo3Config(text_config=tiny_text(), vision_config=tiny_vision(), **marks)
    return InternVideo3ForConditionalGeneration(config).eval()


def write_checkpoint(folder: Path) -> None:
    """Write the model and its processor."""
    processor = InternVideo3Processor(tiny_tokenizer())
    model_for(processor).save_pretrained(folder)
    processor.save_pretrained(folder)


def write_grouped_checkpoint(folder: Path) -> None:
    """Write a Qwen3-VL with grouped-query attention and its processor, to be converted."""
    processor = InternVideo3Processor(tiny_tokenizer())
    marks = {name: getattr(processor, name) for name in MARKS}
    config = Qwen3VLConfig(
        text_config=shape(), vision_config=tiny_vision(), tie_word_embeddings=False, **marks
    )
    torch.manual_seed(5)
    Qwen3VLForConditionalGeneration(config).save_pretrained(folder)
    processor.save_pretrained(folder)
