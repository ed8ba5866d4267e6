"""How turns of a dialogue are written for the model: the template's text, its tokens, and what an answer may hold."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from torch import Tensor
from transformers import TextStreamer

from vidence.errors import UsageError

Told = Callable[[str], None]
Messages = Sequence[Mapping[str, Any]]
_MARKS = ("image_token_id", "video_token_id", "vision_start_token_id", "vision_end_token_id")


def written(processor: Any, messages: Messages, *, answers: bool = True) -> str:
    """Write messages by the template; where the model `answers`, its turn is opened."""
    bare = [_bare(message) for message in messages]
    return processor.apply_chat_template(bare, tokenize=False, add_generation_prompt=answers)


def end_of_answer(tokenizer: Any, last: int) -> str:
    """Return what the template writes between an answer and the next turn; one cut short lacks its end mark."""
    return "\n" if last == tokenizer.eos_token_id else f"{tokenizer.eos_token}\n"


def inputs_of(processor: Any, turn: str, messages: Messages, *, sees: bool) -> dict[str, Tensor]:
    """Return a turn's tokens, and the patches of the pictures in its messages.

    Raises:
        UsageError: the messages hold pictures, and the model does not see.
        MediaError: a video cannot be read.
    """
    parts = [
        part for message in messages if not isinstance(message["content"], str) for part in message["content"]
    ]
    pictures = {
        f"{kind}s": [part[kind] for part in parts if part["type"] == kind] for kind in ("video", "image")
    }
    pictures = {name: given for name, given in pictures.items() if given}
    if pictures and not sees:
        raise UsageError("this model reads text alone; ask without pictures")
    inputs = processor(text=[turn], return_tensors="pt", **pictures)
    left_out = ("attention_mask", "token_type_ids")
    return {name: value for name, value in inputs.items() if name not in left_out}


def unwritable(config: Any) -> list[int]:
    """Return the marks that stand for pictures: only the user shows any."""
    return [getattr(config, mark) for mark in _MARKS if getattr(config, mark, None) is not None]


class Speaker(TextStreamer):
    """Turn an answer's tokens into words, and pass each piece on as soon as no later token can change it."""

    def __init__(self, tokenizer: Any, told: Told, *, skip_prompt: bool = False) -> None:
        super().__init__(tokenizer, skip_prompt=skip_prompt, skip_special_tokens=True)
        self.told = told

    def on_finalized_text(self, text: str, stream_end: bool = False) -> None:
        """Pass a piece on."""
        if text:
            self.told(text)


def _bare(message: Mapping[str, Any]) -> Mapping[str, Any]:
    """Leave pictures out of a message: a template only names them."""
    if isinstance(message["content"], str):
        return message
    kept = [{key: part[key] for key in ("type", "text") if key in part} for part in message["content"]]
    return {**message, "content": kept}
