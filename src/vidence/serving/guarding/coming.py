"""The body of a request as it comes: not too long, not too slow, and out of the way before the answer to it."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

from starlette.datastructures import Headers

from vidence.serving.refusing import Refused
from vidence.serving.settings import MB, Limits

if TYPE_CHECKING:
    from starlette.types import Message, Receive, Scope

DRAIN_BYTES, DRAIN_S = 16 * MB, 1.0
UPLOADS = {("PUT", "/api/media"), ("POST", "/v1/files")}


class Coming:
    """One body."""

    def __init__(self, scope: Scope, receive: Receive, limits: Limits) -> None:
        self._receive, self._limits = receive, limits
        self.most = _most(scope["method"], scope["path"], limits)
        self.got = 0
        headers = Headers(scope=scope)
        self.ended = headers.get("content-length", "0") == "0" and "transfer-encoding" not in headers
        self._told = False  # the end of it

    async def receive(self) -> Message:
        """Return the next message.

        Raises:
            Refused: 408, nothing came for long; 413, too much did.
        """
        if self._told:
            return await self._receive()  # only that the client goes away is still waited for
        try:
            async with asyncio.timeout(self._limits.idle_s):
                message = await self._receive()
        except TimeoutError:
            raise Refused(408, f"nothing came for {self._limits.idle_s:g} s") from None
        self.got += len(message.get("body", b""))
        self._told = self.ended = not message.get("more_body", False)
        if self.got > self.most:
            raise Refused(413, f"the request has more than {self.most:,} bytes")
        return message

    async def drained(self) -> bool:
        """Read what is left and throw it away, within bounds; say whether that was all.

        A client that still sends may be told of a closed line before it reads why; one that never ends is hung up on.
        """
        got = 0
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(DRAIN_S):
                while not self.ended and got < DRAIN_BYTES:
                    message = await self._receive()
                    got += len(message.get("body", b""))
                    self._told = self.ended = not message.get("more_body", False)
        return self.ended


def _most(method: str, path: str, limits: Limits) -> int:
    """Return how long a body may be; uploads are counted again by who writes them."""
    if (method, path) in UPLOADS or (method == "PATCH" and path.startswith("/api/uploads/")):
        return limits.upload_bytes
    return limits.chat_bytes if path.startswith("/v1/") else limits.body_bytes
