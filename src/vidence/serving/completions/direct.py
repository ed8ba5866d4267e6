"""A model that answers by itself. Pictures stand in the request, as data; videos may also be named, or fetched."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from vidence.errors import UsageError
from vidence.serving.answering import Answering, BusyError
from vidence.serving.completions import looking
from vidence.serving.completions.shapes import Asked, Message
from vidence.serving.completions.speaker import Caller, Piece, Said, Speech
from vidence.serving.engine import Engine, Sampling
from vidence.serving.refusing import Refused, busy

MOST_KEY = 4096  # characters of a message that are its own key


@dataclass(frozen=True, slots=True)
class Direct:
    """A served model, asked without the loop."""

    engine: Engine

    @property
    def name(self) -> str:
        """Return what clients call it."""
        return self.engine.name

    @property
    def besides(self) -> Mapping[str, Any]:
        """Return how it sees, for whoever asks it as our own policy does."""
        return {} if self.engine.sight is None else {"sight": self.engine.sight}

    async def begin(self, asked: Asked, caller: Caller) -> Speech:
        """Read the messages, with their videos, and have the model answer.

        Raises:
            Refused: 404, a video is not there; 429, too many are being answered.
            UsageError: a part cannot be read, or the model sees no pictures.
        """
        if asked.stream and (asked.logprobs or asked.vidence.weigh):
            raise Refused(400, "logprobs and weights of answers are told whole; ask without stream")
        most = asked.max_completion_tokens or asked.max_tokens or Sampling.max_tokens
        schema, logprobs = asked.schema_wanted(), bool(asked.logprobs)
        sampling = Sampling(most, asked.temperature, asked.top_p, asked.seed, schema, logprobs)
        messages = [await self._message(one, caller) for one in asked.messages]
        scope = "" if caller.site.tokens is None else caller.user
        try:
            if answers := asked.vidence.weigh:
                return _weighed(
                    answers, await asyncio.to_thread(self.engine.weigh, messages, answers, scope=scope)
                )
            answering = await asyncio.to_thread(self.engine.ask, messages, sampling, scope=scope)
        except BusyError as fault:
            raise busy(str(fault)) from None
        return _spoken(answering)

    async def _message(self, message: Message, caller: Caller) -> dict[str, Any]:
        """Read a message as a conversation takes it, with the key that it is known by."""
        content = message.content or ""
        key = json.dumps([message.role, content], sort_keys=True)
        if len(key) > MOST_KEY:
            key = hashlib.sha256(key.encode()).hexdigest()
        role = "system" if message.role == "developer" else message.role
        parts = content if isinstance(content, str) else [await self._part(one, caller) for one in content]
        return {"key": key, "role": role, "content": parts}

    async def _part(self, part: Mapping[str, Any], caller: Caller) -> dict[str, Any]:
        kind = part.get("type")
        if kind == "text" and isinstance(part.get("text"), str):
            return {"type": "text", "text": part["text"]}
        if kind in ("image_url", "video_url") and isinstance(part.get(kind), Mapping):
            url = str(part[kind].get("url", ""))
            sight = self.engine.sight
            if sight is None:
                raise UsageError("this model reads text alone; ask without pictures")
            if kind == "image_url":
                return {"type": "image", "image": await looking.image(url, caller)}
            times = part[kind].get("times")
            return {"type": "video", "video": await looking.video(url, times, sight, caller)}
        raise UsageError(f"a part of type {kind!r} cannot be read; there are text, image_url and video_url")


async def _spoken(answering: Answering) -> Speech:
    """Say what the model says, piece by piece."""
    try:
        async for piece in answering:
            yield Piece(piece)
        reply = answering.reply
        assert reply is not None
        yield Said(
            reply.text, reply.ended, reply.prompt, reply.cached, reply.completion, logprobs=reply.logprobs
        )
    finally:
        answering.cancel()


async def _weighed(answers: Sequence[str], likelihoods: Sequence[float]) -> Speech:
    """Say the likeliest of answers, and how likely each is."""
    best = max(range(len(answers)), key=likelihoods.__getitem__)
    yield Said(answers[best], besides={"likelihoods": list(likelihoods)})
