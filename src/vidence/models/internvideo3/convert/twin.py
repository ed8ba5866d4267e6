"""A converted layer at work, in the model's own module, beside the layer that it came from.

B batch, L tokens, D hidden width.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor
from torch.nn import functional as F

from vidence.models.internvideo3.convert.fitting import Fit, config_fields
from vidence.models.internvideo3.convert.samples import Sample
from vidence.models.internvideo3.convert.source import Layer, Source, latent_config
from vidence.models.internvideo3.ledger import TEXT, VISION
from vidence.models.internvideo3.m2la import ExactAttention


class Twin:
    """Latent attention of one layer, between the norms and MLP of its source."""

    def __init__(self, source: Source, layer: Layer, fit: Fit, tensors: Mapping[str, Tensor]) -> None:
        self.layer = layer
        fields = config_fields([fit])
        config = latent_config(source, num_hidden_layers=1, **fields).get_text_config(decoder=True)
        with torch.device("meta"):
            self.attention = ExactAttention(config, 0)  # type: ignore[arg-type]
        self.load(tensors)

    def load(self, tensors: Mapping[str, Tensor]) -> None:
        """Take the tensors of a fit."""
        own = {name.removeprefix("self_attn."): tensor.float() for name, tensor in tensors.items()}
        self.attention.load_state_dict(own, assign=True)
        self.attention.requires_grad_(False)

    def attended(self, hidden_BLD: Tensor, embeddings: tuple[Tensor, Tensor], sample: Sample) -> Tensor:
        """Return the stream after attention."""
        weight = self.layer.weights["input_layernorm.weight"]
        normed_BLD = F.rms_norm(hidden_BLD, hidden_BLD.shape[-1:], weight, self.layer.eps)
        kinds_BL = None
        if bool(sample.vision_L.any()):
            kinds_BL = torch.where(sample.vision_L, VISION, TEXT).expand(hidden_BLD.shape[:2])
        return hidden_BLD + self.attention(normed_BLD, embeddings, kinds_BL)
