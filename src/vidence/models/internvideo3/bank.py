"""Memory of the cache: rows of one width in preallocated slabs, which grow in number and are never copied.

B batch, L new tokens, C capacity of a slab, N written rows, W = R + P lanes. Storage is the model's dtype or 8 bits
with two scales a row.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from vidence.models.internvideo3.config import INT8
from vidence.models.internvideo3.ledger import BankPlan
from vidence.models.internvideo3.rows import SCALE_DTYPE, Rows, empty, stored

BLOCK_ROWS = 256  # a slab is a multiple of it; a kernel's block of rows divides it
# A further slab is at least an eighth of what there is, so that unused memory stays under 12.5 % and the number of
# slabs grows as the logarithm; and at least 1,024 rows, as each slab is one more piece of attention.
GROWTH = 8
FEWEST_ROWS = 1024


class Bank:
    """Rows of one width in slabs of preallocated memory; what is written stays where it is until it is cropped."""

    def __init__(self, latent_width: int, rope_width: int, *, storage: str) -> None:
        self.latent_width, self.width = latent_width, latent_width + rope_width
        self.storage = storage
        self.reserve = 0
        self.slabs: list[Rows] = []

    @property
    def capacity(self) -> int:
        """Return the rows that fit without growing."""
        return sum(slab.length for slab in self.slabs)

    @property
    def nbytes(self) -> int:
        """Return the bytes allocated."""
        return sum(slab.nbytes for slab in self.slabs)

    def write(self, rows_BLW: Tensor, plan: BankPlan) -> None:
        """Store the new rows that the plan gives to this bank, at the places it names."""
        self._grow(plan.length, rows_BLW)
        rows = stored(rows_BLW, self.latent_width, int8=self.storage == INT8)
        first = 0
        for slab in self.slabs:
            if first < plan.length and first + slab.length > plan.start:
                _store(slab, rows, plan, first)
            first += slab.length

    def views(self, length: int) -> list[Rows]:
        """Return the first `length` rows, one view a slab."""
        views, first = [], 0
        for slab in self.slabs:
            if first < length:
                views.append(slab.span(0, min(slab.length, length - first)))
            first += slab.length
        return views

    def trim(self, length: int) -> None:
        """Give back slabs that lie wholly beyond `length` rows, but never the first."""
        first = 0
        for index, slab in enumerate(self.slabs):
            if index and first >= length:
                del self.slabs[index:]
                return
            first += slab.length

    def select(self, indices: Tensor) -> None:
        """Keep these sequences, in this order."""
        self.slabs = [
            _map(slab, lambda tensor: tensor.index_select(0, indices.to(tensor.device)))
            for slab in self.slabs
        ]

    def to(self, device: torch.device) -> None:
        """Move the rows."""
        self.slabs = [_map(slab, lambda tensor: tensor.to(device, non_blocking=True)) for slab in self.slabs]

    def growth_bytes(self, length: int, like: Tensor) -> int:
        """Return the bytes that holding `length` rows will add."""
        element = 1 if self.storage == INT8 else like.element_size()
        scales = 2 * SCALE_DTYPE.itemsize if self.storage == INT8 else 0
        return like.shape[0] * self._growth_rows(length) * (self.width * element + scales)

    def _growth_rows(self, length: int) -> int:
        missing = length - self.capacity
        if missing <= 0:
            return 0
        more = max(self.capacity // GROWTH, FEWEST_ROWS) if self.slabs else 0
        wanted = max(missing, self.reserve - self.capacity, more)
        return -(-wanted // BLOCK_ROWS) * BLOCK_ROWS

    def _grow(self, length: int, like: Tensor) -> None:
        rows = self._growth_rows(length)
        if not rows:
            return
        widths = self.latent_width, self.width - self.latent_width
        self.slabs.append(empty(like.shape[0], rows, widths, like, int8=self.storage == INT8))


def _store(slab: Rows, rows: Rows, plan: BankPlan, first: int) -> None:
    """Write the plan's rows that fall into the slab whose first row is row `first` of the bank."""
    last = first + slab.length
    if plan.target_N is None or plan.batch_N is None or plan.source_N is None:
        start, stop = max(plan.start, first), min(plan.length, last)
        into, out_of = slice(start - first, stop - first), slice(start - plan.start, stop - plan.start)
        slab.put((slice(None), into), rows, (slice(None), out_of))
        return
    here_N = (plan.target_N >= first) & (plan.target_N < last)
    batch_N, source_N = plan.batch_N[here_N], plan.source_N[here_N]
    slab.put((batch_N, plan.target_N[here_N] - first), rows, (batch_N, source_N))


def _map(slab: Rows, change: Callable[[Tensor], Tensor]) -> Rows:
    scales = None if slab.scales_BS2 is None else change(slab.scales_BS2)
    return Rows(change(slab.rows_BSW), slab.latent_width, scales)
