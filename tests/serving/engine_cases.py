"""Tiny models that answer in letters, chats for them, and what a conversation of one's own would say."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from processor_cases import picture, tiny_tokenizer
from tiny_checkpoint import MARKS
from tiny_models import tiny_text, tiny_vision
from tiny_models_qwen2_5_vl import TOWER

from vidence.models.internvideo3.config import WINDOWED, InternVideo3Config, InternVideo3TextConfig
from vidence.models.internvideo3.conversation import Conversation
from vidence.models.internvideo3.decoder import InternVideo3ForCausalLM
from vidence.models.internvideo3.limits import SECONDS
from vidence.models.internvideo3.modeling import InternVideo3ForConditionalGeneration
from vidence.models.internvideo3.processing import InternVideo3Processor
from vidence.models.internvideo3.video import Clip
from vidence.serving.engine import Engine, Limits, Sampling

LETTERS = 94  # the tiny tokenizer's first ids are "!" to "~"
FRAME_TOKENS = 6  # of a picture of 64 x 96 pixels


def seeing(*, windowed: bool = False, **changes: Any) -> tuple[Any, InternVideo3Processor]:
    """Make a model with random weights that answers in letters, and never ends by itself.

    `windowed`: with the tower of Qwen2.5-VL, whose positions count seconds.
    """
    processor, tower = InternVideo3Processor(tiny_tokenizer()), tiny_vision()
    if windowed:
        processor = InternVideo3Processor(tiny_tokenizer(), patches={"patch_px": 14}, timed=SECONDS)
        tower = {"model_type": WINDOWED, **TOWER}
        rope = {"rope_theta": 1e6, "mrope_section": [2, 2, 4], "mrope_interleaved": False}
        changes |= {"rope_parameters": {"rope_type": "default", **rope}}
    marks = {name: getattr(processor, name) for name in MARKS}
    torch.manual_seed(5)
    config = InternVideo3Config(text_config=tiny_text(**changes), vision_config=tower, **marks)
    return _lettered(InternVideo3ForConditionalGeneration(config)), processor


def reading() -> tuple[Any, Any]:
    """Make a model that reads text alone."""
    tokenizer = tiny_tokenizer()
    tokenizer.chat_template = InternVideo3Processor(tiny_tokenizer()).chat_template
    torch.manual_seed(5)
    model = InternVideo3ForCausalLM(InternVideo3TextConfig(**tiny_text()))
    return _lettered(model), tokenizer


def ending(model: Any, processor: Any, letter: str) -> None:
    """Let a model end an answer where it would have said a letter."""
    with torch.no_grad():
        said = processor.tokenizer(letter)["input_ids"][0]
        model.lm_head.weight[processor.tokenizer.eos_token_id] = 1.1 * model.lm_head.weight[said]


def _lettered(model: Any) -> Any:
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if "visual" not in name and weight.ndim == 2:
                weight.normal_(0, weight.shape[1] ** -0.5)
        model.lm_head.weight[LETTERS:] = 0
        model.lm_head.weight[:LETTERS] *= 6
    return model.eval()


@contextmanager
def serving(model: Any, processor: Any, **limits: Any) -> Iterator[Engine]:
    """Serve a model to the end of a block."""
    engine = Engine("tiny", model, processor, Limits(**{"cache_bytes": 1 << 28} | limits))
    try:
        yield engine
    finally:
        engine.close()


@contextmanager
def at_once(engine: Engine) -> Iterator[None]:
    """Let what is asked in a block come to the scheduler in one moment."""
    with engine._scheduler._came:
        yield


def clip(number: int, frames: int = 4) -> Clip:
    """Make a clip of 64 x 96 pixels."""
    return Clip.at_rate(np.stack([picture(number + frame, 64, 96) for frame in range(frames)]), 2)


def user(text: str, *, video: Clip | None = None, image: np.ndarray | None = None) -> dict[str, Any]:
    """Write a message, with the key that it is known by."""
    seen = [("video", video)] if video is not None else [("image", image)] if image is not None else []
    parts: list[dict[str, Any]] = [{"type": kind, kind: shown} for kind, shown in seen]
    content: Any = [*parts, {"type": "text", "text": text}] if parts else text
    shown = "" if not seen else str(hash(getattr(seen[0][1], "frames_THWC", seen[0][1]).tobytes()))
    return {"key": json.dumps(["user", text, shown]), "role": "user", "content": content}


def assistant(text: str) -> dict[str, Any]:
    """Write an answer as a client sends it back."""
    return {"key": json.dumps(["assistant", text]), "role": "assistant", "content": text}


def greedy(tokens: int = 8) -> Sampling:
    """Take the likeliest."""
    return Sampling(tokens)


def alone(model: Any, processor: Any, turns: Sequence[Mapping[str, Any]], tokens: int = 8) -> list[str]:
    """Return what a conversation of its own says to these turns."""
    talk = Conversation(model, processor)
    return [
        talk.reply(
            [{name: one[name] for name in ("role", "content")}], max_new_tokens=tokens, do_sample=False
        )
        for one in turns
    ]
