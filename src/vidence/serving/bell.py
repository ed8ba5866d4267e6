"""A bell that wakes all who wait for a change, rung from any thread."""

from __future__ import annotations

import asyncio
import contextlib


class Bell:
    """Belongs to the event loop in which it is first waited for."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._event = asyncio.Event()

    def ring(self) -> None:
        """Wake those who wait."""
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._wake)

    def listen(self) -> asyncio.Event:
        """Return what the next ring sets; taken before one looks, no change is missed."""
        self._loop = asyncio.get_running_loop()
        return self._event

    def _wake(self) -> None:
        event, self._event = self._event, asyncio.Event()
        event.set()


async def heard(event: asyncio.Event, timeout_s: float) -> bool:
    """Wait for a ring; False where none came in time."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(timeout_s):
            await event.wait()
    return event.is_set()
