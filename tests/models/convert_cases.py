"""Tiny grouped-query models to convert: saved to a folder, converted, loaded, and compared with what they were."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from vidence.models.internvideo3.convert.budget import parse_target
from vidence.models.internvideo3.convert.conversion import Conversion, convert
from vidence.models.internvideo3.convert.recipe import Recipe
from vidence.models.internvideo3.convert.samples import Corpus, Sample, text_sample
from vidence.models.internvideo3.convert.source import open_source
from vidence.models.internvideo3.loading import load_model

LOSSLESS = "32+32"  # two heads of 16: every pair of the keys stays positional, the values fill the latent
VOCABULARY = 300


def save_lively(model: Any, folder: Path) -> Any:
    """Save a model whose weights are large enough for attention to choose, and return it for inference.

    A start from 0.02 leaves attention nearly uniform and logits nearly equal, which would test little.
    """
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if "visual" in name:
                continue
            if weight.ndim == 2:
                weight.normal_(0, weight.shape[1] ** -0.5)
            elif name.endswith("_proj.bias"):
                weight.normal_(0, 0.5)
    model.eval().save_pretrained(folder)
    return model


def converted(
    source: Path, folder: Path, target: str, samples: list[Sample], **recipe: Any
) -> tuple[Any, Conversion]:
    """Convert a saved model, calibrated and measured on `samples`; return it loaded, with what was measured."""
    opened = open_source(source)
    text = opened.text
    asked = parse_target(
        target, layers=text.num_hidden_layers, groups=text.key_value_heads, width=text.head_dim
    )
    corpus = Corpus(tuple(samples), ())
    done = convert(opened, folder, asked, *corpus.held_out(), recipe=Recipe(**recipe))
    return load_model(folder), done


def texts(count: int, length: int = 60) -> list[Sample]:
    """Return sequences of random words."""
    return [text_sample(one[0]) for one in (words(length, seed=seed) for seed in range(count))]


def words(length: int, seed: int) -> Tensor:
    """Return random words (1, L)."""
    return torch.randint(1, 200, (1, length), generator=torch.Generator().manual_seed(seed))


def nats(wanted: Tensor, given: Tensor) -> float:
    """Return the mean divergence of the distributions that two models' logits describe."""
    wanted, given = wanted.log_softmax(-1), given.log_softmax(-1)
    return float((wanted.exp() * (wanted - given)).sum(-1).mean())
