"""What every InternVideo3 class shares: checked loading, the start of its own parameters, a latent cache."""

# transformers declares these as variables of an instance and of each class in turn.
# pyright: reportIncompatibleVariableOverride=false

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

import torch
from torch import nn
from transformers import AutoConfig
from transformers.generation.utils import GenerationMixin
from transformers.modeling_utils import PreTrainedModel

from vidence.errors import UsageError
from vidence.models.internvideo3.checkpoint import check
from vidence.models.internvideo3.latent import LatentCache
from vidence.models.internvideo3.m2la import ExactAttention


class LatentModel(PreTrainedModel):
    """What every InternVideo3 class shares: how its own parameters start, and that its cache is latent."""

    supports_gradient_checkpointing = True
    _no_split_modules: ClassVar[list[str]] = [
        "InternVideo3DecoderLayer",
        "Qwen3VLVisionBlock",
        "Qwen2_5_VLVisionBlock",
    ]
    _skip_keys_device_placement: ClassVar[list[str]] = ["past_key_values"]
    _supports_sdpa = True
    _supports_flash_attn = False

    @classmethod
    def from_pretrained(cls, pretrained_model_name_or_path: Any, *args: Any, **kwargs: Any) -> Any:
        """Load weights; from a local folder only if they are exactly the model's, as nothing may start at random.

        Raises:
            WeightsError: naming what is missing, superfluous, misshapen or damaged.
        """
        directory = Path(pretrained_model_name_or_path or ".", kwargs.get("subfolder") or "")
        if pretrained_model_name_or_path is not None and directory.is_dir():
            config = kwargs.get("config") or AutoConfig.from_pretrained(directory)
            check(directory, cls, config)
        return super().from_pretrained(pretrained_model_name_or_path, *args, **kwargs)

    @torch.no_grad()
    def _init_weights(self, module: nn.Module) -> None:
        super()._init_weights(module)
        if isinstance(module, ExactAttention) and not getattr(
            module.rope_key_mix, "_is_hf_initialized", False
        ):
            module.reset()


class LatentGenerationMixin(GenerationMixin):
    """Give generate() a latent cache, with room for all that it may write."""

    def _prepare_cache_for_generation(
        self, generation_config: Any, model_kwargs: dict[str, Any], *args: Any, **kwargs: Any
    ) -> Any:
        length = kwargs.get("max_cache_length", args[-1] if args else 0)
        given = model_kwargs.get("past_key_values")
        if given is not None or generation_config.use_cache is False:
            if isinstance(given, LatentCache):
                given.reserve(length)
            # transformers only checks and marks here; it creates nothing
            super()._prepare_cache_for_generation(generation_config, model_kwargs, *args, **kwargs)  # type: ignore
            return
        offloading = generation_config.cache_implementation == "offloaded"
        if generation_config.cache_implementation not in (None, "dynamic", "offloaded"):
            raise UsageError(
                f"cache_implementation={generation_config.cache_implementation!r}: this model's cache is latent; "
                "leave it out, or pass past_key_values=LatentCache(config.text_config, storage='int8')"
            )
        text_config = self.config.get_text_config(decoder=True)  # type: ignore[attr-defined]
        model_kwargs["past_key_values"] = LatentCache(text_config, capacity=length, offloading=offloading)
