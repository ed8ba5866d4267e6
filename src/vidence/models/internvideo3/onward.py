"""A cache for reading on: it sees runs of rows that others have left, and writes the rows of the run after them.

L new tokens. Nothing before is copied, so that any number of sequences may go on from the same rows.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from vidence.models.internvideo3.ledger import Plan, bank_plan, masks
from vidence.models.internvideo3.rows import Rows, stored
from vidence.models.internvideo3.stretch import Stretch


class Onward:
    """One pass of one sequence: `path` is read, `last` is filled up from its token `filled` on."""

    def __init__(self, path: Sequence[Stretch], last: Stretch, filled: int) -> None:
        self.path, self.last, self.filled = path, last, filled
        self.shapes = last.shapes
        self._own = self.shapes.counts(last.kinds_L[:filled])
        self._before = [
            sum(stretch.counts[bank] for stretch in path) + own for bank, own in enumerate(self._own)
        ]

    def get_seq_length(self) -> int:
        """Return the tokens that are there already."""
        return sum(len(stretch.kinds_L) for stretch in self.path) + self.filled

    def expect(self, kinds_BL: Tensor) -> None:
        """Do nothing: room was made for all."""

    def begin(self, kinds_BL: Tensor, positions_BL: Tensor, like_BLD: Tensor) -> Plan:
        """Plan where the new tokens' rows go; positions are not kept."""
        del positions_BL
        new = masks(kinds_BL.cpu(), banked=self.shapes.banked)
        banks = tuple(
            bank_plan(torch.tensor([before]), mask_BL, like_BLD.device)
            for before, mask_BL in zip(self._before, new, strict=True)
        )
        return Plan(banks, kinds_BL.shape[1], uniform=len(banks) == 1)

    def write(self, latent_BLR: Tensor, rope_BLP: Tensor, layer: int, plan: Plan) -> list[list[Rows]]:
        """Store one layer's new rows; return all that the layer holds, bank by bank."""
        views = []
        for bank, part in enumerate(plan.banks):
            room, own = self.last.rows[layer][bank], self._own[bank]
            end = own + part.length - self._before[bank]
            rows_BLW = torch.cat([latent_BLR[..., : room.latent_width], rope_BLP], -1)
            if part.source_N is not None:
                rows_BLW = rows_BLW[:, part.source_N]
            new = stored(rows_BLW, room.latent_width, int8=self.shapes.int8)
            room.put((slice(None), slice(own, end)), new, slice(None))
            slabs = [stretch.rows[layer][bank] for stretch in self.path] + [room.span(0, end)]
            views.append([slab for slab in slabs if slab.length])
        return views
