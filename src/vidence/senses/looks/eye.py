"""The seam behind the sense: something that looks at one picture and can be asked how well a phrase fits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

if TYPE_CHECKING:
    from vidence.media import Image


@dataclass(frozen=True, slots=True, eq=False)
class Look:
    """What one picture looks like: a unit vector, words for it, and how sure the surest of them is."""

    vector: np.ndarray
    text: str = ""
    confidence: float = 0.0
    data: Mapping[str, Any] = field(default_factory=dict)


class Eye(Protocol):
    """Looks at pictures; its vectors are only comparable with vectors of the same `space`."""

    name: str
    version: str
    space: str
    side: int  # no side of the pictures shown need be larger
    seconds: float  # CPU seconds a picture on one core

    @property
    def weights(self) -> str:
        """First 12 hex digits of the weights' identity, known without fetching them."""
        ...

    def look(self, image: Image) -> Look:
        """Look at one picture (uint8 RGB)."""
        ...

    def phrase(self, text: str) -> np.ndarray:
        """Put a phrase into the same space: a unit vector."""
        ...

    def chance(self, phrase: np.ndarray, vectors: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Hold a phrase against pictures, (N, D): scores that compare over phrases, and chances that it is seen."""
        ...
