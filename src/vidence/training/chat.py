"""Messages to tokens, as the model meets them in use: ChatML, the assistant's words learned and nothing else.

A message is {"role", "content"}; content is text or a list of parts {"type": "text"|"image"|"video", ...}. A turn is
tokenised by itself, for at inference the prompt ends where the assistant's words begin.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch

from vidence.errors import UsageError
from vidence.models.internvideo3.patches import Grid
from vidence.models.internvideo3.processing import (
    IMAGE,
    VIDEO,
    VISION_END,
    VISION_START,
    InternVideo3Processor,
)
from vidence.models.internvideo3.video import Clip
from vidence.training.trajectory import GRIDS, PATCHES, TEXT, Picture, Piece, Trajectory, joined
from vidence.training.trajectory import VIDEO as VIDEO_KIND

Message = Mapping[str, Any]
PRETRAIN = "pretrain"  # a role whose whole text is learned, all but what is seen
START, END = "<|im_start|>", "<|im_end|>"
ROLES = ("system", "user", "assistant", "tool", PRETRAIN)


class Chat:
    """Turn messages into pieces of a trajectory with one processor."""

    def __init__(
        self,
        processor: InternVideo3Processor,
        *,
        video_limits: Mapping[str, Any] | None = None,
        image_limits: Mapping[str, Any] | None = None,
    ) -> None:
        self.processor, self.tokenizer = processor, processor.tokenizer
        self.video_limits, self.image_limits = dict(video_limits or {}), dict(image_limits or {})

    def trajectory(self, name: str, messages: Sequence[Message]) -> Trajectory:
        """Write a whole conversation.

        Raises:
            UsageError: a message is none.
            MediaError: a picture cannot be read.
        """
        return joined(name, [piece for message in messages for piece in self.pieces(message)])

    def prompt(self, messages: Sequence[Message]) -> list[Piece]:
        """Write what comes before the assistant's words."""
        return [*(piece for message in messages for piece in self.pieces(message)), self.opening()]

    @property
    def end(self) -> int:
        """Return the token that ends a turn."""
        return self.tokenizer.convert_tokens_to_ids(END)

    def opening(self) -> Piece:
        """Write the start of the assistant's turn."""
        return Piece(self._ids(f"{START}assistant\n"))

    def closing(self) -> Piece:
        """Write what follows the assistant's end mark."""
        return Piece(self._ids("\n"))

    def pieces(self, message: Message) -> list[Piece]:
        """Write one message."""
        role, content = message.get("role"), message.get("content")
        if role not in ROLES:
            raise UsageError(f"a message's role is {role!r}; it is one of {', '.join(ROLES)}")
        if role == PRETRAIN:
            return [self._seen(content, learned=True), Piece(self._ids(END), learned=True)]
        if role == "assistant":
            words = content if isinstance(content, str) else _text(content)
            said = Piece(self._ids(words + END), learned=message.get("learned", True))
            return [self.opening(), said, self.closing()]
        head, body = Piece(self._ids(f"{START}{role}\n")), self._seen(content)
        return [head, body, Piece(self._ids(f"{END}\n"))]

    def _ids(self, text: str) -> list[int]:
        return self.tokenizer(text, add_special_tokens=False)["input_ids"]

    def _seen(self, content: Any, *, learned: bool = False) -> Piece:
        if isinstance(content, str):
            return Piece(self._ids(_harmless(content)), learned=learned)
        text, images, videos, keys = "", list[Any](), list[Any](), list[str]()
        for part in content or ():
            kind = part.get("type") if isinstance(part, Mapping) else None
            if kind == "text":
                text += _harmless(part["text"])
            elif kind == "image":
                text += VISION_START + IMAGE + VISION_END
                images.append(part["image"])
                keys.append(part.get("key") or _key(part["image"]))
            elif kind == "video":
                text += VIDEO
                videos.append(part["video"])
                keys.append(part.get("key") or _key(part["video"]))
            else:
                raise UsageError(f"a part of a message is of type {kind!r}; it is text, image or video")
        given = self.processor(
            text=[text],
            images=images or None,
            videos=videos or None,
            image_limits=self.image_limits,
            video_limits=self.video_limits,
            add_special_tokens=False,
        )
        kinds = given["mm_token_type_ids"][0]
        return Piece(
            given["input_ids"][0].tolist(),
            kinds.tolist(),
            learned=learned,
            pictures=_pictures(given, kinds, keys),
        )


def _pictures(given: Any, kinds_L: torch.Tensor, keys: Sequence[str]) -> tuple[Picture, ...]:
    """Cut the processor's patches by picture, in the order in which the text names them."""
    waiting = {
        kind: list(
            zip(
                given[PATCHES[kind]].split(given[grids].prod(-1).tolist()), given[grids].tolist(), strict=True
            )
        )
        for kind, grids in GRIDS.items()
        if grids in given
    }
    pictures = list[Picture]()
    for kind in _in_order(
        kinds_L.tolist(), {kind: [grid for _, grid in rest] for kind, rest in waiting.items()}
    ):
        patches, grid = waiting[kind].pop(0)
        pictures.append(Picture(keys[len(pictures)], patches, Grid(*grid), kind))
    return tuple(pictures)


def _in_order(kinds: Sequence[int], grids: Mapping[int, Sequence[Sequence[int]]]) -> list[int]:
    """Return the kind of each picture by the order of their first tokens: a video's stand in as many runs as frames."""
    left = {kind: [grid[0] if kind == VIDEO_KIND else 1 for grid in rest] for kind, rest in grids.items()}
    order, before, runs = list[int](), TEXT, 0
    for kind in kinds:
        if kind != TEXT and kind != before:
            if runs == 0:
                order.append(kind)
                runs = left[kind].pop(0)
            runs -= 1
        before = kind
    return order


def _key(picture: Any) -> str:
    """Name a picture by its pixels, or a file by its path."""
    if isinstance(picture, Clip):
        times = ",".join(str(time) for time in picture.times).encode()
        return hashlib.blake2b(picture.frames_THWC.tobytes() + times, digest_size=16).hexdigest()
    if isinstance(picture, np.ndarray):
        return hashlib.blake2b(np.ascontiguousarray(picture).tobytes(), digest_size=16).hexdigest()
    return str(picture)


def _text(content: Any) -> str:
    if not isinstance(content, Sequence) or any(part.get("type") != "text" for part in content):
        raise UsageError("an assistant's message holds text alone")
    return "".join(part["text"] for part in content)


def _harmless(text: str) -> str:
    """Keep marks that a data file writes from becoming the model's own."""
    return text.replace("<|", "<\u200b|")
