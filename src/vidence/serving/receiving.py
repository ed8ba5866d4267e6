"""Write the body of a request to a file as it comes, and no more of it than is allowed."""

from __future__ import annotations

import asyncio
from pathlib import Path

from starlette.requests import Request

from vidence.serving.refusing import Refused

BLOCK = 1 << 20  # bytes that are gathered before they are written


async def receive(request: Request, place: Path, most: int, *, offset: int = 0) -> int:
    """Write the body from `offset` of a file on; return the bytes that came. What came is written whatever happens.

    Raises:
        Refused: 413, more than `most` bytes came.
        ClientDisconnect: it broke off.
    """
    got, waiting = 0, bytearray()
    with await asyncio.to_thread(place.open, "r+b" if offset else "wb") as file:
        file.seek(offset)
        try:
            async for piece in request.stream():
                got += len(piece)
                if got > most:
                    got -= len(piece)
                    raise Refused(413, f"more than {most:,} bytes came, and no more are allowed")
                waiting += piece
                if len(waiting) >= BLOCK:
                    await asyncio.to_thread(file.write, bytes(waiting))
                    waiting.clear()
        finally:
            file.write(waiting)
            file.flush()
    return got
