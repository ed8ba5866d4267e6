"""What benchmarks/conversion.py measures on: the model, the texts, and perplexity as TransMLA's own protocol has it.

The model is SmolLM2-135M-Instruct (30 layers, 9 query and 3 key-value heads of 64), 4-bit weights made float32. The
texts are WikiText-2's: lines joined by an empty line, one beginning-of-sequence mark in front. Calibration reads the
validation text, perplexity the first 16 x 1,024 tokens of the test text, where the source reads 20.03.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch.nn.functional import cross_entropy
from transformers import AutoModelForCausalLM, AutoTokenizer

from vidence.catalogue import weights
from vidence.models.internvideo3.convert.samples import Corpus, text_samples
from vidence.models.internvideo3.convert.source import Source, open_source
from vidence.models.internvideo3.latent import LatentCache

LENGTH, SEQUENCES = 1024, 16
CALIBRATED_LENGTH, CALIBRATED = 4096, 4
TRANSMLA = {0.667: 26.93, 0.5: 32.44, 0.333: 50.96, 0.25: 71.32}  # untrained, same model, texts and protocol
PUBLISHED = 20.03


def source_model(folder: Path) -> Source:
    """Write the model out as safetensors, once, and open it."""
    place = folder / "smollm2-135m-instruct"
    if not (place / "config.json").is_file():
        file = weights("smollm2-135m-instruct")
        model: Any = AutoModelForCausalLM.from_pretrained(
            file.parent, gguf_file=file.name, dtype=torch.float32
        )
        # transformers refuses to save what it has read from a GGUF, though nothing in it is quantised any more.
        del model.config.quantization_config
        model.hf_quantizer, model.is_quantized = None, False
        model.save_pretrained(place)
        AutoTokenizer.from_pretrained(file.parent, gguf_file=file.name).save_pretrained(place)
    return open_source(place)


def tokens(source: Source, path: Path) -> torch.Tensor:
    """Return a text's tokens."""
    tokenizer: Any = AutoTokenizer.from_pretrained(source.directory)
    text = "\n\n".join(path.read_text(encoding="utf-8").splitlines())
    return torch.tensor([tokenizer.bos_token_id, *tokenizer(text)["input_ids"]])


def corpora(
    source: Source, texts: Path, *, limit: int = CALIBRATED, length: int = CALIBRATED_LENGTH
) -> tuple[Corpus, Corpus]:
    """Return what is calibrated on, at most `limit` sequences, and what is measured on."""
    read = text_samples(tokens(source, texts / "wikitext2-valid.txt"), length=length, limit=limit)
    held = text_samples(tokens(source, texts / "wikitext2-test.txt"), length=LENGTH, limit=SEQUENCES)
    origin = {"file": "wikitext2-valid.txt", "tokens": sum(one.length for one in read), "length": length}
    return Corpus(tuple(read), (origin,)), Corpus(tuple(held), ())


@torch.no_grad()
def perplexity(model: Any, held_out: Corpus, storage: str | None = None) -> float:
    """Return the perplexity of the held-out sequences; with `storage`, through cached rows of that kind."""
    losses = []
    for sample in held_out.samples:
        ids_1L = sample.ids_L[None]
        cache = None if storage is None else LatentCache(model.config, storage=storage)
        logits = model(input_ids=ids_1L, past_key_values=cache, use_cache=cache is not None).logits[0]
        losses.append(float(cross_entropy(logits[:-1].float(), ids_1L[0, 1:])))
    return math.exp(sum(losses) / len(losses))


@torch.no_grad()
def copying(
    model: Any, ids_T: torch.Tensor, distances: Sequence[int], *, words: int = 64, tries: int = 4
) -> dict[int, float]:
    """Return the perplexity of a passage's second appearance, so many tokens after its first, by distance.

    A passage that stands earlier in the context is predicted by finding it again: attention over just that distance.
    The first eighth, by which it must be recognised, is not counted.
    """
    found = {}
    for distance in distances:
        losses = []
        for attempt in range(tries):
            passage = ids_T[40_000 + 2000 * attempt :][:words]
            between = ids_T[20_000 + 1000 * attempt :][: distance - words]
            logits = model(
                input_ids=torch.cat([passage, between, passage])[None], logits_to_keep=words
            ).logits[0]
            first = words // 8
            losses.append(float(cross_entropy(logits[first - 1 : -1].float(), passage[first:])))
        found[distance] = math.exp(sum(losses) / tries)
    return found
