"""Hidden states between two layers, on disk: what lets one layer at a time be in memory, and an interrupted run go on.

L tokens of a sample, D hidden width. A stream is one file of float32 a boundary; the one before is dropped when the
next is whole. Positions are turned into phases once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from vidence.models.internvideo3.convert.samples import Sample
from vidence.models.internvideo3.convert.source import Source
from vidence.models.internvideo3.rope import rotary


class Stream:
    """The states of all samples at the boundaries of layers, 0 being the embedding."""

    def __init__(self, folder: Path, name: str, samples: Sequence[Sample], width: int) -> None:
        self.folder, self.name, self.samples, self.width = folder, name, samples, width
        self.starts = [0]
        for sample in samples:
            self.starts.append(self.starts[-1] + sample.length)

    def has(self, boundary: int) -> bool:
        """Tell whether the states at this boundary are whole."""
        return self._path(boundary).is_file()

    def read(self, boundary: int, index: int) -> Tensor:
        """Return one sample's states (1, L, D)."""
        states = self._map(self._path(boundary), "r")
        part = np.array(states[self.starts[index] : self.starts[index + 1]])
        return torch.from_numpy(part)[None]

    def write(self, boundary: int, each: Callable[[int], Tensor]) -> None:
        """Write the states of every sample, (1, L, D) each; they count once all are there."""
        path = self._path(boundary)
        growing = path.with_suffix(".part")
        states = self._map(growing, "w+")
        for index in range(len(self.samples)):
            states[self.starts[index] : self.starts[index + 1]] = each(index)[0].numpy()
        states.flush()
        del states
        growing.rename(path)

    def drop(self, boundary: int) -> None:
        """Forget the states at a boundary."""
        self._path(boundary).unlink(missing_ok=True)

    def _path(self, boundary: int) -> Path:
        return self.folder / f"{self.name}-{boundary:03d}.f32"

    def _map(self, path: Path, mode: str) -> np.memmap:
        shape = (self.starts[-1], self.width)
        return np.memmap(path, dtype=np.float32, mode=mode, shape=shape)  # type: ignore[call-overload]


class Angles:
    """Rotary positions of samples, as the converted model's own module computes them."""

    def __init__(self, source: Source) -> None:
        self.rotary = rotary(source.text)

    @property
    def scaling(self) -> float:
        """Return what cosines and sines are multiplied by."""
        return float(self.rotary.attention_scaling)

    def embeddings(self, sample: Sample) -> tuple[Tensor, Tensor]:
        """Return cosines and sines (1, L, d)."""
        return self.rotary(torch.zeros(1), sample.positions_3L[:, None])

    def phases(self, sample: Sample) -> Tensor:
        """Return cosines and sines as complex numbers (1, L, F)."""
        cos_1Ld, sin_1Ld = self.embeddings(sample)
        half = cos_1Ld.shape[-1] // 2
        return torch.complex(cos_1Ld[..., :half], sin_1Ld[..., :half])


def embedded(source: Source, samples: Sequence[Sample]) -> Callable[[int], Tensor]:
    """Return a function that gives the states at boundary 0: embeddings, with vision features in their places."""
    table = source.tensor(source.embedding)

    def states(index: int) -> Tensor:
        sample = samples[index]
        hidden_1LD = F.embedding(sample.ids_L, table).float()[None]
        if sample.embedded_ND is not None:
            hidden_1LD[0, sample.vision_L] = sample.embedded_ND
        return hidden_1LD

    return states


def deepened(hidden_BLD: Tensor, sample: Sample, layer: int) -> Tensor:
    """Add what DeepStack adds to vision tokens after a layer."""
    if layer < len(sample.deep):
        hidden_BLD = hidden_BLD.clone()
        hidden_BLD[:, sample.vision_L] += sample.deep[layer]
    return hidden_BLD
