"""One question under way: what the scheduler tells of it, and how who asked hears it, waiting or in an event loop."""

from __future__ import annotations

import asyncio
import contextlib
import queue
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from typing import Any

from tokenizers.decoders import DecodeStream

from vidence.errors import VidenceError


class BusyError(VidenceError):
    """More is asked at once than may wait: try again later (429 over HTTP)."""


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer and what it took. `cached` of the prompt's tokens were read for others, or before."""

    text: str
    prompt: int
    cached: int
    completion: int
    ended: bool  # by itself, not for want of tokens


@dataclass(frozen=True, slots=True)
class Ended:
    """The last that is told of an answer that was given: tokens of its prompt that had not to be read for it."""

    cached: int


Event = int | Ended | VidenceError
"""What the scheduler tells: a token, the end, or why there is none."""


class Answering:
    """An answer that is being given. Iterate over its pieces, with `for` or `async for`; then `reply` is there.

    Who stops before the end cancels it. `tokenizer` decodes alone, so that several threads may use it at once.
    """

    def __init__(self, tokenizer: Any, prompt: int, said: Callable[[list[int], str], None]) -> None:
        self.cancelled = False
        self.reply: Reply | None = None
        self._tokenizer, self._prompt, self._said = tokenizer, prompt, said
        self._events: queue.SimpleQueue[Event] = queue.SimpleQueue()
        self._stream = DecodeStream(skip_special_tokens=True)
        self._heard = ""
        self._ids: list[int] = []
        self._wake: Callable[[], Any] = lambda: None
        self._cancel: Callable[[], Any] = lambda: None

    def hear(self, event: Event) -> None:
        """Take what the scheduler tells."""
        self._events.put(event)
        with contextlib.suppress(RuntimeError):  # an event loop that was closed no longer waits
            self._wake()

    def on_cancel(self, cancel: Callable[[], Any]) -> None:
        """Name what is to be called when it is cancelled."""
        self._cancel = cancel

    def cancel(self) -> None:
        """Give up; where it has ended, nothing."""
        if self.reply is None and not self.cancelled:
            self.cancelled = True
            self._cancel()

    def result(self, told: Callable[[str], None] | None = None) -> Reply:
        """Wait for the end; `told` receives the pieces.

        Raises:
            VidenceError: there is no answer, and why.
        """
        for piece in self:
            if told is not None:
                told(piece)
        assert self.reply is not None
        return self.reply

    def __iter__(self) -> Iterator[str]:
        """Yield pieces as soon as no later token can change them."""
        try:
            while self.reply is None:
                if piece := self._taken(self._events.get()):
                    yield piece
        finally:
            self.cancel()

    async def __aiter__(self) -> AsyncIterator[str]:
        """Do so in an event loop, which goes on with other work meanwhile."""
        loop, came = asyncio.get_running_loop(), asyncio.Event()
        self._wake = lambda: loop.call_soon_threadsafe(came.set)
        try:
            while self.reply is None:
                came.clear()
                with contextlib.suppress(queue.Empty):
                    while self.reply is None:
                        if piece := self._taken(self._events.get_nowait()):
                            yield piece
                if self.reply is None:
                    await came.wait()
        finally:
            self.cancel()

    def _taken(self, event: Event) -> str:
        """Take one event; return the piece that it completes."""
        if isinstance(event, VidenceError):
            raise event
        if isinstance(event, Ended):
            return self._finished(event)
        self._ids.append(event)
        piece = self._stream.step(self._tokenizer.backend_tokenizer, event) or ""
        self._heard += piece
        return piece

    def _finished(self, event: Ended) -> str:
        text = self._tokenizer.decode(self._ids, skip_special_tokens=True)
        self._said(self._ids, text)
        ended = bool(self._ids) and self._ids[-1] == self._tokenizer.eos_token_id
        self.reply = Reply(text, self._prompt, event.cached, len(self._ids), ended)
        return text.removeprefix(self._heard) if text.startswith(self._heard) else ""
