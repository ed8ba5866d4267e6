"""A model that answers by itself. Pictures stand in the request, as data; videos may also be named, or fetched."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from vidence.errors import UsageError
from vidence.models.internvideo3.video import Clip
from vidence.serving.answering import Answering, BusyError
from vidence.serving.bringing import fetched, find, read_data
from vidence.serving.completions.pictures import picture
from vidence.serving.completions.shapes import Asked, Message
from vidence.serving.completions.speaker import Caller, Piece, Said, Speech
from vidence.serving.engine import Engine, Sampling
from vidence.serving.refusing import Refused, busy

FRAMES = "data:video/jpeg;base64,"
FRAMES_HZ = 2  # of frames that come without times
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
            if kind == "image_url":
                return {"type": "image", "image": await asyncio.to_thread(picture, url)}
            if url.startswith(FRAMES):
                return {
                    "type": "video",
                    "video": await asyncio.to_thread(_frames, url, part[kind].get("times")),
                }
            return {"type": "video", "video": await self._video(url, caller)}
        raise UsageError(f"a part of type {kind!r} cannot be read; there are text, image_url and video_url")

    async def _video(self, url: str, caller: Caller) -> Clip:
        """Take a video's pictures; a file is opened by a worker alone."""
        sight = self.engine.sight
        if sight is None:
            raise UsageError("this model reads text alone; ask without pictures")
        library = await caller.library()
        pixels = library.new_file().with_suffix(".npy")
        kept = library.new_file()  # for what is no part of the library
        try:
            if url.startswith("data:"):
                await asyncio.to_thread(lambda: kept.write_bytes(read_data(url)))
                task = {"path": str(kept), "medium": None, "ours": True}
            elif url.startswith(("http:", "https:")):
                async for _ in fetched(caller.site, library, url, kept):
                    pass
                task = {"path": str(kept), "medium": None, "ours": True}
            else:
                task = caller.site.task_on(library, await asyncio.to_thread(find, library, url), "see")
            task |= {"task": "see", "place": str(pixels), "limits": sight["limits"], "shape": sight["shape"]}
            seen = await caller.site.pools["view"].do(library.name, task, caller.site.settings.limits.view_s)
            return Clip.of(await asyncio.to_thread(np.load, pixels), seen["times"])
        finally:
            pixels.unlink(missing_ok=True)
            kept.unlink(missing_ok=True)


def _frames(url: str, times: Any) -> Clip:
    """Read frames that come one by one; without their times they are FRAMES_HZ a second."""
    frames = [picture(f"data:image/jpeg;base64,{one}") for one in url.removeprefix(FRAMES).split(",")]
    if len({one.shape for one in frames}) > 1:
        raise UsageError("the frames of a video differ in size")
    if times is None:
        return Clip.at_rate(np.stack(frames), FRAMES_HZ)
    if not (isinstance(times, list) and all(isinstance(one, (int, float, str)) for one in times)):
        raise UsageError("the times of frames are a list of seconds")
    return Clip.of(np.stack(frames), times)


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
