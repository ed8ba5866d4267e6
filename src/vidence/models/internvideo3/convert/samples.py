"""What a model is calibrated and measured on: stretches of text, and videos and images with a question beside them.

L tokens, D hidden width, N vision tokens.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from transformers import AutoTokenizer

from vidence.errors import UsageError
from vidence.models.internvideo3.convert.source import Source

TEXTS = {".txt", ".md", ".rst"}


@dataclass(frozen=True, slots=True)
class Sample:
    """One sequence. What the vision tower gave is in `embedded` (N, D) and `deep`, for the first layers (N, D) each."""

    ids_L: Tensor
    positions_3L: Tensor
    vision_L: Tensor
    embedded_ND: Tensor | None = None
    deep: tuple[Tensor, ...] = ()

    @property
    def length(self) -> int:
        """Return L."""
        return len(self.ids_L)


@dataclass(frozen=True, slots=True)
class Corpus:
    """Samples and where they come from, by name and content, so that a conversion can be repeated."""

    samples: tuple[Sample, ...]
    origin: tuple[dict[str, object], ...] = field(repr=False)

    @property
    def tokens(self) -> int:
        """Return the tokens of all samples."""
        return sum(sample.length for sample in self.samples)

    def without(self, other: Corpus) -> Corpus:
        """Leave out the sequences that another corpus has."""
        theirs = {tuple(sample.ids_L.tolist()) for sample in other.samples}
        kept = (sample for sample in self.samples if tuple(sample.ids_L.tolist()) not in theirs)
        return Corpus(tuple(kept), self.origin)

    def held_out(self, every: int = 8) -> tuple[Corpus, Corpus]:
        """Split off every eighth sample, of few the last; return (the others, those)."""
        chosen = set(range(every - 1, len(self.samples), every)) or {len(self.samples) - 1}
        kept = tuple(one for at, one in enumerate(self.samples) if at not in chosen)
        return Corpus(kept or self.samples, self.origin), Corpus(
            tuple(self.samples[at] for at in sorted(chosen)), self.origin
        )


def text_samples(ids: Sequence[int] | Tensor, *, length: int, limit: int) -> list[Sample]:
    """Cut tokens into at most `limit` sequences of `length`."""
    ids_T = torch.as_tensor(ids, dtype=torch.long)
    count = min(limit, len(ids_T) // length)
    return [text_sample(ids_T[at * length : (at + 1) * length]) for at in range(count)]


def text_sample(ids_L: Tensor) -> Sample:
    """Make a sample of text alone."""
    length = len(ids_L)
    return Sample(ids_L, torch.arange(length).expand(3, length), torch.zeros(length, dtype=torch.bool))


def read_corpus(source: Source, paths: Sequence[Path], *, length: int, limit: int) -> Corpus:
    """Read texts, images and videos: text is cut into sequences of `length`, at most `limit` of each file.

    Raises:
        UsageError: nothing to read, a text shorter than one sequence, or pictures for a model that does not see.
    """
    samples, origin = list[Sample](), list[dict[str, object]]()
    seen = [path for path in paths if path.suffix.lower() not in TEXTS]
    if seen and not source.visual:
        raise UsageError(
            f"{seen[0]}: this model does not see; calibrate it on texts ({', '.join(sorted(TEXTS))})"
        )
    for path in paths:
        if not path.is_file():
            raise UsageError(f"{path}: no such file; name texts, images or videos to calibrate on")
    for path in paths:
        if path in seen:
            continue
        found = text_samples(_tokens(source.directory, path), length=length, limit=limit)
        if not found:
            raise UsageError(
                f"{path}: shorter than one sequence of {length} tokens; give more text or shorter ones"
            )
        samples += found
        origin.append(_origin(path, found))
    if seen:
        from vidence.models.internvideo3.convert.seeing import seen_samples

        for path, sample in zip(seen, seen_samples(source, seen, length), strict=True):
            samples.append(sample)
            origin.append(_origin(path, [sample]))
    if not samples:
        raise UsageError(
            "nothing to calibrate on: name texts, images or videos like those the model will meet"
        )
    return Corpus(tuple(samples), tuple(origin))


def _tokens(directory: Path, path: Path) -> list[int]:
    tokenizer: Any = AutoTokenizer.from_pretrained(directory)
    return tokenizer(path.read_text(encoding="utf-8"))["input_ids"]


def _origin(path: Path, samples: Sequence[Sample]) -> dict[str, object]:
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    return {"file": path.name, "sha256": digest, "tokens": sum(sample.length for sample in samples)}
