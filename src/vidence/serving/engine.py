"""A model that answers many chats at once; what chats share, and what a chat said before, it reads once."""

from __future__ import annotations

import copy
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from vidence.errors import UsageError
from vidence.models.internvideo3.limits import VideoLimits
from vidence.models.internvideo3.opening import open_model
from vidence.models.internvideo3.processing import InternVideo3Processor
from vidence.models.internvideo3.video import Clip, load
from vidence.serving.answering import Answering, BusyError, Reply
from vidence.serving.constraint import Constraint, Vocabulary
from vidence.serving.prompt import Scribe
from vidence.serving.request import Request
from vidence.serving.sampling import Sampling
from vidence.serving.scheduler import Counts, Limits, Scheduler

__all__ = ["Answering", "BusyError", "Counts", "Engine", "Limits", "Reply", "Sampling"]


class Engine:
    """One model in this process; safe to be asked from several threads, which are answered side by side."""

    def __init__(self, name: str, model: Any, processor: Any, limits: Limits | None = None) -> None:
        self.name, self.model, self.processor = name, model, processor
        self._scribe = Scribe(model, processor)
        self._scheduler = Scheduler(model, self._scribe.tokenizer.eos_token_id, limits or Limits())
        # A tokenizer that only decodes may be used by several threads at once.
        self._decoder = copy.deepcopy(self._scribe.tokenizer)
        self._lock = threading.Lock()
        self._vocabulary: Vocabulary | None = None

    @staticmethod
    def load(
        name: str, directory: Path, *, device: str = "auto", dtype: str = "auto", limits: Limits | None = None
    ) -> Engine:
        """Load a model and its processor.

        Raises:
            WeightsError: the folder holds none.
        """
        return Engine(name, *open_model(directory, device=device, dtype=dtype), limits)

    def seen(self, path: Path) -> Clip:
        """Return the pictures of a video file that the model takes.

        Raises:
            MediaError: it cannot be decoded.
            UsageError: the model sees no pictures.
        """
        if not isinstance(self.processor, InternVideo3Processor):
            raise UsageError("this model reads text alone; ask without pictures")
        return load(path, VideoLimits(**self.processor.video_limits), self.processor.shape)

    def ask(self, messages: Sequence[Mapping[str, Any]], sampling: Sampling, *, scope: str = "") -> Answering:
        """Have a chat answered; pictures stand in its messages as `Conversation.reply` takes them.

        Each message carries what it is known by under "key", so that a chat that goes on is recognised. What was read
        in one `scope` is not used in another, where that could tell what others asked.

        Raises:
            UsageError: the schema cannot be followed, or the model sees no pictures.
            MediaError: a video cannot be read.
            BusyError: too many are being answered or wait.
        """
        self._scheduler.take_place()
        try:
            constraint = self._constraint(sampling)
            prompt = self._scribe.prompt(messages, scope)
        except BaseException:
            self._scheduler.give_place()
            raise
        keys = [{"key": one["key"]} for one in messages]
        answering = Answering(
            self._decoder, prompt.length, lambda ids, text: self._scribe.keep(keys, scope, prompt, ids, text)
        )
        answering.on_cancel(self._scheduler.wake)
        self._scheduler.submit(
            Request(prompt, sampling, constraint, scope, answering.hear, lambda: answering.cancelled)
        )
        return answering

    def reply(
        self,
        messages: Sequence[Mapping[str, Any]],
        sampling: Sampling,
        told: Callable[[str], None] | None = None,
        *,
        scope: str = "",
    ) -> Reply:
        """Answer a chat, and wait for it; `told` receives the answer piece by piece.

        Raises:
            UsageError: as `ask`, or the chat is too long for the memory.
            MediaError: as `ask`.
            BusyError: as `ask`.
        """
        return self.ask(messages, sampling, scope=scope).result(told)

    def counts(self) -> Counts:
        """Tell what is done and was."""
        return self._scheduler.counts()

    def close(self) -> None:
        """Answer nobody any more."""
        self._scheduler.close()

    def _constraint(self, sampling: Sampling) -> Constraint | None:
        if sampling.schema is None:
            return None
        with self._lock:
            if self._vocabulary is None:
                self._vocabulary = Vocabulary(self._scribe.tokenizer)
        return self._vocabulary.constraint(sampling.schema)
