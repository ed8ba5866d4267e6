"""The model in this process: dialogues keep their cache, and what was seen of a video may be kept on disk."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from vidence.errors import StoreError
from vidence.models.internvideo3.conversation import Conversation
from vidence.models.internvideo3.limits import VideoLimits
from vidence.models.internvideo3.patches import PatchShape
from vidence.policies.internvideo3.host import Message

MOST_KEPT = 2 << 30  # bytes of rows of one video that are kept


@dataclass(slots=True)
class LocalHost:
    """A model and its processor. `seen`: folder in which what was seen of videos is kept for later questions."""

    model: Any
    processor: Any
    weights: str = ""
    seen: Path | None = None

    @staticmethod
    def load(
        directory: Path, *, device: str = "auto", dtype: str = "auto", seen: Path | None = None
    ) -> LocalHost:
        """Load a model that sees, and its processor.

        Raises:
            WeightsError: the folder holds none.
        """
        from vidence.models.internvideo3.loading import load_model, weights_name
        from vidence.models.internvideo3.processing import InternVideo3Processor
        from vidence.models.internvideo3.room import chosen_device

        model = load_model(directory, dtype=dtype, device=chosen_device(device))
        processor = InternVideo3Processor.from_pretrained(directory)
        return LocalHost(model, processor, weights_name(directory), seen)

    @property
    def limits(self) -> VideoLimits:
        """Return how much of a video it takes."""
        return VideoLimits(**self.processor.video_limits)

    @property
    def shape(self) -> PatchShape:
        """Return how pictures are cut."""
        return self.processor.shape

    @property
    def options(self) -> str:
        """Return what it does with options."""
        return getattr(self.processor, "options", "read")

    def talk(self) -> LocalTalk:
        """Begin a dialogue."""
        return LocalTalk(Conversation(self.model, self.processor), self.weights, self.seen)


@dataclass(slots=True)
class LocalTalk:
    """A conversation with the model."""

    conversation: Conversation
    weights: str = ""
    seen: Path | None = None
    _resumed: int = field(default=0)  # tokens that were read for an earlier question

    @property
    def started(self) -> bool:
        """Tell whether anything was shown or said yet."""
        return self.conversation.started

    @property
    def tokens(self) -> int:
        """Return how many tokens were run for it so far."""
        return self.conversation.ids_BT.shape[1] - self._resumed

    @property
    def logprobs(self) -> Sequence[float]:
        """Return the log-probability of each token of the last answer."""
        return self.conversation.logprobs

    def see(self, messages: Sequence[Message], known_as: str) -> None:
        """Show videos before the question; seen once, they need not be seen again."""
        path = self.seen and self.seen / self._file(known_as)
        if path and path.is_file():
            try:
                self.conversation.resume(path, made_by=self.weights, open_turn=True)
            except StoreError:
                path.unlink(missing_ok=True)  # damaged, or another model's: it is seen anew
            else:
                self._resumed = self.conversation.ids_BT.shape[1]
                return
        self.conversation.see(messages)
        if path and self.conversation.cache.nbytes <= MOST_KEPT:
            path.parent.mkdir(parents=True, exist_ok=True)
            with suppress(StoreError):  # a full disk costs the next question time, and this one nothing
                self.conversation.keep(path, made_by=self.weights)

    def reply(self, messages: Sequence[Message], max_new_tokens: int) -> str:
        """Answer."""
        return self.conversation.reply(messages, max_new_tokens=max_new_tokens, do_sample=False)

    def likelihoods(self, answers: Sequence[str]) -> Sequence[float]:
        """Weigh answers."""
        return self.conversation.likelihoods(answers)

    def spelled(self, text: str) -> int:
        """Count the tokens of a text."""
        return len(self.conversation.tokenizer(text, add_special_tokens=False)["input_ids"])

    def _file(self, known_as: str) -> str:
        """Name a file by the medium that it is about (the part before the first blank) and by all that is shown."""
        spec = repr((self.weights, known_as, self.conversation.cache.storage))
        medium = known_as.partition(" ")[0].rpartition(":")[2]
        return f"{medium}-{hashlib.sha256(spec.encode()).hexdigest()[:16]}.kv"
