"""What the processor is compared with `transformers` on: a tiny tokenizer, pictures by formula, and requests.

`data/write_processor_golden.py` sends the same requests through Qwen3VLProcessor; nothing here needs torchvision.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import numpy as np
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import PreTrainedTokenizerFast

SPECIAL = [
    "<|endoftext|>",
    "<|im_start|>",
    "<|im_end|>",
    "<|vision_start|>",
    "<|vision_end|>",
    "<|image_pad|>",
    "<|video_pad|>",
]
SEE_IMAGE = "<|vision_start|><|image_pad|><|vision_end|>"


@dataclass(frozen=True, slots=True)
class Request:
    """Texts with the pictures they name: image sizes (H, W); videos (pictures, H, W) at their rates."""

    texts: list[str]
    images: list[tuple[int, int]] = field(default_factory=list)
    videos: list[tuple[int, int, int]] = field(default_factory=list)
    rates_hz: list[Fraction] = field(default_factory=list)
    image_limits: dict[str, int] = field(default_factory=dict)
    video_limits: dict[str, Any] = field(default_factory=lambda: {"max_frame_pixels": None})


REQUESTS = {
    "odd image": Request([f"What is {SEE_IMAGE}?"], images=[(45, 130)]),
    "image shrunk to its limit": Request(
        [SEE_IMAGE], images=[(300, 211)], image_limits={"min_pixels": 2048, "max_pixels": 24 * 1024}
    ),
    "tiny image enlarged to its limit": Request([SEE_IMAGE], images=[(7, 9)]),
    "odd number of pictures": Request(
        ["See <|video_pad|> now"], videos=[(5, 70, 98)], rates_hz=[Fraction(3)]
    ),
    "total limit": Request(
        ["<|video_pad|>"],
        videos=[(9, 200, 150)],
        rates_hz=[Fraction(30000, 1001)],
        video_limits={"max_pixels": 60 * 1024, "max_frame_pixels": None},
    ),
    "limit of each picture": Request(
        ["<|video_pad|>"],
        videos=[(4, 200, 300)],
        rates_hz=[Fraction(2)],
        video_limits={"min_pixels": 4096, "max_frame_pixels": 12 * 1024},
    ),
    "picture narrower than a token": Request(["<|video_pad|>"], videos=[(2, 16, 90)], rates_hz=[Fraction(1)]),
    "two texts, pictures mixed": Request(
        [f"First <|video_pad|> then {SEE_IMAGE} and <|video_pad|>: same?", f"Or {SEE_IMAGE}"],
        images=[(64, 64), (33, 70)],
        videos=[(4, 64, 64), (6, 40, 81)],
        rates_hz=[Fraction(2), Fraction(1, 3)],
    ),
}


def picture(number: int, height: int, width: int) -> np.ndarray:
    """Paint waves with hard edges: what a resize can get wrong."""
    y, x = np.mgrid[:height, :width]
    waves = [
        (x * (3 + number) + y * 5) % 256,
        (x * y // 7 + 31 * number) % 256,
        255 * ((x // 5 + y // 9) % 2),
    ]
    return np.stack(waves, -1).astype(np.uint8)


def pictures(request: Request) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Return the images (H, W, 3) and videos (T, H, W, 3) of a request."""
    images = [picture(number, *size) for number, size in enumerate(request.images)]
    videos = [
        np.stack([picture(number, *size) for number in range(count)]) for count, *size in request.videos
    ]
    return images, videos


def tiny_tokenizer() -> PreTrainedTokenizerFast:
    """Build a tokenizer of single bytes and the special tokens of Qwen3-VL."""
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    tokens = Tokenizer(models.BPE({token: number for number, token in enumerate(alphabet)}, []))
    tokens.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokens.decoder = decoders.ByteLevel()
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=tokens, eos_token="<|im_end|>", pad_token="<|endoftext|>"
    )
    tokenizer.add_special_tokens({"additional_special_tokens": SPECIAL})
    return tokenizer
