"""The latent cache: one row [latent R | rope key P] a token and layer, kept in banks of slabs.

B batch, L new tokens. It stands where transformers expects a cache: generate(), beams, cropping, repetition and
offloading work on it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol, cast, runtime_checkable

import torch
from torch import Tensor
from transformers.cache_utils import Cache, CacheLayerMixin

from vidence.errors import UsageError
from vidence.models.internvideo3.bank import Bank
from vidence.models.internvideo3.config import FLOAT, InternVideo3TextConfig, LatentShape
from vidence.models.internvideo3.ledger import Ledger, Plan
from vidence.models.internvideo3.room import available_bytes
from vidence.models.internvideo3.rows import SCALE_DTYPE, Level, Rows

CHECKED_BYTES = 1 << 26  # growth below 64 MB is not worth asking the system first


@runtime_checkable
class Held(Protocol):
    """What the decoder asks of a cache, this module's or another that keeps rows elsewhere."""

    def get_seq_length(self) -> int:
        """Return the tokens before those of a pass, where each sequence has as many."""
        ...

    def expect(self, kinds_BL: Tensor) -> None:
        """Hear what tokens will come, though they may be entered a stretch at a time."""
        ...

    def begin(self, kinds_BL: Tensor, positions_BL: Tensor, like_BLD: Tensor) -> Plan:
        """Enter the tokens of one forward pass."""
        ...

    def write(
        self, latent_BLR: Tensor, rope_BLP: Tensor, layer: int, plan: Plan
    ) -> Sequence[Sequence[Rows | Level]]:
        """Store one layer's new rows; return by bank what the layer's queries see."""
        ...


class LatentLayer(CacheLayerMixin):
    """One layer's banks."""

    is_croppable = True
    is_sliding = False
    supports_early_init = False

    def __init__(self, shape: LatentShape, ledger: Ledger, *, storage: str) -> None:
        super().__init__()
        self.ledger = ledger
        self.tokens = 0
        ranks = shape.ranks(banked=ledger.banked)
        self.banks = [Bank(rank, shape.rope_width, storage=storage) for rank in ranks]

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
        layers = [LatentLayer(shape, self.ledger, storage=self.storage) for shape in self.shapes]
        super().__init__(layers=list[Any](layers), offloading=offloading)
        self.reserve(capacity)

    def reserve(self, tokens: int) -> None:
        """Make the next slab reach to this many tokens in all, where it is known which bank they go to."""
        for layer in self.latent_layers:
            for bank in () if self.ledger.banked else layer.banks:
                bank.reserve = max(bank.reserve, tokens)

    def expect(self, kinds_BL: Tensor) -> None:
        """Make the next slab hold all of these tokens, though they may be entered a stretch at a time."""
        for number, more_B in enumerate(self.ledger.rows_of(kinds_BL.cpu())):
            filled = max(self.ledger.filled()[number], default=0)
            for layer in self.latent_layers:
                bank = layer.banks[number]
                bank.reserve = max(bank.reserve, filled + int(more_B.max()))

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
