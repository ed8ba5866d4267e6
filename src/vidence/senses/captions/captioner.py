"""The seam behind the sense of captions: something that puts one picture into words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from vidence.media import Image


@dataclass(frozen=True, slots=True)
class Caption:
    """A sentence about a picture, and how sure its words are: geometric mean over the tokens, 0 to 1."""

    text: str
    confidence: float


class Captioner(Protocol):
    """Writes captions. Building one is cheap: weights are loaded with the first picture."""

    name: str
    version: str
    side: int  # no side of the pictures shown need be larger
    seconds: float  # CPU seconds a picture on one core

    @property
    def weights(self) -> str:
        """First 12 hex digits of the weights' identity, known without fetching them."""
        ...

    def caption(self, image: Image) -> Caption:
        """Describe one picture (uint8 RGB)."""
        ...
