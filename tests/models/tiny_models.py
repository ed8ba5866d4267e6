"""Tiny InternVideo3 models with random weights, and prompts with images and videos for them."""

from __future__ import annotations

from typing import Any

import torch

from vidence.models.internvideo3.config import InternVideo3Config
from vidence.models.internvideo3.modeling import InternVideo3ForConditionalGeneration

MARKS = IMAGE, VIDEO, START, END = 290, 291, 292, 293
ROPE = {"rope_type": "default", "rope_theta": 5e6, "mrope_section": [4, 2, 2], "mrope_interleaved": True}

Grid = tuple[int, int, int]


def tiny_text(**changes: Any) -> dict[str, Any]:
    """Return the decoder's configuration: 64 wide, 4 layers, 4 heads on 2, 16 wide each, 8 frequencies."""
    return {
        "vocab_size": 300,
        "hidden_size": 64,
        "intermediate_size": 96,
        "num_hidden_layers": 4,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "head_dim": 16,
        "attention_layout": "exact",
        "kv_lora_rank": 24,
        "qk_rope_head_dim": 8,
        "qk_nope_head_dim": 16,
        "v_head_dim": 16,
        "max_position_embeddings": 262_144,
        "rope_parameters": dict(ROPE),
        **changes,
    }


def tiny_vision() -> dict[str, Any]:
    """Return the vision tower's configuration: 3 blocks of 32, each a DeepStack tap."""
    return {
        "depth": 3,
        "hidden_size": 32,
        "intermediate_size": 48,
        "num_heads": 2,
        "out_hidden_size": 64,
        "deepstack_visual_indexes": [0, 1, 2],
        "num_position_embeddings": 64,
    }


def special_tokens() -> dict[str, int]:
    """Return the ids that mark images and videos."""
    return {
        "image_token_id": IMAGE,
        "video_token_id": VIDEO,
        "vision_start_token_id": START,
        "vision_end_token_id": END,
    }


def prompt(*parts: int | Grid, image: bool = False) -> dict[str, Any]:
    """Write a prompt: a number is so many text tokens, a grid (frames, height, width) a video (or an image)."""
    mark, kind = (IMAGE, 1) if image else (VIDEO, 2)
    ids, grids = list[int](), []
    for part in parts:
        if isinstance(part, int):
            ids += [1 + (7 * len(ids) + step) % 200 for step in range(part)]
            continue
        frames, height, width = part
        grids.append(part)
        for frame in range(frames):
            ids += [210 + frame, START, *[mark] * (height * width // 4), END]
    ids_BL = torch.tensor([ids])
    inputs = {"input_ids": ids_BL, "attention_mask": torch.ones_like(ids_BL)}
    if grids:
        pixels = sum(frames * height * width for frames, height, width in grids)
        names = ("pixel_values", "image_grid_thw") if image else ("pixel_values_videos", "video_grid_thw")
        inputs[names[0]] = torch.randn(pixels, 1536, generator=torch.Generator().manual_seed(pixels))
        inputs[names[1]] = torch.tensor(grids)
        inputs["mm_token_type_ids"] = (ids_BL == mark).int() * kind
    return inputs


def pad_left(*prompts: dict[str, Any]) -> dict[str, Any]:
    """Make one batch of prompts, shorter ones padded on the left."""
    longest = max(one["input_ids"].shape[1] for one in prompts)
    batch = {}
    for name in {name for one in prompts for name in one}:
        values = [one[name] for one in prompts if name in one]
        if name in ("input_ids", "attention_mask", "mm_token_type_ids"):
            filled = [one.get(name, torch.zeros_like(one["input_ids"])) for one in prompts]
            values = [torch.nn.functional.pad(value, (longest - value.shape[1], 0)) for value in filled]
        batch[name] = torch.cat(values)
    return batch


def make_tiny(seed: int = 0, **changes: Any) -> InternVideo3ForConditionalGeneration:
    """Make a tiny InternVideo3 with random weights; keywords change the decoder's configuration."""
    torch.manual_seed(seed)
    config = InternVideo3Config(
        text_config=tiny_text(**changes), vision_config=tiny_vision(), **special_tokens()
    )
    model = InternVideo3ForConditionalGeneration(config).eval()
    with torch.no_grad():  # a start from 0.02 leaves attention nearly uniform, which would test little
        for name, weight in model.named_parameters():
            if "language_model" in name and weight.ndim == 2:
                weight.normal_(0, weight.shape[1] ** -0.5)
    return model
