"""The copies that browsers can play: made once each, in the background, when they are first asked for."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from vidence.errors import VidenceError
from vidence.serving.library import Library, id_of
from vidence.serving.playing import is_playable
from vidence.serving.refusing import Refused
from vidence.serving.site import Site

if TYPE_CHECKING:
    from vidence.memory import Medium

LIMIT_S = 600.0  # for the first minute of video, and for every further one


@dataclass(slots=True)
class Making:
    """A copy that is being made."""

    task: asyncio.Task[None]
    progress: float = 0.0


class Previews:
    """What is being made now, by library and medium."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self._making: dict[tuple[str, str], Making] = {}

    def get(self, library: Library, medium: Medium) -> Path | float:
        """Return the file to play, or the share that is done of the copy, whose making is begun where there is none.

        Raises:
            Refused: 410, the file is gone; 422, no copy can be made, and why; the next call tries again.
        """
        place = library.made / f"{id_of(medium.hash)}.preview.mp4"
        if is_playable(medium.info) or place.exists():
            self.site.task_on(library, medium, "preview")
            return Path(medium.path) if is_playable(medium.info) else place
        key = library.name, medium.hash
        making = self._making.get(key)
        if making is None:
            task = self.site.task_on(library, medium, "preview", place=str(place))
            making = self._making[key] = Making(asyncio.create_task(self._make(library, medium, task)))
        if making.task.done():
            del self._making[key]
            making.task.result()
            return place if place.exists() else 0.0
        return making.progress

    async def stop(self) -> None:
        """Leave off; what is half made is removed by its worker's successor."""
        tasks = [making.task for making in self._making.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _make(self, library: Library, medium: Medium, task: dict[str, object]) -> None:
        limit_s = LIMIT_S * (1 + float(medium.info.duration) / 60)
        try:
            async with self.site.pools["preview"].lend(library.name) as worker, asyncio.timeout(limit_s):
                async for message in worker.messages(task | {"cpu_s": 8 * limit_s}):
                    if "progress" in message:
                        self._making[library.name, medium.hash].progress = message["progress"]
        except TimeoutError:
            raise Refused(422, "the copy for browsers took longer than is allowed") from None
        except VidenceError as error:
            raise Refused(422, f"no copy for browsers can be made: {error}") from error
