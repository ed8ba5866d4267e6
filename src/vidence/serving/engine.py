"""A model that answers chats one at a time. A chat that goes on reads only what is new: its cache is kept."""

from __future__ import annotations

import json
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from vidence.errors import UsageError
from vidence.models.internvideo3.conversation import Conversation
from vidence.models.internvideo3.limits import VideoLimits
from vidence.models.internvideo3.opening import open_model
from vidence.models.internvideo3.processing import InternVideo3Processor
from vidence.models.internvideo3.video import Clip, load
from vidence.serving.constraint import Vocabulary

MOST_KEPT = 8  # chats whose caches are kept for when they go on


@dataclass(frozen=True, slots=True)
class Sampling:
    """How an answer is drawn. `temperature` 0 takes the likeliest token each time."""

    max_tokens: int = 1024
    temperature: float = 0.0
    top_p: float = 1.0
    seed: int | None = None
    schema: Mapping[str, Any] | None = None  # JSON schema that the answer must fit


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer and what it took. `cached` of the prompt's tokens had been read before."""

    text: str
    prompt: int
    cached: int
    completion: int
    ended: bool  # by itself, not for want of tokens


class Engine:
    """One model in this process; safe to be asked from several threads."""

    def __init__(self, name: str, model: Any, processor: Any) -> None:
        self.name, self.model, self.processor = name, model, processor
        self._lock = threading.Lock()
        self._kept: OrderedDict[str, Conversation] = OrderedDict()
        self._vocabulary: Vocabulary | None = None

    @staticmethod
    def load(name: str, directory: Path, *, device: str = "auto", dtype: str = "auto") -> Engine:
        """Load a model and its processor.

        Raises:
            WeightsError: the folder holds none.
        """
        return Engine(name, *open_model(directory, device=device, dtype=dtype))

    def seen(self, path: Path) -> Clip:
        """Return the pictures of a video file that the model takes.

        Raises:
            MediaError: it cannot be decoded.
            UsageError: the model sees no pictures.
        """
        if not isinstance(self.processor, InternVideo3Processor):
            raise UsageError("this model reads text alone; ask without pictures")
        return load(path, VideoLimits(**self.processor.video_limits), self.processor.shape)

    def reply(
        self,
        messages: Sequence[Mapping[str, Any]],
        sampling: Sampling,
        told: Callable[[str], None] | None = None,
    ) -> Reply:
        """Answer a chat; pictures stand in its messages as `Conversation.reply` takes them.

        Each message carries what it is known by under "key", so that a chat that goes on is recognised. `told` receives
        the answer piece by piece.

        Raises:
            UsageError: the schema cannot be followed, the model sees no pictures, or the chat is too long for it.
        """
        with self._lock:
            talk, known = self._going_on(messages)
            options = self._options(sampling)
            if sampling.seed is not None:
                torch.manual_seed(sampling.seed)
            new = [{name: one[name] for name in one if name != "key"} for one in messages[known:]]
            text = talk.reply(new, told=told, max_new_tokens=sampling.max_tokens, **options)
            said = {"key": json.dumps(["assistant", text]), "role": "assistant"}
            self._keep([*messages, said], talk)
            prompt, total = talk.contexts[-1], talk.ids_BT.shape[1]
            ended = int(talk.ids_BT[0, -1]) == talk.tokenizer.eos_token_id
            return Reply(text, prompt, prompt - talk.prefilled[-1], total - prompt, ended)

    def _going_on(self, messages: Sequence[Mapping[str, Any]]) -> tuple[Conversation, int]:
        """Return the conversation that these messages go on with, and how many of them it holds."""
        for count in range(len(messages) - 1, 0, -1):
            if found := self._kept.pop(_key(messages[:count]), None):
                return found, count
        return Conversation(self.model, self.processor), 0

    def _keep(self, messages: Sequence[Mapping[str, Any]], talk: Conversation) -> None:
        self._kept[_key(messages)] = talk
        while len(self._kept) > MOST_KEPT:
            self._kept.popitem(last=False)

    def _options(self, sampling: Sampling) -> dict[str, Any]:
        options: dict[str, Any] = {"do_sample": sampling.temperature > 0}
        if sampling.temperature > 0:
            options |= {"temperature": sampling.temperature, "top_p": sampling.top_p}
        if sampling.schema is not None:
            if self._vocabulary is None:
                tokenizer = getattr(self.processor, "tokenizer", self.processor)
                self._vocabulary = Vocabulary(tokenizer)
            options["constraint"] = self._vocabulary.constraint(sampling.schema)
        return options


def _key(messages: Sequence[Mapping[str, Any]]) -> str:
    return "\n".join(str(one["key"]) for one in messages)
