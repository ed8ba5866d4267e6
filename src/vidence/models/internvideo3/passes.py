"""One pass through the decoder: tokens, and the features of pictures that some of them stand for.

B sequences, L tokens, N patches, V visual tokens, D hidden width.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor


class Features(NamedTuple):
    """What the decoder takes of a picture: its tokens, and what DeepStack adds at each of the first layers."""

    tokens_VD: Tensor
    deep: list[Tensor]

    @property
    def nbytes(self) -> int:
        """Return the bytes that it takes."""
        return self.tokens_VD.nbytes + sum(each.nbytes for each in self.deep)

    def span(self, start: int, stop: int) -> Features:
        """Return those of visual tokens [start, stop)."""
        return Features(self.tokens_VD[start:stop], [each[start:stop] for each in self.deep])


def look(core: Any, patches_ND: Tensor, grids: Sequence[Sequence[int]]) -> Features:
    """Run a model's tower on patches of pictures of these grids (frames, rows, columns)."""
    like = core.language_model.embed_tokens.weight
    patches_ND = patches_ND.to(like.device, like.dtype)
    seen = core.visual(patches_ND, grid_thw=torch.tensor([list(grid) for grid in grids], device=like.device))
    return Features(seen.pooler_output, list(seen.deepstack_features))


def together(parts: Sequence[Features]) -> Features:
    """Return the features of several pictures one after the other."""
    deep = [torch.cat(layer) for layer in zip(*(part.deep for part in parts), strict=True)]
    return Features(torch.cat([part.tokens_VD for part in parts]), deep)


def run(
    decoder: Any,
    ids_BL: Tensor,
    positions_3BL: Tensor,
    cache: Any,
    *,
    visual_BL: Tensor | None = None,
    features: Features | None = None,
    mask_BT: Tensor | None = None,
) -> Tensor:
    """Run new tokens through a decoder with its cache; return the hidden states (B, L, D).

    Where `visual_BL` is true stand `features`, in the order of sequences, then tokens.
    """
    device = decoder.embed_tokens.weight.device
    embeds_BLD = decoder.embed_tokens(ids_BL.to(device))
    if features is None or visual_BL is None:
        visual_BL = None
    else:
        visual_BL = visual_BL.to(device)
        embeds_BLD = embeds_BLD.masked_scatter(visual_BL[..., None], features.tokens_VD)
    out = decoder(
        inputs_embeds=embeds_BLD,
        attention_mask=None if mask_BT is None else mask_BT.to(device),
        position_ids=positions_3BL.to(device),
        past_key_values=cache,
        visual_pos_masks=visual_BL,
        deepstack_visual_embeds=(features.deep or None) if visual_BL is not None and features else None,
        use_cache=True,
    )
    return out.last_hidden_state
