"""The seam between hearing that someone speaks and knowing what is said."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

RATE_HZ = 16_000
"""Sample rate of every recogniser and of the speech detector."""


@dataclass(frozen=True, slots=True)
class Word:
    """One word with its punctuation; times in seconds from the start of the utterance's sound."""

    text: str
    start_s: float
    end_s: float
    probability: float  # geometric mean over its pieces, 0 to 1


@dataclass(frozen=True, slots=True)
class Transcript:
    """What was said in one utterance."""

    words: tuple[Word, ...]
    language: str  # ISO 639-1
    confidence: float  # geometric mean over the pieces, those of repeated phrases left out, 0 to 1
    looped: bool = False  # the recogniser fell into repeating itself; the repetition was cut off
    gap: str = " "  # what stands between words: nothing in Chinese, Japanese, Thai

    @property
    def text(self) -> str:
        """All words, joined as the language is written."""
        return self.gap.join(word.text for word in self.words)


class Recogniser(Protocol):
    """Turns the sound of one utterance into words."""

    languages: frozenset[str]
    understood: float  # confidence below which a transcript is a guess
    weights: str  # SHA-256 that identifies the model

    def transcribe(self, audio: np.ndarray) -> Transcript:
        """Transcribe mono float32 samples at `RATE_HZ`, at most about 30 s of them."""
        ...
