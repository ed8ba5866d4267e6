"""The prompts that are being read: a stretch at a time, and what several wait for once for all of them.

Stretches go by turns to who came first and to who has least left: short prompts are not held up by long ones, of equal
ones one is done after the other, and everyone's comes.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from vidence.models.internvideo3.onward import Onward
from vidence.models.internvideo3.passes import run
from vidence.serving.looks import Looks
from vidence.serving.prefixes import Node, Prefixes
from vidence.serving.request import Request


@dataclass(slots=True)
class Done:
    """What a stretch brought: prompts that have been read, that lack pictures, or that the model failed at."""

    tokens: int = 0
    ready: list[Request] = field(default_factory=list)
    lost: list[Request] = field(default_factory=list)
    failed: list[tuple[Request, Exception]] = field(default_factory=list)


class Reading:
    """Requests whose prompts are being read."""

    def __init__(self, decoder: Any, prefixes: Prefixes, looks: Looks) -> None:
        self.decoder, self.prefixes, self.looks = decoder, prefixes, looks
        self.requests: list[Request] = []
        self._turn = 0

    def on(self, most_tokens: int) -> Done:
        """Read at most so many tokens; requests that need no more reading leave."""
        done = Done()
        self._turn += 1
        while done.tokens < most_tokens and (unread := [one for one in self.requests if self._next(one)]):
            request = min(unread, key=self._left if self._turn % 2 else lambda one: one.number)
            node = self._next(request)
            assert node is not None
            sharers = [one for one in unread if node in self._path(one)]
            able = [one for one in sharers if not self._lacks(one, node)]
            if not able:
                self.requests.remove(request)
                done.lost.append(request)
                continue
            reader = min(able, key=lambda one: one.number)
            count = min(most_tokens - done.tokens, node.length - node.filled)
            try:
                self._read(reader, node, count)
            except Exception as fault:  # noqa: BLE001 - the boundary of the thread: who asked must hear of it
                self.requests.remove(reader)
                done.failed.append((reader, fault))
                continue
            done.tokens += count
        done.ready = [one for one in self.requests if self._next(one) is None]
        self.requests = [one for one in self.requests if one not in done.ready]
        return done

    def _read(self, request: Request, node: Node, count: int) -> None:
        """Read the next tokens of a run."""
        prompt, path = request.prompt, self._path(request)
        before = [one.stretch for one in path[: path.index(node)] if one.stretch is not None]
        assert node.stretch is not None
        first = self._start(request, node) + node.filled
        span = slice(first, first + count)
        features = self.looks.at(prompt.written.sights, prompt.frames, first, first + count)
        run(
            self.decoder,
            prompt.written.ids_T[None, span],
            prompt.positions_3T[:, None, span],
            Onward(before, node.stretch, node.filled),
            visual_BL=None if features is None else prompt.written.types_T[None, span] > 0,
            features=features,
        )
        node.filled += count
        request.read += count

    def _path(self, request: Request) -> list[Node]:
        assert request.leaf is not None
        return self.prefixes.path(request.leaf)

    def _next(self, request: Request) -> Node | None:
        """Return the run that is to be read next."""
        return next((node for node in self._path(request) if not node.full), None)

    def _left(self, request: Request) -> tuple[int, int]:
        """Return how many tokens of a prompt are to be read, then the order of coming."""
        return sum(node.length - node.filled for node in self._path(request)), request.number

    def _start(self, request: Request, node: Node) -> int:
        """Return where in a prompt a run begins."""
        path = self._path(request)
        return sum(one.length for one in path[: path.index(node)])

    def _lacks(self, request: Request, node: Node) -> bool:
        start = self._start(request, node)
        return request.prompt.lacks(start + node.filled, start + node.length, self.looks.known)
