"""Who is served when: one thread lets requests in, reads prompts a stretch at a time, and says answers side by side.

A turn reads at most one stretch of prompts, so that answers under way go on while others read. Requests are let in in
the order they came, as far as the memory suffices for all that they may say.
"""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass
from typing import Any

import torch

from vidence.errors import UsageError, VidenceError
from vidence.models.internvideo3.room import available_bytes
from vidence.models.internvideo3.stretch import RowShapes
from vidence.serving.answering import BusyError, Ended
from vidence.serving.batch import Batch
from vidence.serving.looks import Looks
from vidence.serving.prefixes import Prefixes
from vidence.serving.reading import Reading
from vidence.serving.request import Request

CLOSED = "the model is served no longer"


@dataclass(frozen=True, slots=True)
class Limits:
    """How much is done at once. cache_bytes: for rows and for pictures that were seen; None: half of what is free."""

    running: int = 16
    waiting: int = 64
    stretch_tokens: int = 512
    cache_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class Counts:
    """What the scheduler does and did: requests, tokens of prompts and of answers, frames seen, bytes of rows."""

    waiting: int
    running: int
    prompt_tokens: int
    read_tokens: int
    said_tokens: int
    frames: int
    cache_bytes: int


class Scheduler:
    """One model's requests. Its thread starts with the first and rests while there is none."""

    def __init__(self, model: Any, end: int, limits: Limits) -> None:
        self.model, self.end, self.limits = model, end, limits
        sees = hasattr(model.model, "language_model")
        self.decoder = model.model.language_model if sees else model.model
        text = model.config.get_text_config(decoder=True)
        self.shapes = RowShapes.of(text, self.decoder.embed_tokens.weight.detach())
        room = limits.cache_bytes
        room = available_bytes(self.shapes.like.device) // 2 if room is None else room
        self.most_bytes = room - room // 8 if sees else room  # the rest is for features of pictures
        self.looks = Looks(model.model, room - self.most_bytes)
        self.prefixes = Prefixes(self.shapes)
        self.batch = Batch(model, self.decoder, self.shapes, self.prefixes)
        self._came = threading.Condition()
        self._inbox: list[Request] = []
        self._waiting: deque[Request] = deque()
        self._reading = Reading(self.decoder, self.prefixes, self.looks)
        self._places = self._numbered = self._prompts = self._read = self._said = 0
        self._full = self._closed = False
        self._thread: threading.Thread | None = None

    def counts(self) -> Counts:
        """Tell what is done and was."""
        running = len(self._active)
        return Counts(
            waiting=max(self._places - running, 0),
            running=running,
            prompt_tokens=self._prompts,
            read_tokens=self._read,
            said_tokens=self._said,
            frames=self.looks.seen,
            cache_bytes=self.prefixes.nbytes + self.looks.nbytes,
        )

    def take_place(self) -> None:
        """Take a place in the queue, for a request that will be submitted.

        Raises:
            BusyError: there is none.
        """
        with self._came:
            most = self.limits.running + self.limits.waiting
            if self._closed:
                raise BusyError(CLOSED)
            if self._places >= most:
                raise BusyError(
                    f"{self._places} requests are answered or wait, and no more may; try again later"
                )
            self._places += 1

    def give_place(self) -> None:
        """Give a place back."""
        with self._came:
            self._places -= 1

    def submit(self, request: Request) -> None:
        """Queue a request that has a place."""
        with self._came:
            if self._closed:
                self._places -= 1
                request.hear(BusyError(CLOSED))
                return
            if self._thread is None:
                self._thread = threading.Thread(target=self._serve, name="scheduler", daemon=True)
                self._thread.start()
            self._inbox.append(request)
            self._came.notify()

    def wake(self) -> None:
        """Look at once who has gone."""
        with self._came:
            self._came.notify()

    def close(self) -> None:
        """Answer nobody any more."""
        with self._came:
            self._closed = True
            self._came.notify()
        if self._thread is not None:
            self._thread.join()

    def _serve(self) -> None:
        with torch.inference_mode():
            while self._awaited():
                try:
                    self._let_go()
                    self._let_in()
                    self._read_on()
                    self._say_on()
                except Exception as fault:  # noqa: BLE001 - the boundary of the thread: who asked must hear of it
                    self._begin_anew(fault)
        for request in [*self._inbox, *self._waiting, *self._active]:
            request.hear(BusyError(CLOSED))

    def _awaited(self) -> bool:
        """Wait for something to do; False when closed."""
        with self._came:
            while not (self._closed or self._inbox or self._waiting or self._active):
                self._came.wait()
            self._waiting.extend(self._inbox)
            self._inbox.clear()
            return not self._closed

    def _let_go(self) -> None:
        """Drop requests whose asker has gone."""
        for request in [one for one in (*self._waiting, *self._active) if one.gone()]:
            if request in self._waiting:
                self._waiting.remove(request)
                self.give_place()
            else:
                self._finish(request)

    def _let_in(self) -> None:
        """Let in who came first, and who came next, while there is room."""
        while self._waiting and not self._full and len(self._active) < self.limits.running:
            request = self._waiting[0]
            prompt, last = request.prompt, request.prompt.length - 1
            kinds_T = prompt.kinds_T[:last]
            answer = self.shapes.nbytes([request.sampling.max_tokens + 1] + [0] * (self.shapes.banks - 1))
            whole = self.shapes.nbytes(self.shapes.counts(kinds_T)) + answer
            if whole > self.most_bytes:
                self._waiting.popleft()
                self._refuse(request, UsageError(self._too_long(whole)))
                continue
            leaf = self.prefixes.insert(request.scope, prompt.keys_T[:last], kinds_T, prompt.cuts)
            self.prefixes.pin(leaf)
            taken = sum(one.reserved for one in self._active) + self.prefixes.missing(leaf) + answer
            self.prefixes.evict(self.most_bytes - taken)
            if self.prefixes.nbytes + taken > self.most_bytes:  # others must end first
                self.prefixes.unpin(leaf)
                self._full = True
                return
            self.prefixes.make_room(leaf)
            self._numbered += 1
            request.leaf, request.reserved, request.number = leaf, answer, self._numbered
            self._waiting.popleft()
            self._reading.requests.append(request)

    @property
    def _active(self) -> list[Request]:
        return [*self._reading.requests, *self.batch.running]

    def _too_long(self, needed: int) -> str:
        return (
            f"the chat needs {needed / 1e9:.3g} GB for its rows, and the cache has {self.most_bytes / 1e9:.3g}; "
            "ask for fewer tokens or frames"
        )

    def _read_on(self) -> None:
        """Read a stretch of prompts, and let those begin to answer whose prompt has been read."""
        done = self._reading.on(self.limits.stretch_tokens)
        self._read += done.tokens
        for request in (*done.lost, *(one for one, _ in done.failed)):
            self._stand_down(request)
        for request in done.lost:
            threading.Thread(target=self._look_again, args=(request,), daemon=True).start()
        for request, fault in done.failed:
            self._refuse(request, fault)
        for request in done.ready:
            request.prompt.read()
            self._prompts += request.prompt.length
            self.batch.join(request)

    def _say_on(self) -> None:
        """Say a token of each answer, and take leave of those that are whole."""
        if not self.batch.running:
            return
        for request, token in self.batch.step():
            self._said += 1
            request.hear(token)
            if token == self.end or request.count >= request.sampling.max_tokens:
                self._finish(request)
                request.hear(Ended(request.prompt.length - 1 - request.read))

    def _look_again(self, request: Request) -> None:
        """Fetch pictures of earlier turns, whose rows are gone, while others are served; then queue it anew."""
        try:
            request.prompt.frames |= request.prompt.again()
            self.submit(request)
        except Exception as fault:  # noqa: BLE001 - the boundary of a thread: who asked must hear of it
            self._refuse(request, fault)

    def _finish(self, request: Request) -> None:
        if request in self._reading.requests:
            self._reading.requests.remove(request)
        else:
            self.batch.leave(request)
        self._stand_down(request)
        self.give_place()

    def _stand_down(self, request: Request) -> None:
        """Give back what a request holds in the cache."""
        if request.leaf is not None:
            self.prefixes.unpin(request.leaf)
        request.leaf, request.reserved, self._full = None, 0, False

    def _refuse(self, request: Request, fault: Exception) -> None:
        """Tell why there will be no answer."""
        if not isinstance(fault, VidenceError):
            fault = VidenceError(f"the model failed: {type(fault).__name__}: {fault}")
        self.give_place()
        request.hear(fault)

    def _begin_anew(self, fault: Exception) -> None:
        """Drop all that is under way, and the cache, which may be damaged."""
        active = self._active
        self.prefixes = Prefixes(self.shapes)
        self.batch = Batch(self.model, self.decoder, self.shapes, self.prefixes)
        self._reading = Reading(self.decoder, self.prefixes, self.looks)
        self._full = False
        for request in active:
            self._refuse(request, fault)
