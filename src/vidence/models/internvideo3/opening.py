"""Open a model with what goes with it: its processor where it sees, else its tokenizer."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from transformers import AutoTokenizer

from vidence.models.internvideo3.decoder import InternVideo3ForCausalLM
from vidence.models.internvideo3.loading import load_model
from vidence.models.internvideo3.processing import InternVideo3Processor
from vidence.models.internvideo3.room import chosen_device


def open_model(directory: Path, *, device: str = "auto", dtype: str = "auto") -> tuple[Any, Any]:
    """Load a model and its processor or tokenizer.

    Raises:
        WeightsError: the folder holds no InternVideo3 model.
    """
    model = load_model(directory, dtype=dtype, device=chosen_device(device))
    text_only = isinstance(model, InternVideo3ForCausalLM)
    return model, (AutoTokenizer if text_only else InternVideo3Processor).from_pretrained(directory)
