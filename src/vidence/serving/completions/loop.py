"""The loop as a model: it answers the last question of a chat about the chat's videos, from checked evidence."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from vidence.serving.api.shapes import Question
from vidence.serving.asking import Asked as Asking
from vidence.serving.asking import answered, unfaulted
from vidence.serving.asking import begin as begin_asking
from vidence.serving.bringing import arrived, bring
from vidence.serving.completions.shapes import Asked
from vidence.serving.completions.speaker import Caller, Piece, Said, Speech
from vidence.serving.jobs import Job
from vidence.serving.library import Library, id_of
from vidence.serving.refusing import Refused
from vidence.serving.telling import citations, in_words

if TYPE_CHECKING:
    from vidence.memory import Medium


@dataclass(frozen=True, slots=True)
class Loop:
    """The loop, decided by a policy of the server."""

    name: str
    policy: str

    @property
    def besides(self) -> Mapping[str, Any]:
        """Return nothing: it is as any model."""
        return {}

    async def begin(self, asked: Asked, caller: Caller) -> Speech:
        """Bring the videos, and ask.

        Raises:
            Refused: there is no question or no video in it, or it cannot be asked so.
        """
        if asked.schema_wanted() is not None:
            raise Refused(400, f"{self.name} answers in words; what it cites stands in `citations`, as data")
        question = next((one.text for one in reversed(asked.messages) if one.role == "user"), "")
        if not question.strip():
            raise Refused(400, "there is no question: the last message of the user has no text")
        sources = list(dict.fromkeys(_sources(asked)))
        if not sources:
            raise Refused(
                400,
                "there is no video in this chat; put one into a message, as a part of type video_url whose url is the "
                "id or name of a video of the library, an http(s) address, or a data URL",
            )
        library = await caller.library()
        brought = [await bring(caller.site, caller.keeper, library, source) for source in sources]
        speech = self._speech(asked, caller, library, question, brought)
        await anext(speech)  # what is wrong with the question is told before the answer begins
        return speech

    async def _speech(
        self, asked: Asked, caller: Caller, library: Library, question: str, brought: Sequence[Medium | Job]
    ) -> Speech:
        asking = None
        if not any(isinstance(one, Job) for one in brought):
            asking = await self._asking(asked, caller, library, question, brought)
        yield Piece("")
        if asking is None:
            for one in brought:
                if isinstance(one, Job):
                    yield Piece(f"Fetching {one.name}.\n", thought=True)
            media = [await arrived(library, one) if isinstance(one, Job) else one for one in brought]
            asking = await self._asking(asked, caller, library, question, media)
        answers: list[dict[str, Any]] = []
        told = unfaulted(answered(caller.site, caller.keeper, library, asking))
        async with contextlib.aclosing(told) as events:
            async for kind, data in events:
                if kind == "step":
                    yield Piece(f"{data['content']}\n", thought=True)
                elif kind == "answer":
                    answers.append(data)
        said = _said(answers, {id_of(one.hash): library.name_of(one) for one in asking.media})
        yield Piece(said.text)
        yield said

    async def _asking(
        self, asked: Asked, caller: Caller, library: Library, question: str, media: Sequence[Any]
    ) -> Asking:
        ids = [id_of(one.hash) for one in media]
        wish = asked.vidence
        return await begin_asking(
            caller.site,
            library,
            Question(
                media=ids,
                question=question,
                choices=wish.choices,
                policy=self.policy,
                budget=wish.budget,
                language=wish.language,
            ),
        )


def _sources(asked: Asked) -> list[str]:
    """Return what the parts of a chat name, in their order: videos, and pictures as videos of one."""
    found = []
    for message in asked.messages:
        for part in message.content if isinstance(message.content, list) else ():
            kind = part.get("type")
            if kind == "text":
                continue
            named = part.get(kind) if kind in ("video_url", "image_url") else None
            url = named.get("url") if isinstance(named, dict) else None
            if not isinstance(url, str) or not url.strip():
                raise Refused(
                    400,
                    f"a part of type {str(kind)!r} cannot be read; there are text, image_url and video_url",
                )
            found.append(url)
    return found


def _said(answers: Sequence[dict[str, Any]], names: dict[str, str]) -> Said:
    cited: list[dict[str, Any]] = []
    texts = []
    for answer in answers:
        name = names[answer["media_id"]]
        own = citations(answer, answer["media_id"], name, len(cited) + 1)
        words = in_words(answer, own)
        texts.append(words if len(answers) == 1 else f"{name}: {words}")
        cited += own
    tokens = sum(one["receipt"]["tokens"] for one in answers)
    return Said("\n\n".join(texts), prompt=tokens, besides={"citations": cited, "answers": list(answers)})
