"""The OpenAI-compatible chat API over one model: /v1/models and /v1/chat/completions, streamed or whole.

Pictures come in the request itself, as data URLs: `image_url`, and `video_url` with a video file or with JPEG frames
divided by commas ("data:video/jpeg;base64,...", taken as two a second). Tools are refused, so that a client asks in
words, and `response_format` with a JSON schema is kept to by whatever model.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import hashlib
import json
import tempfile
import time
import uuid
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any, Literal

import cv2
import numpy as np
from fastapi import APIRouter, FastAPI, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse, StreamingResponse
from pydantic import BaseModel, ConfigDict, Field
from starlette.types import Receive, Scope, Send

from vidence import __version__
from vidence.errors import UsageError, VidenceError
from vidence.models.internvideo3.video import Clip
from vidence.serving.engine import Answering, BusyError, Engine, Reply, Sampling
from vidence.serving.failing import handle_errors
from vidence.serving.picture_size import picture_size
from vidence.serving.refusing import Refused, body, busy

FRAMES_HZ = 2  # of frames that come without times
MOST_PIXELS = 64_000_000  # of one picture


class Message(BaseModel):
    """One message; content is text or parts."""

    model_config = ConfigDict(extra="ignore")
    role: Literal["system", "developer", "user", "assistant", "tool"]
    content: str | list[dict[str, Any]] | None = None


class Asked(BaseModel):
    """A request. What is not known here is let pass, but for tools."""

    model_config = ConfigDict(extra="ignore")
    model: str
    messages: list[Message] = Field(min_length=1)
    max_tokens: int | None = Field(None, ge=1)
    max_completion_tokens: int | None = Field(None, ge=1)
    temperature: float = Field(1.0, ge=0, le=2)
    top_p: float = Field(1.0, gt=0, le=1)
    seed: int | None = None
    stream: bool = False
    stream_options: dict[str, Any] = {}
    response_format: dict[str, Any] | None = None
    tools: list[dict[str, Any]] = []

    def sampling(self) -> Sampling:
        """Return how the answer is drawn."""
        most = self.max_completion_tokens or self.max_tokens or Sampling.max_tokens
        return Sampling(most, self.temperature, self.top_p, self.seed, _schema(self.response_format))


def chat_api(engine: Engine) -> FastAPI:
    """Return an application that serves a model and nothing besides."""
    app = FastAPI(title="Vidence", version=__version__, docs_url=None, redoc_url=None)
    app.include_router(chat_router(engine))

    @app.get("/health")
    def health() -> dict[str, str]:
        return {"status": "ok", "version": __version__}

    handle_errors(app)
    return app


def chat_router(engine: Engine) -> APIRouter:
    """Return the routes of a model: /v1/models and /v1/chat/completions."""
    router = APIRouter(tags=["chat"])

    @router.get("/v1/models")
    def models() -> dict[str, Any]:
        """List the model."""
        named = {"id": engine.name, "object": "model", "created": 0, "owned_by": "vidence"}
        return {"object": "list", "data": [named]}

    @router.post("/v1/chat/completions", response_model=None)
    async def completions(asked: Asked, request: Request) -> JSONResponse | StreamingResponse:
        """Answer a chat, whole or streamed."""
        if asked.model != engine.name:
            raise Refused(404, f"there is no model {asked.model!r} here; there is {engine.name!r}")
        if asked.tools:
            raise Refused(400, "tools are not supported; ask for JSON by response_format instead")
        answering = await run_in_threadpool(_begun, asked, engine)
        if asked.stream:
            usage = bool(asked.stream_options.get("include_usage"))
            return _Streaming(answering, _streamed(answering, _head(engine), usage))
        reply = await _unless_gone(answering, request)
        message = {"role": "assistant", "content": reply.text}
        choice = {"index": 0, "message": message, "finish_reason": _finish(reply)}
        return JSONResponse(
            {**_head(engine), "object": "chat.completion", "choices": [choice], "usage": _usage(reply)}
        )

    return router


class _Streaming(StreamingResponse):
    """A stream that ends the answer when the client goes away."""

    def __init__(self, answering: Answering, events: AsyncIterator[str]) -> None:
        super().__init__(events, media_type="text/event-stream")
        self.answering = answering

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            self.answering.cancel()


def _begun(asked: Asked, engine: Engine) -> Answering:
    """Read a request's messages, which takes a while where they hold videos, and have it answered."""
    try:
        return engine.ask([_read(one, engine) for one in asked.messages], asked.sampling())
    except BusyError as fault:
        raise busy(str(fault)) from None


async def _unless_gone(answering: Answering, request: Request) -> Reply:
    """Wait for an answer, and cancel it when the client goes away."""

    async def whole() -> None:
        async for _ in answering:
            pass

    async def gone() -> None:
        while (await request.receive())["type"] != "http.disconnect":
            pass

    tasks = [asyncio.ensure_future(whole()), asyncio.ensure_future(gone())]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        if not tasks[0].done():
            raise VidenceError("the client has gone")
        tasks[0].result()
        assert answering.reply is not None
        return answering.reply
    finally:
        answering.cancel()
        for task in tasks:
            task.cancel()


