"""Follow a job: each time something in its library changes, to its end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator

from vidence.serving.bell import heard
from vidence.serving.jobs import Job
from vidence.serving.library import Library

LOOK_EVERY_S = 5.0  # though no bell is rung: another process may work on it


async def followed(library: Library, id: int) -> AsyncGenerator[Job | None]:
    """Yield a job as it is now and after each ring of its library's bell, the ended one last; None: it is gone."""
    while True:
        event = library.bell.listen()
        now = await asyncio.to_thread(library.queue.get, id)
        yield now
        if now is None or now.ended:
            return
        await heard(event, LOOK_EVERY_S)
