"""/v1/models and /v1/chat/completions, streamed or whole, whoever answers."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
import uuid
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, StreamingResponse
from starlette.types import Receive, Scope, Send

from vidence.errors import VidenceError
from vidence.serving.api.reaching import Keeping, Serving
from vidence.serving.completions.shapes import Asked
from vidence.serving.completions.speaker import Caller, Piece, Said, Speaker, Speech
from vidence.serving.refusing import Refused, body, status_of


def chat_router(speakers: Sequence[Speaker]) -> APIRouter:
    """Return the routes of the chat API, answered by `speakers`."""
    router = APIRouter(tags=["chat"])
    by_name = {speaker.name: speaker for speaker in speakers}

    @router.get("/v1/models")
    def models() -> dict[str, Any]:
        """List who answers."""
        return {"object": "list", "data": [_model(one) for one in speakers]}

    @router.get("/v1/models/{name:path}")
    def model(name: str) -> dict[str, Any]:
        """Show one."""
        return _model(_known(name, by_name))

    @router.post("/v1/chat/completions", response_model=None)
    async def completions(
        asked: Asked, request: Request, site: Serving, keeper: Keeping
    ) -> JSONResponse | StreamingResponse:
        """Answer a chat, whole or streamed."""
        speaker = _known(asked.model, by_name)
        if asked.tools:
            raise Refused(400, "tools are not supported; ask for JSON by response_format instead")
        speech = await speaker.begin(asked, Caller(site, keeper, request.state.user))
        head = {
            "id": f"chatcmpl-{uuid.uuid4().hex}",
            "created": int(time.time()),
            "model": speaker.name,
        }
        if asked.stream:
            return _Streaming(speech, head, usage=asked.usage_wanted)
        said = await _unless_gone(speech, request)
        message = {"role": "assistant", "content": said.text, **said.besides}
        choice = {"index": 0, "message": message, "finish_reason": _finish(said), "logprobs": _likely(said)}
        return JSONResponse({**head, "object": "chat.completion", "choices": [choice], "usage": _usage(said)})

    return router


def _known(name: str, speakers: Mapping[str, Speaker]) -> Speaker:
    if name not in speakers:
        raise Refused(404, f"there is no model {name!r} here; there are {', '.join(speakers)}")
    return speakers[name]


def _model(speaker: Speaker) -> dict[str, Any]:
    return {"id": speaker.name, "object": "model", "created": 0, "owned_by": "vidence", **speaker.besides}


class _Streaming(StreamingResponse):
    """A stream of events, which ends the answer when the client goes away."""

    def __init__(self, speech: Speech, head: dict[str, Any], *, usage: bool) -> None:
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        super().__init__(_streamed(speech, head, usage), media_type="text/event-stream", headers=headers)
        self._speech = speech

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            with contextlib.suppress(RuntimeError):  # it is being closed by who iterates
                await self._speech.aclose()


async def _unless_gone(speech: Speech, request: Request) -> Said:
    """Wait for the end of an answer, and cancel it when the client goes away."""

    async def whole() -> Said:
        async with contextlib.aclosing(speech):
            async for part in speech:
                if isinstance(part, Said):
                    return part
        raise AssertionError("a speech ends with what was said, or raises")

    async def gone() -> None:
        while (await request.receive())["type"] != "http.disconnect":
            pass

    waiting, leaving = asyncio.ensure_future(whole()), asyncio.ensure_future(gone())
    try:
        await asyncio.wait((waiting, leaving), return_when=asyncio.FIRST_COMPLETED)
        if not waiting.done():
            raise Refused(499, "the client went away")
        return waiting.result()
    finally:
        for task in (waiting, leaving):
            task.cancel()
        await asyncio.gather(waiting, leaving, return_exceptions=True)


def _finish(said: Said) -> str:
    return "stop" if said.ended else "length"


def _likely(said: Said) -> dict[str, Any] | None:
    """Write how likely each token was."""
    if not said.logprobs:
        return None
    told = [
        {"token": token, "logprob": logprob, "bytes": [*token.encode()], "top_logprobs": []}
        for token, logprob in said.logprobs
    ]
    return {"content": told, "refusal": None}


def _usage(said: Said) -> dict[str, Any]:
    return {
        "prompt_tokens": said.prompt,
        "completion_tokens": said.completion,
        "total_tokens": said.prompt + said.completion,
        "prompt_tokens_details": {"cached_tokens": said.cached},
    }


async def _streamed(speech: Speech, head: dict[str, Any], usage: bool) -> AsyncIterator[str]:
    """Yield server-sent events as the answer grows; a fault is the last of them."""
    head = head | {"object": "chat.completion.chunk"}
    yield _event(head | {"choices": [_choice({"role": "assistant", "content": ""})]})
    try:
        async with contextlib.aclosing(speech):
            async for part in speech:
                if isinstance(part, Piece):
                    kind = "reasoning_content" if part.thought else "content"
                    yield _event(head | {"choices": [_choice({kind: part.text})]})
                else:
                    yield _event(head | {"choices": [_choice(dict(part.besides), _finish(part))]})
                    if usage:
                        yield _event(head | {"choices": [], "usage": _usage(part)})
    except VidenceError as fault:
        yield _event(body(status_of(fault), str(fault)))
        return
    except Refused as refusal:
        yield _event(body(refusal.status_code, refusal.detail))
        return
    yield "data: [DONE]\n\n"


def _choice(delta: dict[str, Any], finish: str | None = None) -> dict[str, Any]:
    return {"index": 0, "delta": delta, "finish_reason": finish}


def _event(data: Mapping[str, Any]) -> str:
    return f"data: {json.dumps(data, ensure_ascii=False)}\n\n"
