"""Server-sent events: typed, with a word now and then so that proxies keep the line open."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncGenerator, AsyncIterator
from typing import Any

from fastapi.responses import StreamingResponse
from pydantic import BaseModel

ALIVE_EVERY_S = 15.0
MOST_WAITING = 64  # events that a slow client has not taken yet; then what makes them waits
Event = tuple[str, Any]


def described(*names: str) -> dict[str, Any]:
    """Return how a stream stands in the OpenAPI document: the schema is that of one event, whose data is JSON."""
    event = {"type": "string", "enum": list(names)}
    schema = {
        "type": "object",
        "properties": {"event": event, "data": {"type": "string", "contentMediaType": "application/json"}},
        "required": ["event", "data"],
    }
    return {"text/event-stream": {"schema": schema}}


def stream(events: AsyncGenerator[Event]) -> StreamingResponse:
    """Return the response that sends events as they come."""
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return StreamingResponse(_lines(events), media_type="text/event-stream", headers=headers)


def line(name: str, data: Any) -> str:
    """Write one event."""
    value = data.model_dump_json() if isinstance(data, BaseModel) else json.dumps(data, ensure_ascii=False)
    return f"event: {name}\ndata: {value}\n\n"


async def _lines(events: AsyncGenerator[Event]) -> AsyncIterator[str]:
    """Yield lines; when the client goes away, what makes the events is cancelled."""
    coming: asyncio.Queue[Event | BaseException | None] = asyncio.Queue(MOST_WAITING)
    pump = asyncio.create_task(_pump(events, coming))
    try:
        while True:
            try:
                async with asyncio.timeout(ALIVE_EVERY_S):
                    event = await coming.get()
            except TimeoutError:
                yield ": still there\n\n"
                continue
            if event is None:
                return
            if isinstance(event, BaseException):
                raise event
            yield line(*event)
    finally:
        pump.cancel()


async def _pump(events: AsyncGenerator[Event], coming: asyncio.Queue[Event | BaseException | None]) -> None:
    """Put events where they are waited for; in a task of its own, in which alone they are made and ended."""
    end: BaseException | None = None
    try:
        async with contextlib.aclosing(events):
            async for event in events:
                await coming.put(event)
    except Exception as fault:  # noqa: BLE001 - the boundary of a task: who waits must hear of it
        end = fault
    await coming.put(end)