def _head(engine: Engine) -> dict[str, Any]:
    return {"id": f"chatcmpl-{uuid.uuid4().hex}", "created": int(time.time()), "model": engine.name}


def _finish(reply: Reply) -> str:
    return "stop" if reply.ended else "length"


def _usage(reply: Reply) -> dict[str, Any]:
    return {
        "prompt_tokens": reply.prompt,
        "completion_tokens": reply.completion,
        "total_tokens": reply.prompt + reply.completion,
        "prompt_tokens_details": {"cached_tokens": reply.cached},
    }


async def _streamed(answering: Answering, head: dict[str, Any], usage: bool) -> AsyncIterator[str]:
    """Yield server-sent events as the answer grows; a fault is the last of them."""
    head = head | {"object": "chat.completion.chunk"}
    yield _event(head | {"choices": [_choice({"role": "assistant", "content": ""})]})
    try:
        async for piece in answering:
            yield _event(head | {"choices": [_choice({"content": piece})]})
    except VidenceError as fault:
        yield _event(body(500, str(fault)))
        return
    assert answering.reply is not None
    yield _event(head | {"choices": [_choice({}, _finish(answering.reply))]})
    if usage:
        yield _event(head | {"choices": [], "usage": _usage(answering.reply)})
    yield "data: [DONE]\n\n"


def _choice(delta: dict[str, Any], finish: str | None = None) -> dict[str, Any]:
    return {"index": 0, "delta": delta, "finish_reason": finish}


def _event(data: Mapping[str, Any]) -> str:
    return f"data: {json.dumps(data, ensure_ascii=False)}\n\n"


def _schema(wanted: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
    """Read what form an answer shall have.

    Raises:
        UsageError: the form is not known.
    """
    kind = (wanted or {}).get("type", "text")
    if kind == "text":
        return None
    if kind == "json_object":
        return {"type": "object"}
    schema = (wanted or {}).get("json_schema", {}).get("schema")
    if kind == "json_schema" and isinstance(schema, Mapping):
        return schema
    raise UsageError(f"response_format is {kind!r}; it is text, json_object, or json_schema with its schema")


def _read(message: Message, engine: Engine) -> dict[str, Any]:
    """Read a message as a conversation takes it, with the key that it is known by."""
    content = message.content or ""
    key = json.dumps([message.role, content], sort_keys=True)
    if len(key) > 4096:
        key = hashlib.sha256(key.encode()).hexdigest()
    role = "system" if message.role == "developer" else message.role
    parts = content if isinstance(content, str) else [_part(one, engine) for one in content]
    return {"key": key, "role": role, "content": parts}


def _part(part: Mapping[str, Any], engine: Engine) -> dict[str, Any]:
    kind = part.get("type")
    if kind == "text" and isinstance(part.get("text"), str):
        return {"type": "text", "text": part["text"]}
    if kind in ("image_url", "video_url") and isinstance(part.get(kind), Mapping):
        head, body = _data(str(part[kind].get("url", "")), kind)
        if kind == "image_url":
            return {"type": "image", "image": _picture(body)}
        if head.startswith("data:video/jpeg"):
            frames = [_picture(one) for one in body.split(",")]
            if len({one.shape for one in frames}) > 1:
                raise UsageError("the frames of a video differ in size")
            return {"type": "video", "video": Clip.at_rate(np.stack(frames), FRAMES_HZ)}
        with tempfile.NamedTemporaryFile(suffix=".video") as file:
            file.write(_bytes(body))
            file.flush()
            return {"type": "video", "video": engine.seen(Path(file.name))}
    raise UsageError(f"a part of type {kind!r} cannot be read; there are text, image_url and video_url")


def _data(url: str, kind: str) -> tuple[str, str]:
    head, _, body = url.partition(",")
    if not head.startswith("data:") or not head.endswith(";base64"):
        raise UsageError(f"{kind}: only data URLs in base64 are taken, and nothing is fetched from elsewhere")
    return head, body


def _bytes(body: str) -> bytes:
    try:
        return base64.b64decode(body, validate=True)
    except binascii.Error as fault:
        raise UsageError(f"a picture is no base64: {fault}") from fault


def _picture(sent: str) -> np.ndarray:
    """Decode a picture as uint8 RGB (H, W, 3)."""
    data = _bytes(sent)
    size = picture_size(data)
    if size is None:
        raise UsageError("a picture cannot be decoded; send JPEG or PNG")
    if size[0] * size[1] > MOST_PIXELS:
        raise UsageError(f"a picture has {size[0]} x {size[1]} pixels; {MOST_PIXELS:,} are allowed")
    image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    if image is None:
        raise UsageError("a picture cannot be decoded; send JPEG or PNG")
    return image[:, :, ::-1].copy()
