"""/api/ask: a question, answered at once or step by step."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from vidence.serving.api import events
from vidence.serving.api.reaching import Here, Keeping, Serving
from vidence.serving.api.shapes import Answers, Question
from vidence.serving.asking import answered, begin, unfaulted
from vidence.serving.refusing import Refused

router = APIRouter(tags=["ask"])
AWAY_EVERY_S = 0.5  # how often a client that waits for JSON is asked whether it is still there


@router.post(
    "/ask",
    response_model=Answers,
    responses={200: {"content": events.described("run", "progress", "step", "answer", "error", "end")}},
)
async def ask(question: Question, request: Request, site: Serving, library: Here, keeper: Keeping) -> Any:
    """Answer a question about each of the media, from checked evidence.

    What is not yet known of a medium is perceived first. With `Accept: text/event-stream` come typed events: `run`,
    `progress`, `step`, `answer`, `error` and last `end`. A client that goes away ends its run.
    """
    asked = await begin(site, library, question)
    told = answered(site, keeper, library, asked)
    if "text/event-stream" in request.headers.get("accept", ""):
        return events.stream(told)
    return await _together(told, request)


async def _together(told: AsyncGenerator[events.Event], request: Request) -> JSONResponse:
    gathering = asyncio.create_task(_gathered(told))
    try:
        while not (await asyncio.wait({gathering}, timeout=AWAY_EVERY_S))[0]:
            if await request.is_disconnected():
                raise Refused(499, "the client went away")
        return JSONResponse(gathering.result())
    finally:
        gathering.cancel()


async def _gathered(told: AsyncGenerator[events.Event]) -> dict[str, Any]:
    answers: list[Any] = []
    async with contextlib.aclosing(unfaulted(told)) as sound:
        async for name, data in sound:
            if name == "answer":
                answers.append(data)
    return {"answers": answers}
