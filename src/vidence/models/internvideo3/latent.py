"""The latent cache: one row [latent R | rope key P] a token and layer, in slabs that grow and are never copied.

B batch, L new tokens, C capacity of a slab, W = R + P. Storage is the model's dtype or 8 bits with two scales a row.
It stands where transformers expects a cache: generate(), beams, cropping, repetition and offloading work on it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import torch
from torch import Tensor
from transformers.cache_utils import Cache, CacheLayerMixin

from vidence.errors import UsageError
from vidence.models.internvideo3.config import FLOAT, INT8, InternVideo3TextConfig, LatentShape
from vidence.models.internvideo3.ledger import BankPlan, Ledger, Plan
from vidence.models.internvideo3.room import available_bytes
from vidence.models.internvideo3.rows import SCALE_DTYPE, Rows, quantise

BLOCK_ROWS = 256  # growth is rounded up to it; a kernel's block of rows divides it
CHECKED_BYTES = 1 << 26  # growth below 64 MB is not worth asking the system first
GROWTH = 8  # a new slab is at least an eighth of what there is: waste stays under 12.5 %, slabs grow in number as log


class Bank:
    """Rows of one width in slabs of preallocated memory; what is written stays where it is until it is cropped."""

    def __init__(self, latent_width: int, rope_width: int, *, storage: str, capacity: int = 0) -> None:
        self.latent_width, self.width = latent_width, latent_width + rope_width
        self.storage = storage
        self.reserve = capacity
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
        scales_BL2 = None
        if self.storage == INT8:
            rows_BLW, scales_BL2 = quantise(rows_BLW, self.latent_width)
        first = 0
        for slab in self.slabs:
            if first < plan.length and first + slab.length > plan.start:
                _store(slab.rows_BSW, rows_BLW, plan, first)
                if slab.scales_BS2 is not None and scales_BL2 is not None:
                    _store(slab.scales_BS2, scales_BL2, plan, first)
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
        wanted = max(missing, self.capacity // GROWTH if self.slabs else self.reserve)
        return -(-wanted // BLOCK_ROWS) * BLOCK_ROWS

    def _grow(self, length: int, like: Tensor) -> None:
        rows = self._growth_rows(length)
        if not rows:
            return
        dtype = torch.int8 if self.storage == INT8 else like.dtype
        # Zeros: in a batch of uneven length rows that were never written are read with weight 0, and must not be NaN.
        empty_BCW = like.new_zeros((like.shape[0], rows, self.width), dtype=dtype)
        scales = like.new_zeros((like.shape[0], rows, 2), dtype=SCALE_DTYPE) if self.storage == INT8 else None
        self.slabs.append(Rows(empty_BCW, self.latent_width, scales))


class LatentLayer(CacheLayerMixin):
    """One layer's banks."""

    is_croppable = True
    is_sliding = False
    supports_early_init = False

    def __init__(self, shape: LatentShape, ledger: Ledger, *, storage: str, capacity: int = 0) -> None:
        super().__init__()
        self.ledger = ledger
        self.tokens = 0
        ranks = (shape.text_rank, shape.vision_rank) if ledger.banked else (shape.rank,)
        self.banks = [Bank(rank, shape.rope_width, storage=storage, capacity=capacity) for rank in ranks]

    def lazy_initialization(self, key_states: Tensor, value_states: Tensor) -> None:
        """Remember the device; memory is taken when the first rows are written."""
        self.device, self.dtype, self.is_initialized = key_states.device, key_states.dtype, True

    def update(self, key_states: Tensor, value_states: Tensor, *args: Any, **kwargs: Any) -> tuple[Any, Any]:
        """Store latents (B, L, R) and rope keys (B, L, P) as the `plan` says; return the views of every bank."""
        plan: Plan = kwargs["plan"]
        if not self.is_initialized:
            self.lazy_initialization(key_states, value_states)
        for bank, part in zip(self.banks, plan.banks, strict=True):
            bank.write(torch.cat([key_states[..., : bank.latent_width], value_states], -1), part)
        self.tokens += plan.new_tokens
        views = [bank.views(part.length) for bank, part in zip(self.banks, plan.banks, strict=True)]
        return views, plan

    def get_seq_length(self) -> int:
        """Return the tokens seen, padding included."""
        return self.tokens

    def get_max_length(self) -> int:
        """Return -1: it grows."""
        return -1

    def get_mask_sizes(self, query_length: int) -> tuple[int, int]:
        """Return (tokens after a query of this length, 0)."""
        return self.tokens + query_length, 0

    def crop(self, tokens_to_remove: int) -> None:
        """Forget the last tokens; the cache's ledger has been cropped before."""
        del tokens_to_remove  # a pass that was interrupted has entered tokens that not every layer has stored
        self.tokens = min(self.tokens, self.ledger.tokens)
        for bank, filled in zip(self.banks, self.ledger.filled(), strict=True):
            bank.trim(max(filled, default=0))

    def reset(self) -> None:
        """Forget all tokens and keep the memory."""
        self.tokens = 0

    def reorder_cache(self, beam_idx: Tensor) -> None:
        """Take the sequences in the order of the beams."""
        self.batch_select_indices(beam_idx)

    def batch_select_indices(self, indices: Tensor) -> None:
        """Keep these sequences."""
        for bank in self.banks:
            bank.select(indices)

    def offload(self) -> None:
        """Move the rows to the host."""
        for bank in self.banks:
            bank.to(torch.device("cpu"))

    def prefetch(self) -> None:
        """Move the rows back to their device."""
        if self.is_initialized:
            for bank in self.banks:
                bank.to(self.device)


