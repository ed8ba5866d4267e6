"""The answers that are being given: each says one token a pass, side by side, and may come and go between passes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from vidence.models.internvideo3.passes import run
from vidence.models.internvideo3.slots import Slots
from vidence.models.internvideo3.stretch import RowShapes, Stretch
from vidence.models.internvideo3.turns import unwritable
from vidence.serving.prefixes import Node, Prefixes
from vidence.serving.request import Request
from vidence.serving.sampling import drawn

# A run shorter than this is copied into the slot of each answer that goes on from it: one more run is one more launch a
# layer, a copy of 256 rows of the 8B model 11 MB.
SHARED_TOKENS = 256
# Of an answer as long as this, or a quarter of what it froze before, the rows become a run of their own, so that one
# long answer does not make every slot long.
FROZEN_TOKENS = 512


class Batch:
    """Running answers, by slot."""

    def __init__(self, model: Any, decoder: Any, shapes: RowShapes, prefixes: Prefixes) -> None:
        self.model, self.decoder, self.prefixes = model, decoder, prefixes
        self.slots = Slots(shapes)
        self.running: list[Request] = []
        self._forbidden = torch.tensor(unwritable(model.config), dtype=torch.int64, device=shapes.like.device)
        self._shared_at = -1  # the tree's version that the shared runs were found for

    def join(self, request: Request) -> None:
        """Let an answer begin: what it goes on from has been read."""
        copied, at = list[Stretch](), 0
        for node in self._path(request):
            if node.length < SHARED_TOKENS and node.stretch is not None:
                copied.append(node.stretch)
                request.copied.append((at, at + node.length))
            at += node.length
        slot = self.slots.join(copied)
        request.first = self.slots.filled[slot][0]
        self.running.append(request)
        self._shared_at = -1

    def step(self) -> list[tuple[Request, int]]:
        """Say one token of each answer."""
        self._share()
        ids_B1 = torch.tensor([[one.next_token] for one in self.running])
        positions_B1 = torch.tensor([[one.next_position] for one in self.running])
        hidden_B1D = run(self.decoder, ids_B1, positions_B1.expand(3, -1, -1), self.slots)
        logits_BW = self.model.lm_head(hidden_B1D[:, -1]).float()
        logits_BW[:, self._forbidden] = -torch.inf
        for at, one in enumerate(self.running):
            if one.constraint is not None:
                logits_BW[at] = one.allowed(logits_BW[at])
        samplings, dice = [one.sampling for one in self.running], [one.dice for one in self.running]
        tokens = drawn(logits_BW, samplings, dice)
        for one, token in zip(self.running, tokens, strict=True):
            one.said.append(one.next_token)
            one.next_token, one.next_position = token, one.after_prompt + one.count
            one.count += 1
            self._freeze(one)
        return list(zip(self.running, tokens, strict=True))

    def leave(self, request: Request) -> None:
        """Let an answer go, and keep what was said with what it went on from."""
        slot = self.running.index(request)
        if request.said:
            self._keep(request, slot)
        self.slots.leave(slot)
        last = self.running.pop()
        if last is not request:
            self.running[slot] = last
        self._shared_at = -1

    def clear(self) -> list[Request]:
        """Let all go, after a pass that failed; return them."""
        gone, self.running = self.running, []
        self.slots = Slots(self.slots.shapes)
        return gone

    def _freeze(self, request: Request) -> None:
        if len(request.said) < max(FROZEN_TOKENS, request.frozen // 4):
            return
        slot = self.running.index(request)
        request.frozen += len(request.said)
        self._keep(request, slot)
        self.slots.cut(slot, request.first)
        request.said.clear()
        self._shared_at = -1

    def _keep(self, request: Request, slot: int) -> None:
        """Make a run of what an answer said, and stand on it."""
        before = request.leaf
        assert before is not None
        run_ = self.slots.said(slot, request.first)
        held = self.prefixes.nbytes
        request.leaf = self.prefixes.grow(before, np.array(request.said, dtype=np.int64), run_)
        request.reserved -= self.prefixes.nbytes - held
        self.prefixes.pin(request.leaf)
        self.prefixes.unpin(before)

    def _share(self) -> None:
        """Find which runs stay where they are, and whose they are."""
        if self._shared_at == self.prefixes.version:
            return
        depths = list[dict[int, tuple[Node, list[int]]]]()
        for slot, request in enumerate(self.running):
            depth, at = 0, 0
            for node in self._path(request):
                if not any(start <= at < stop for start, stop in request.copied):
                    if depth == len(depths):
                        depths.append({})
                    depths[depth].setdefault(id(node), (node, []))[1].append(slot)
                    depth += 1
                at += node.length
        self.slots.shared = [self._level(list(level.values())) for level in depths]
        self._shared_at = self.prefixes.version

    def _level(self, level: Sequence[tuple[Node, list[int]]]) -> list[tuple[torch.Tensor, Stretch]]:
        device = self.slots.shapes.like.device
        return [
            (torch.tensor(slots, device=device), node.stretch)
            for node, slots in level
            if node.stretch is not None
        ]

    def _path(self, request: Request) -> list[Node]:
        assert request.leaf is not None
        return self.prefixes.path(request.leaf)
