"""What the policy needs of its model, wherever that runs: in this process, or behind a server."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from vidence.models.internvideo3.limits import VideoLimits
from vidence.models.internvideo3.patches import PatchShape

Message = Mapping[str, Any]


class Talk(Protocol):
    """A dialogue: each turn adds to what was said. Videos stand in messages as {"type": "video", "video": Clip}."""

    @property
    def started(self) -> bool:
        """Tell whether anything was shown or said yet."""
        ...

    @property
    def tokens(self) -> int:
        """Return how many tokens were run for it so far, those that others had read left out."""
        ...

    @property
    def logprobs(self) -> Sequence[float]:
        """Return the log-probability of each token of the last answer."""
        ...

    def see(self, messages: Sequence[Message], known_as: str) -> None:
        """Show what the question will be about; the next reply's first message goes on in the last of these.

        `known_as` names what is shown, all that matters included, so that it need not be shown twice.
        """
        ...

    def reply(self, messages: Sequence[Message], max_new_tokens: int) -> str:
        """Answer messages that follow what was said so far, by the likeliest token each time."""
        ...

    def likelihoods(self, answers: Sequence[str]) -> Sequence[float]:
        """Return the log-probability of each of several answers in place of the last one."""
        ...

    def spelled(self, text: str) -> int:
        """Return how many tokens the beginning of the last answer has, that is this text."""
        ...


class Host(Protocol):
    """Where the model is."""

    @property
    def limits(self) -> VideoLimits:
        """Return how much of a video it takes, as it was trained."""
        ...

    @property
    def shape(self) -> PatchShape:
        """Return how pictures are cut."""
        ...

    @property
    def options(self) -> str:
        """Tell whether it has "read" options, or they are to be "weighed" as its answers."""
        ...

    @property
    def weights(self) -> str:
        """Return which they are."""
        ...

    def talk(self) -> Talk:
        """Begin a dialogue."""
        ...