class LatentCache(Cache):
    """Hold every layer's rows and the ledger that says whose they are.

    `storage` is "float" (the model's dtype) or "int8"; `capacity` tokens are reserved when the first rows come, after
    which it grows by blocks. Where text and vision differ in rank, each has its own bank and capacity is not reserved.
    """

    def __init__(
        self,
        config: InternVideo3TextConfig,
        *,
        storage: str | None = None,
        capacity: int = 0,
        offloading: bool = False,
    ) -> None:
        self.ledger = Ledger(banked=config.banked)
        self.shapes = [config.latent_shape(layer) for layer in range(config.num_hidden_layers)]
        self.storage = storage or config.latent_storage
        capacity = 0 if config.banked else capacity
        layers = [
            LatentLayer(shape, self.ledger, storage=self.storage, capacity=capacity) for shape in self.shapes
        ]
        super().__init__(layers=list[Any](layers), offloading=offloading)

    def begin(self, kinds_BL: Tensor, positions_BL: Tensor, like_BLD: Tensor) -> Plan:
        """Enter the tokens of one forward pass; every layer's `update` takes the plan that is returned.

        Rows will be of the dtype and on the device of `like_BLD`.

        Raises:
            UsageError: memory does not suffice for the rows; nothing has been entered.
        """
        plan = self.ledger.append(kinds_BL, positions_BL, like_BLD.device)
        needed = sum(
            bank.growth_bytes(part.length, like_BLD)
            for layer in self.latent_layers
            for bank, part in zip(layer.banks, plan.banks, strict=True)
        )
        if needed > CHECKED_BYTES and needed > (available := available_bytes(like_BLD.device)):
            self.ledger.crop(plan.new_tokens)
            raise UsageError(
                f"the context needs {needed / 1e9:.1f} GB more for its rows, and {available / 1e9:.1f} GB are free on "
                f"{like_BLD.device}; ask for fewer tokens, frames or sequences, or store rows in 8 bits"
            )
        return plan

    def write(self, latent_BLR: Tensor, rope_BLP: Tensor, layer: int, plan: Plan) -> list[list[Rows]]:
        """Store one layer's new rows; return what the layer holds now: by bank, one view a slab."""
        views, _ = self.update(latent_BLR, rope_BLP, layer, plan=plan)
        return cast(list[list[Rows]], views)

    @property
    def nbytes(self) -> int:
        """Return the bytes allocated for rows, reserve included, and for the ledger."""
        return sum(bank.nbytes for layer in self.latent_layers for bank in layer.banks) + self.ledger.nbytes

    @property
    def latent_layers(self) -> Sequence[LatentLayer]:
        """Return the layers under their own type."""
        return self.layers  # type: ignore[return-value]

    def adopt(self, kinds_BT: Tensor, positions_BT: Tensor) -> None:
        """Take tokens into account whose rows were put into the slabs directly."""
        self.ledger.restore(kinds_BT, positions_BT)
        for layer in self.latent_layers:
            layer.tokens = kinds_BT.shape[1]

    def crop(self, tokens_to_remove: int) -> None:
        """Forget the last tokens, given as transformers does as a negative number."""
        self.ledger.crop(abs(tokens_to_remove))
        super().crop(tokens_to_remove)

    def crop_to(self, tokens: int) -> None:
        """Forget all but the first `tokens`, also after a pass that was interrupted."""
        self.crop(min(tokens - self.ledger.tokens, 0))

    def reset(self) -> None:
        """Forget all tokens and keep the memory."""
        self.ledger.crop(self.ledger.tokens)
        super().reset()

    def reorder_cache(self, beam_idx: Tensor) -> None:
        """Take the sequences in the order of the beams."""
        self.batch_select_indices(beam_idx)

    def batch_repeat_interleave(self, repeats: int) -> None:
        """Repeat every sequence."""
        indices = torch.arange(self.ledger.kinds_BT.shape[0]).repeat_interleave(repeats)
        self.batch_select_indices(indices)

    def batch_select_indices(self, indices: Tensor) -> None:
        """Keep these sequences, in this order."""
        self.ledger.select(indices)
        super().batch_select_indices(indices)


def bytes_per_token(
    config: InternVideo3TextConfig, element_bytes: int = 2, storage: str | None = None
) -> int:
    """Return the bytes of one token's rows in all layers; where ranks differ, those of the wider modality.

    The ledger adds 5 bytes a token, whatever the number of layers.
    """
    shapes = [config.latent_shape(layer) for layer in range(config.num_hidden_layers)]
    lanes = sum(shape.rank + shape.rope_width for shape in shapes)
    if (storage or config.latent_storage) == FLOAT:
        return lanes * element_bytes
    return lanes + len(shapes) * 2 * SCALE_DTYPE.itemsize


def _store(target_BCW: Tensor, rows_BLW: Tensor, plan: BankPlan, first: int) -> None:
    """Write the plan's rows that fall into the slab whose first row is row `first` of the bank."""
    last = first + target_BCW.shape[1]
    if plan.target_N is None or plan.batch_N is None or plan.source_N is None:
        start, stop = max(plan.start, first), min(plan.length, last)
        target_BCW[:, start - first : stop - first] = rows_BLW[:, start - plan.start : stop - plan.start]
        return
    here_N = (plan.target_N >= first) & (plan.target_N < last)
    batch_N, source_N = plan.batch_N[here_N], plan.source_N[here_N]
    target_BCW[batch_N, plan.target_N[here_N] - first] = rows_BLW[batch_N, source_N]


def _map(slab: Rows, change: Any) -> Rows:
    scales = None if slab.scales_BS2 is None else change(slab.scales_BS2)
    return Rows(change(slab.rows_BSW), slab.latent_width, scales)
