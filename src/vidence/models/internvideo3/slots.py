"""A cache for many sequences that each say one token a pass, and come and go between passes.

B sequences, one slot each, C capacity of a slot, N members of a shared run, W = R + P. What is a sequence's own stands
in its slot; runs that it shares with others, or that are long, stay where they are and are read once for all their
members. Slots are filled from the first, so that a pass reads a view: who leaves gives the place to the last.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from vidence.models.internvideo3.ledger import TEXT, BankPlan, Plan
from vidence.models.internvideo3.rows import Level, Rows, stored
from vidence.models.internvideo3.stretch import RowShapes, Stretch, fill

STEP_ROWS = 64  # capacities are multiples of it

Shared = Sequence[Sequence[tuple[Tensor, Stretch]]]
"""By depth: which sequences (N) share which run; a sequence has at most one run at each depth."""


class Slots:
    """Rows of sequences side by side: `rows[layer][bank]` is (slots, C, W), of which `filled` tells those in use."""

    def __init__(self, shapes: RowShapes) -> None:
        self.shapes = shapes
        self.rows: list[list[Rows]] = []
        self.filled: list[list[int]] = []  # by slot and bank
        self.shared: Shared = ()
        self._room = (0, [0] * shapes.banks)

    def join(self, copied: Sequence[Stretch]) -> int:
        """Take in a sequence that begins with a copy of these runs; return its slot, which is the last."""
        counts = [sum(stretch.counts[bank] for stretch in copied) for bank in range(self.shapes.banks)]
        slot = len(self.filled)
        self._make_room(slot + 1, counts)
        at = [0] * self.shapes.banks
        for stretch in copied:
            at = fill(self.rows, slot, at, stretch)
        self.filled.append(at)
        return slot

    def leave(self, slot: int) -> None:
        """Let a sequence go; the last takes its slot."""
        last = len(self.filled) - 1
        if slot != last:
            for layer in self.rows:
                for bank, count in zip(layer, self.filled[last], strict=True):
                    bank.put((slot, slice(count)), bank, (last, slice(count)))
            self.filled[slot] = self.filled[last]
        self.filled.pop()
        if not self.filled:
            self.rows, self._room = [], (0, [0] * self.shapes.banks)

    def said(self, slot: int, first: int) -> Stretch:
        """Return a copy of the text rows of a slot from row `first` on."""
        last = self.filled[slot][0]
        kinds_L = torch.full((last - first,), TEXT, dtype=torch.uint8)
        run = Stretch(self.shapes, kinds_L)
        for layer, source in zip(run.rows, self.rows, strict=True):
            layer[0].put((slice(None), slice(None)), source[0], (slice(slot, slot + 1), slice(first, last)))
        return run

    def cut(self, slot: int, first: int) -> None:
        """Forget the text rows of a slot from row `first` on."""
        self.filled[slot][0] = first

    def get_seq_length(self) -> int:
        """Return 0: each sequence has its own, and positions are given."""
        return 0

    def expect(self, kinds_BL: Tensor) -> None:
        """Do nothing: a pass makes its room."""

    def begin(self, kinds_BL: Tensor, positions_BL: Tensor, like_BLD: Tensor) -> Plan:
        """Make room for one more text row of each sequence, and plan what is seen."""
        del positions_BL
        batch, device = kinds_BL.shape[0], like_BLD.device
        batch_N = torch.arange(batch, device=device)
        target_N = torch.tensor([counts[0] for counts in self.filled])
        for counts in self.filled:
            counts[0] += 1
        filled_BK = torch.tensor(self.filled, dtype=torch.int32)
        longest = filled_BK.amax(0).tolist()
        self._make_room(batch, longest)
        banks = [
            BankPlan(
                0, length, filled_BK[:, bank, None].contiguous().to(device), batch_N, batch_N[:0], batch_N[:0]
            )
            for bank, length in enumerate(longest)
        ]
        text = banks[0]
        banks[0] = BankPlan(0, text.length, text.limits_BL, batch_N, batch_N * 0, target_N.to(device))
        return Plan(tuple(banks), 1, uniform=False)

    def write(self, latent_BLR: Tensor, rope_BLP: Tensor, layer: int, plan: Plan) -> list[list[Rows | Level]]:
        """Store one layer's new rows; return by bank the runs that are shared, then the slots."""
        room, part = self.rows[layer][0], plan.banks[0]
        rows_BLW = torch.cat([latent_BLR[..., : room.latent_width], rope_BLP], -1)
        new = stored(rows_BLW, room.latent_width, int8=self.shapes.int8)
        room.put((part.batch_N, part.target_N), new, (part.batch_N, part.source_N))
        return [
            self._views(layer, bank, latent_BLR.shape[0], part.length) for bank, part in enumerate(plan.banks)
        ]

    def _views(self, layer: int, bank: int, batch: int, length: int) -> list[Rows | Level]:
        views = list[Rows | Level]()
        for level in self.shared:
            runs = [(members_N, run.rows[layer][bank]) for members_N, run in level if run.counts[bank]]
            if runs:
                views.append(Level(tuple(runs)))
        if length:
            views.append(self.rows[layer][bank].sequences(batch).span(0, length))
        return views

    def _make_room(self, slots: int, counts: Sequence[int]) -> None:
        """Have at least so many slots of so many rows: more are made by copying into half as many again."""
        had, capacities = self._room
        if slots <= had and all(count <= room for count, room in zip(counts, capacities, strict=True)):
            return
        wanted = had if slots <= had else max(slots, had * 3 // 2)
        room = [_grown(count, capacity) for count, capacity in zip(counts, capacities, strict=True)]
        before, self.rows = self.rows, self.shapes.empty(wanted, room)
        self._room = wanted, room
        for layer, old in zip(self.rows, before, strict=False):
            for bank, source in zip(layer, old, strict=True):
                used = slice(len(self.filled)), slice(source.length)
                bank.put(used, source, used)


def _grown(count: int, capacity: int) -> int:
    if count <= capacity:
        return capacity
    return -(-max(count, capacity * 3 // 2) // STEP_ROWS) * STEP_ROWS
