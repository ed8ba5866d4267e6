"""Models that are asked without a loop: one of this process, or one behind an endpoint."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Protocol

from vidence.errors import UsageError
from vidence.mcr.situation import Shown

if TYPE_CHECKING:
    from vidence.mcr.policy import Policy
    from vidence.models.internvideo3.conversation import Conversation
    from vidence.policies.chat.endpoint import Endpoint
    from vidence.policies.chat.writing import FramesAs


class Model(Protocol):
    """Answers a prompt about videos and pictures, or about nothing. Of several media, one of one frame is a picture."""

    @property
    def name(self) -> str:
        """What it is called."""
        ...

    @property
    def weighs(self) -> bool:
        """Whether it does not read options, so that they are weighed as its answers."""
        ...

    def say(self, shown: Sequence[Shown], start: Fraction, text: str) -> tuple[str, int]:
        """Return what it says, and the tokens that took; times count from `start`."""
        ...

    def losses(
        self, shown: Sequence[Shown], start: Fraction, text: str, answers: Sequence[str]
    ) -> tuple[list[float], int]:
        """Return how little each of several answers was expected, in nats, and the tokens that took.

        Raises:
            UsageError: this kind of model does not tell.
        """
        ...


@dataclass(frozen=True, slots=True)
class LocalModel:
    """An InternVideo3 model of this process."""

    model: Any
    processor: Any
    name: str
    max_new_tokens: int = 128

    @property
    def weighs(self) -> bool:
        """Return what its processor says."""
        return getattr(self.processor, "options", "read") == "weighed"

    def say(self, shown: Sequence[Shown], start: Fraction, text: str) -> tuple[str, int]:
        """Put pictures, frames and text in one message of a new conversation."""
        said, talk = self._asked(shown, start, text, self.max_new_tokens)
        return said, talk.ids_BT.shape[1]

    def losses(
        self, shown: Sequence[Shown], start: Fraction, text: str, answers: Sequence[str]
    ) -> tuple[list[float], int]:
        """Weigh answers after one look."""
        _, talk = self._asked(shown, start, text, 1)
        return [-logprob for logprob in talk.likelihoods(answers)], talk.ids_BT.shape[1]

    def expected(
        self, shown: Sequence[Shown], start: Fraction, text: str, answers: Sequence[str]
    ) -> list[tuple[float, bool]]:
        """Return the loss of each of several answers a token, and whether it is what the model says."""
        tokenizer = getattr(self.processor, "tokenizer", self.processor)
        counts = [len(tokenizer(answer, add_special_tokens=False)["input_ids"]) for answer in answers]
        said, talk = self._asked(shown, start, text, max(counts))
        likely = talk.likelihoods(answers)
        return [
            (-logprob / count, said.startswith(answer))
            for answer, count, logprob in zip(answers, counts, likely, strict=True)
        ]

    def _asked(
        self, shown: Sequence[Shown], start: Fraction, text: str, most: int
    ) -> tuple[str, Conversation]:
        from vidence.models.internvideo3.conversation import Conversation
        from vidence.policies.internvideo3.rollout import videos

        talk = Conversation(self.model, self.processor)
        seen = [
            {"type": "image", "image": one.frames[0].image} if picture else videos([one], start)[0]
            for one, picture in zip(shown, _pictures(shown), strict=True)
        ]
        message = {"role": "user", "content": [*seen, {"type": "text", "text": text}]}
        return talk.reply([message], max_new_tokens=most, do_sample=False), talk


@dataclass(frozen=True, slots=True)
class RemoteModel:
    """A model behind an OpenAI-compatible endpoint."""

    endpoint: Endpoint
    frames_as: FramesAs = "images"

    @property
    def name(self) -> str:
        """Return the model as its server calls it."""
        return self.endpoint.model

    @property
    def weighs(self) -> bool:
        """Return False: it is asked for a letter."""
        return False

    def say(self, shown: Sequence[Shown], start: Fraction, text: str) -> tuple[str, int]:
        """Put pictures, frames and text in one message."""
        from vidence.policies.chat.writing import frames

        seen = [
            part
            for one, picture in zip(shown, _pictures(shown), strict=True)
            for part in frames(one, start, "images" if picture else self.frames_as)
            if not (picture and part["type"] == "text")  # a picture has no time
        ]
        reply = self.endpoint.ask([{"role": "user", "content": [*seen, {"type": "text", "text": text}]}])
        return reply.text, reply.tokens

    def losses(
        self, shown: Sequence[Shown], start: Fraction, text: str, answers: Sequence[str]
    ) -> tuple[list[float], int]:
        """Refuse.

        Raises:
            UsageError: always.
        """
        raise UsageError(f"{self.name} is behind an endpoint, which does not tell how likely an answer was")


def alone(policy: Policy) -> Model | None:
    """Return the model that a policy runs, to be asked without its loop; None for one that runs none."""
    found: Any = policy
    if policy.name == "internvideo3":
        return LocalModel(found.model, found.processor, f"internvideo3 {found.weights[:12]}")
    if policy.name == "chat":
        return RemoteModel(found.observer, found.frames_as)
    return None


def _pictures(shown: Sequence[Shown]) -> list[bool]:
    return [len(shown) > 1 and len(one.frames) == 1 for one in shown]
