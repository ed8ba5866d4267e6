"""What the tools do, for one caller: videos are named as people name them, and brought where they are elsewhere."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Awaitable, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vidence.media import open_media
from vidence.serving.api.describing import media_out
from vidence.serving.api.search import found
from vidence.serving.api.shapes import Found, MediumOut, Question
from vidence.serving.asking import answered, begin, indexed, unfaulted
from vidence.serving.bringing import arrived, bring, find
from vidence.serving.jobs import Job
from vidence.serving.keeper import Keeper
from vidence.serving.library import Library, id_of
from vidence.serving.names import clean_name
from vidence.serving.refusing import Refused
from vidence.serving.site import Site
from vidence.timeline import Span, instant

if TYPE_CHECKING:
    from vidence.memory import Medium
    from vidence.senses.observation import Observation

Told = Callable[[float, float | None, str], Awaitable[None]]
"""Hears how far it has come: (done, of how much where that is known, what is going on)."""


@dataclass(frozen=True, slots=True)
class Desk:
    """A library, and whether paths of this machine may be named: so where the caller is its user."""

    site: Site
    keeper: Keeper
    library: Library
    files: bool

    async def medium(self, called: str, told: Told) -> Medium:
        """Return the medium that is called so: by id, name, address, or path where paths may be named.

        Raises:
            Refused: there is none, or it cannot be brought.
        """
        if self.files and not called.startswith(("data:", "http:", "https:")):
            path = Path(called).expanduser()
            if path.is_file():
                return await asyncio.to_thread(self._added, path)
        brought = await bring(self.site, self.keeper, self.library, called)
        if isinstance(brought, Job):
            await told(0, None, f"fetching {brought.name}")
            return await arrived(self.library, brought)
        return brought

    def media(self) -> list[MediumOut]:
        """List the library."""
        return media_out(self.keeper.places(), self.library, self.library.memory.media())

    def search(self, query: str, videos: Sequence[str], senses: list[str] | None, limit: int) -> Found:
        """Find moments.

        Raises:
            Refused: a video is not there.
        """
        ids = [id_of(find(self.library, video).hash) for video in videos] or None
        return found(self.library, query, media=ids, senses=senses, limit=limit)

    async def perceived(
        self, medium: Medium, span: Span, senses: Sequence[str] | None, told: Told
    ) -> list[Observation]:
        """Return what was perceived of a span, and perceive the medium first where that was never done.

        Raises:
            Refused: it cannot be perceived.
        """
        async with aclosing(indexed(self.keeper, self.library, medium)) as events:
            async for _, data in events:
                await told(data["done_s"], data["total_s"], f"perceiving: {data['sense']}")
        return await asyncio.to_thread(
            self.library.memory.observations, medium.hash, senses=senses, span=span
        )

    async def frames(self, medium: Medium, span: Span, count: int, height: int) -> list[tuple[float, bytes]]:
        """Take pictures from the middles of equal parts of a span, as (time, JPEG).

        Raises:
            Refused: its file is gone. MediaError: it has no pictures.
        """
        times = (
            [span.start + span.duration * Fraction(2 * number + 1, 2 * count) for number in range(count)]
            if span.duration
            else [span.start]
        )
        taken = []
        for time in times:
            task = self.site.task_on(self.library, medium, "frame", at=float(time), height=height)
            seen = await self.site.pools["view"].do(self.library.name, task, self.site.settings.limits.view_s)
            taken.append((seen["time"], base64.b64decode(seen["jpeg"])))
        return taken

    async def ask(self, question: Question, told: Told) -> list[dict[str, Any]]:
        """Answer a question about each of its media; each answer is as `Answer.to_json` writes it, with `media_id`.

        Raises:
            Refused: it cannot be answered, and why.
        """
        asked = await begin(self.site, self.library, question)
        answers, steps = [], 0
        async with aclosing(unfaulted(answered(self.site, self.keeper, self.library, asked))) as events:
            async for kind, data in events:
                if kind == "progress":
                    await told(data["done_s"], data["total_s"], f"perceiving: {data['sense']}")
                elif kind == "step":
                    steps += 1
                    await told(steps, None, data["content"])
                elif kind == "answer":
                    answers.append(data)
        return answers

    def name_of(self, medium: Medium) -> str:
        """Return what a medium is called."""
        return self.library.name_of(medium)

    def span(self, medium: Medium, start_s: float | None, end_s: float | None) -> Span:
        """Return a stretch of a medium; what is not given is its own.

        Raises:
            Refused: 400, there is no such stretch.
        """
        whole = medium.info.span
        start = whole.start if start_s is None else instant(start_s)
        end = whole.end if end_s is None else instant(end_s)
        if not whole.start <= start <= end or start > whole.end:
            raise Refused(400, f"there is no such stretch; the video is {whole}, which is {_seconds(whole)}")
        return Span(start, min(end, whole.end))

    def _added(self, path: Path) -> Medium:
        with open_media(path) as media:
            hash = media.hash
            self.library.memory.add(media)
        if hash not in self.library.names():
            self.library.rename(hash, clean_name(path.name))
        return self.library.memory.medium(hash)


def _seconds(span: Span) -> str:
    return f"{float(span.start):g} to {float(span.end):g} s"
