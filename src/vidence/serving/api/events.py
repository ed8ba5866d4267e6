"""Server-sent events: typed, with a word now and then so that proxies keep the line open."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from typing import Any

from fastapi.responses import StreamingResponse
from pydantic import BaseModel

ALIVE_EVERY_S = 15.0
Event = tuple[str, Any]


def stream(events: AsyncIterator[Event]) -> StreamingResponse:
    """Return the response that sends events as they come."""
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return StreamingResponse(_lines(events), media_type="text/event-stream", headers=headers)


def line(name: str, data: Any) -> str:
    """Write one event."""
    value = data.model_dump_json() if isinstance(data, BaseModel) else json.dumps(data, ensure_ascii=False)
    return f"event: {name}\ndata: {value}\n\n"


async def _lines(events: AsyncIterator[Event]) -> AsyncIterator[str]:
    """Yield lines; when the client goes away, what makes the events is cancelled."""
    coming: asyncio.Task[Event] | None = None
    try:
        while True:
            coming = coming or asyncio.ensure_future(anext(events))  # type: ignore[arg-type]
            done, _ = await asyncio.wait({coming}, timeout=ALIVE_EVERY_S)
            if not done:
                yield ": still there\n\n"
                continue
            try:
                name, data = coming.result()
            except StopAsyncIteration:
                return
            coming = None
            yield line(name, data)
    finally:
        if coming is not None and not coming.done():
            coming.cancel()
            with contextlib.suppress(asyncio.CancelledError, Exception):
                await coming
        await events.aclose()  # type: ignore[attr-defined]


DESCRIBED: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "Server-sent events.",
        "content": {"text/event-stream": {"schema": {"type": "string"}}},
    }
}
