"""Who answers chats: a model by itself, or the loop. What one says, the router writes as OpenAI's API does."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from vidence.serving.completions.shapes import Asked
from vidence.serving.keeper import Keeper
from vidence.serving.library import Library
from vidence.serving.site import Site


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks, and where."""

    site: Site
    keeper: Keeper
    user: str

    async def library(self) -> Library:
        """Return the caller's library, which is opened when it is first needed."""
        return await asyncio.to_thread(self.site.library_of, self.user)


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of the answer as it grows; a thought is what leads to it."""

    text: str
    thought: bool = False


@dataclass(frozen=True, slots=True)
class Said:
    """The end of an answer: all of it, what it took in tokens, and what is told besides its words."""

    text: str
    ended: bool = True  # by itself, not for want of tokens
    prompt: int = 0
    cached: int = 0
    completion: int = 0
    besides: Mapping[str, Any] = field(default_factory=dict)
    logprobs: Sequence[tuple[str, float]] = ()  # each token with how likely it was, where that is wanted


Speech = AsyncGenerator[Piece | Said]
"""Pieces, then what was said. Who closes it before the end cancels the answer."""


class Speaker(Protocol):
    """One model of /v1/models."""

    @property
    def name(self) -> str:
        """Return what clients call it."""
        ...

    @property
    def besides(self) -> Mapping[str, Any]:
        """Return what /v1/models tells of it besides."""
        ...

    async def begin(self, asked: Asked, caller: Caller) -> Speech:
        """Check a request and have it answered.

        Raises:
            Refused: it cannot be answered, and why.
            VidenceError: so.
        """
        ...
