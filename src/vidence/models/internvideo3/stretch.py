"""Rows of a run of tokens of one sequence, in all layers, in memory of exactly their number.

L tokens, S rows of one bank among them, R latent width, P rope width, W = R + P. Runs stand one after the other, and
several sequences may go on from the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from vidence.models.internvideo3.config import INT8, InternVideo3TextConfig
from vidence.models.internvideo3.ledger import masks
from vidence.models.internvideo3.rows import SCALE_DTYPE, Rows, empty


@dataclass(frozen=True, slots=True)
class RowShapes:
    """The rows of a model: (latent, rope) widths by layer and bank, what they are stored as, and where.

    Rows are on the device of `like`, and in its dtype where they are not in 8 bits.
    """

    widths: tuple[tuple[tuple[int, int], ...], ...]
    banked: bool
    int8: bool
    like: Tensor

    @staticmethod
    def of(config: InternVideo3TextConfig, like: Tensor) -> RowShapes:
        """Read them from a decoder's configuration."""
        shapes = [config.latent_shape(layer) for layer in range(config.num_hidden_layers)]
        widths = tuple(
            tuple((rank, shape.rope_width) for rank in shape.ranks(banked=config.banked)) for shape in shapes
        )
        return RowShapes(widths, config.banked, config.latent_storage == INT8, like.new_empty(0))

    @property
    def banks(self) -> int:
        """Return how many banks each layer has."""
        return 2 if self.banked else 1

    def counts(self, kinds_L: Tensor) -> list[int]:
        """Return how many rows tokens of these kinds take, by bank."""
        return [int(mask_L.sum()) for mask_L in masks(kinds_L, banked=self.banked)]

    def empty(self, batch: int, counts: Sequence[int]) -> list[list[Rows]]:
        """Make room for so many rows in each bank of every layer, for each sequence of a batch."""
        return [
            [
                empty(batch, count, widths, self.like, int8=self.int8)
                for count, widths in zip(counts, layer, strict=True)
            ]
            for layer in self.widths
        ]

    def nbytes(self, counts: Sequence[int]) -> int:
        """Return the bytes that so many rows in each bank take in all layers."""
        each = 1 if self.int8 else self.like.element_size()
        scales = 2 * SCALE_DTYPE.itemsize if self.int8 else 0
        return sum(
            count * (sum(widths) * each + scales)
            for layer in self.widths
            for count, widths in zip(counts, layer, strict=True)
        )


class Stretch:
    """Rows of a run of tokens: `rows[layer][bank]` is (1, S, W)."""

    def __init__(self, shapes: RowShapes, kinds_L: Tensor, rows: list[list[Rows]] | None = None) -> None:
        self.shapes, self.kinds_L = shapes, kinds_L
        self.counts = shapes.counts(kinds_L)
        self.rows = shapes.empty(1, self.counts) if rows is None else rows

    @property
    def nbytes(self) -> int:
        """Return the bytes of its rows."""
        return self.shapes.nbytes(self.counts)

    def part(self, start: int, stop: int) -> Stretch:
        """Return the rows of tokens [start, stop), copied, so that memory goes where they go."""
        first, last = (self.shapes.counts(self.kinds_L[:at]) for at in (start, stop))
        rows = [
            [
                _copied(bank.span(*span))
                for bank, span in zip(layer, zip(first, last, strict=True), strict=True)
            ]
            for layer in self.rows
        ]
        return Stretch(self.shapes, self.kinds_L[start:stop], rows)


def joined(first: Stretch, second: Stretch) -> Stretch:
    """Return two runs as one."""
    whole = Stretch(first.shapes, torch.cat([first.kinds_L, second.kinds_L]))
    at = [0] * first.shapes.banks
    for part in (first, second):
        at = fill(whole.rows, 0, at, part)
    return whole


def fill(into: Sequence[Sequence[Rows]], sequence: int, at: Sequence[int], part: Stretch) -> list[int]:
    """Copy a run's rows into those of one sequence of a batch, from row `at` of each bank; return where they end."""
    ends = [start + count for start, count in zip(at, part.counts, strict=True)]
    for layer, source in zip(into, part.rows, strict=True):
        for bank, rows, start, end in zip(layer, source, at, ends, strict=True):
            bank.put((sequence, slice(start, end)), rows, 0)
    return ends


def _copied(rows: Rows) -> Rows:
    scales = None if rows.scales_BS2 is None else rows.scales_BS2.clone()
    return Rows(rows.rows_BSW.clone(), rows.latent_width, scales)
