"""What the cache holds, token by token, whatever the layer: which bank each token's row is in, and its position.

B batch, L new tokens, T tokens so far, N written rows. A bank is a run of rows of one width: one bank for all tokens,
or one for text and one for vision where their ranks differ. Padding has no row. The ledger lives on the host, 5 bytes
a token; the plan it makes for one forward pass is shared by all layers.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

PADDING, TEXT, VISION = 0, 1, 2


@dataclass(frozen=True, slots=True)
class BankPlan:
    """Where one bank's new rows come from and go to, and how many of its rows each query sees.

    `source_N`, `batch_N`, `target_N` index token, sequence and row; None where every token of every sequence goes to
    the rows [start, start + L). `limits_BL` is None where every query sees all `length` rows.
    """

    start: int
    length: int
    limits_BL: Tensor | None
    batch_N: Tensor | None = None
    source_N: Tensor | None = None
    target_N: Tensor | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """One forward pass: its banks. `uniform` says that limits are plain causality, one row a token, one bank."""

    banks: tuple[BankPlan, ...]
    new_tokens: int
    uniform: bool


class Ledger:
    """Count rows by bank and remember every token's kind and position, so that a cache can be cropped and resumed."""

    def __init__(self, *, banked: bool) -> None:
        self.banked = banked
        self.tokens = 0
        self._kinds_BC = torch.zeros((0, 0), dtype=torch.uint8)
        self._positions_BC = torch.zeros((0, 0), dtype=torch.int32)
        self._recount()

    @property
    def kinds_BT(self) -> Tensor:
        """Return what each token is."""
        return self._kinds_BC[:, : self.tokens]

    @property
    def positions_BT(self) -> Tensor:
        """Return the largest of each token's three positions."""
        return self._positions_BC[:, : self.tokens]

    @property
    def nbytes(self) -> int:
        """Return the bytes that the ledger takes."""
        return self._kinds_BC.nbytes + self._positions_BC.nbytes

    def filled(self) -> list[list[int]]:
        """Return the rows in use, by bank and sequence."""
        return [count_B.tolist() for count_B in self._counts]

    def rows_of(self, kinds_BL: Tensor) -> list[Tensor]:
        """Return how many rows tokens of these kinds take, by bank and sequence."""
        return [mask_BL.sum(1) for mask_BL in masks(kinds_BL, banked=self.banked)]

    def next_position_B(self) -> Tensor:
        """Return the position that the next text token takes in each sequence."""
        return self._next_B

    def append(self, kinds_BL: Tensor, positions_BL: Tensor, device: torch.device) -> Plan:
        """Enter new tokens and plan where their rows go. `positions_BL` is the largest of a token's three."""
        kinds_BL, positions_BL = kinds_BL.to("cpu", torch.uint8), positions_BL.to("cpu", torch.int32)
        if not self.tokens:
            self._kinds_BC, self._positions_BC = kinds_BL[:, :0], positions_BL[:, :0]
            self._recount()
        new = masks(kinds_BL, banked=self.banked)
        banks = tuple(
            bank_plan(start_B, mask_BL, device) for start_B, mask_BL in zip(self._counts, new, strict=True)
        )
        self._extend(kinds_BL, positions_BL)
        self._counts = [start_B + mask_BL.sum(1) for start_B, mask_BL in zip(self._counts, new, strict=True)]
        self._next_B = torch.maximum(self._next_B, _next_position_B(kinds_BL, positions_BL))
        uniform = len(banks) == 1 and banks[0].source_N is None
        return Plan(banks, kinds_BL.shape[1], uniform)

    def restore(self, kinds_BT: Tensor, positions_BT: Tensor) -> None:
        """Take over what another ledger held."""
        self._kinds_BC, self._positions_BC, self.tokens = kinds_BT, positions_BT, kinds_BT.shape[1]
        self._recount()

    def crop(self, tokens: int) -> None:
        """Forget the last `tokens`."""
        self.tokens = max(self.tokens - tokens, 0)
        self._recount()

    def select(self, indices: Tensor) -> None:
        """Keep these sequences, in this order; one may be taken several times."""
        indices = indices.cpu()
        self._kinds_BC, self._positions_BC = self._kinds_BC[indices], self._positions_BC[indices]
        self._recount()

    def _extend(self, kinds_BL: Tensor, positions_BL: Tensor) -> None:
        stop = self.tokens + kinds_BL.shape[1]
        missing = stop - self._kinds_BC.shape[1]
        if missing > 0:  # doubling: one token at a time costs no copy of the whole each time
            room = max(missing, self._kinds_BC.shape[1])
            self._kinds_BC = F.pad(self._kinds_BC, (0, room))
            self._positions_BC = F.pad(self._positions_BC, (0, room))
        self._kinds_BC[:, self.tokens : stop] = kinds_BL
        self._positions_BC[:, self.tokens : stop] = positions_BL
        self.tokens = stop

    def _recount(self) -> None:
        self._counts = self.rows_of(self.kinds_BT)
        self._next_B = _next_position_B(self.kinds_BT, self.positions_BT)


def masks(kinds_BT: Tensor, *, banked: bool) -> list[Tensor]:
    """Tell by bank which tokens have their row in it."""
    if banked:
        return [kinds_BT == TEXT, kinds_BT == VISION]
    return [kinds_BT != PADDING]


def _next_position_B(kinds_BT: Tensor, positions_BT: Tensor) -> Tensor:
    if not kinds_BT.shape[1]:
        return torch.zeros(kinds_BT.shape[0], dtype=torch.int64)
    return positions_BT.masked_fill(kinds_BT == PADDING, -1).amax(1).long() + 1


def bank_plan(start_B: Tensor, mask_BL: Tensor, device: torch.device) -> BankPlan:
    """Plan where the rows of new tokens go in a bank that holds `start_B` rows of each sequence."""
    seen_BL = start_B[:, None] + mask_BL.cumsum(1)
    length = int(seen_BL[:, -1].max())
    if mask_BL.all() and (start_B == start_B[0]).all():
        limits_BL = None if mask_BL.shape[1] == 1 else seen_BL.to(device, torch.int32)
        return BankPlan(int(start_B[0]), length, limits_BL)
    batch_N, source_N = mask_BL.nonzero(as_tuple=True)
    target_N = seen_BL[batch_N, source_N] - 1
    all_seen = bool((seen_BL == length).all())
    return BankPlan(
        int(start_B.min()),
        length,
        None if all_seen else seen_BL.to(device, torch.int32),
        batch_N.to(device),
        source_N.to(device),
        target_N.to(device),
    )
