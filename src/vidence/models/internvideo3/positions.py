"""Positions of tokens that follow what a cache holds: an answer, a second question, or frames looked at later.

B batch, L new tokens, T tokens with those before them.
"""

from __future__ import annotations

from typing import Any, cast

import torch
from torch import Tensor
from transformers.models.qwen3_vl.modeling_qwen3_vl import Qwen3VLModel

from vidence.models.internvideo3.latent import LatentCache

GRIDS = ("image_grid_thw", "video_grid_thw", "second_per_grid_ts")


def continued_positions(
    model: Qwen3VLModel, cache: LatentCache, new_ids_BL: Tensor, given: dict[str, Any]
) -> Tensor:
    """Return positions (3, B, L) for tokens after those in the cache, by the model's rules, from where those ended.

    `given` are the other inputs of the pass: attention_mask (B, T or L), mm_token_type_ids (B, T or L), and the grids
    of the images and videos among the new tokens only, with second_per_grid_ts where the model's rules ask for it.
    """
    batch, length = new_ids_BL.shape
    mask_BL, types_BL = (
        None if given.get(name) is None else given[name][:, -length:]
        for name in ("attention_mask", "mm_token_type_ids")
    )
    start_B11 = cache.ledger.next_position_B().to(new_ids_BL.device)[None, :, None]
    if types_BL is not None and bool(types_BL.any()):
        grids = {name: given.get(name) for name in GRIDS}
        relative_3BL, _ = model.get_rope_index(
            cast(Any, new_ids_BL), cast(Any, types_BL), attention_mask=mask_BL, **grids
        )
        return relative_3BL + start_B11
    if mask_BL is None:
        relative_BL = torch.arange(length, device=new_ids_BL.device).expand(batch, -1)
    else:
        relative_BL = (mask_BL.long().cumsum(-1) - 1).clamp_min(0)
    return relative_BL[None].expand(3, -1, -1) + start_B11


def new_tokens(ids_BT: Tensor, attention_mask_BT: Tensor | None, cached: int) -> Tensor:
    """Return the ids that are not cached yet, whether `ids_BT` are all of them or only the new ones."""
    total = ids_BT.shape[1] if attention_mask_BT is None else attention_mask_BT.shape[1]
    return ids_BT[:, cached:] if total == ids_BT.shape[1] else ids_BT
