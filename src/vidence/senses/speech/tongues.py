"""Choose who hears: the English recogniser where English is spoken, Whisper elsewhere, and only then is it fetched.

A medium's main language is told once, from its first half minute of speech. Each utterance is heard by the English
recogniser first, which is quick and, where it is sure, right: an English sentence in a French film is written as
English. The confidence of Moonshine on 19 real recordings was 0.80 to 1.00; on real Spanish, French, Italian and
Russian at most 0.61 in sentences, and 0.74 in lists of days and months, whose names are near the English ones
(benchmarks/speech.py).
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np

from vidence.errors import UsageError, WeightsError
from vidence.senses.speech.cues import two_letters
from vidence.senses.speech.moonshine import Moonshine
from vidence.senses.speech.recogniser import RATE_HZ, Recogniser, Transcript
from vidence.senses.speech.vad import speech_probabilities, utterances
from vidence.senses.speech.whisper import LANGUAGES, Whisper
from vidence.timeline import windows

if TYPE_CHECKING:
    from vidence.media import Media

PLAINLY_ENGLISH = 0.78  # confidence of Moonshine that no other language reached
PROBE_S, ENOUGH_S = 30, 10  # of speech, by which a language is told; by which English is
SURE = 0.5  # probability above which a medium's language is fixed; below, each utterance is taken for itself
WINDOW_S = 60  # the probe listens in pieces of this length, and no further than
FURTHEST_S = 600


def spoken_language(code: str) -> str:
    """Bring a language as users and containers write it ("auto", "EN", "deu", "pt-BR") to Whisper's code.

    Raises:
        UsageError: no recogniser knows it.
    """
    plain = code.strip().lower()
    found = plain if plain in LANGUAGES or plain == "auto" else two_letters(plain)
    if found not in LANGUAGES and found != "auto":
        raise UsageError(
            f"no recogniser knows the language {code!r}; give auto, or a code such as en, de, es or zh"
        )
    return found


class Tongues:
    """The recognisers for one setting of the language ("auto" or a code); may be shared by threads.

    `other` names Whisper's catalogue entries. `lacking` says why Whisper could not be had, once it was wanted in vain.
    """

    def __init__(self, language: str, other: str) -> None:
        self.language = spoken_language(language)
        self.english: Recogniser | None = Moonshine() if self.language in ("auto", "en") else None
        named = None if self.language == "auto" else self.language
        self.other: Whisper | None = None if self.language == "en" else Whisper(other, named)
        self.lacking = ""
        self._main: dict[str, str] = {}  # by content hash
        self._lock = threading.Lock()

    @property
    def weights(self) -> str:
        """What identifies the recognisers in the key under which work is kept."""
        return "+".join(one.weights[:12] for one in (self.english, self.other) if one is not None)

    def transcribe(self, media: Media, audio: np.ndarray) -> tuple[Transcript, Recogniser]:
        """Write down one utterance; also return who heard it.

        Raises:
            WeightsError: the recogniser of the language asked for cannot be had.
        """
        if self.english is None:
            assert self.other is not None
            return self.other.transcribe(audio), self.other
        heard = self.english.transcribe(audio)
        if self.other is None or heard.confidence >= PLAINLY_ENGLISH:
            return heard, self.english
        main = self.main_language(media)
        if main == "en" or self.lacking:
            return heard, self.english
        return self.other.transcribe(audio, main or None), self.other

    def main_language(self, media: Media) -> str:
        """Tell the language that is mainly spoken, "" where it cannot be told."""
        with self._lock:
            if media.hash not in self._main:
                self._main[media.hash] = self._told(media)
            return self._main[media.hash]

    def _told(self, media: Media) -> str:
        assert self.english is not None
        assert self.other is not None
        pieces = list(first_speech(media))
        sure_s = heard_s = 0.0
        for piece in pieces:
            length_s = len(piece) / RATE_HZ
            sure_s += self.english.transcribe(piece).confidence * length_s
            heard_s += length_s
            if heard_s >= ENOUGH_S:
                break
        if heard_s and sure_s / heard_s >= PLAINLY_ENGLISH:
            return "en"
        try:
            guess = self.other.detect(np.concatenate(pieces)) if pieces else None
        except WeightsError as problem:
            self.lacking = str(problem)
            return ""
        return guess.language if guess and guess.probability >= SURE else ""


def first_speech(media: Media) -> Iterator[np.ndarray]:
    """Yield the first utterances of a medium, `PROBE_S` in all, sought in its first `FURTHEST_S`."""
    left = PROBE_S * RATE_HZ
    for window in windows(media.info.span, Fraction(WINDOW_S)):
        if window.start - media.info.span.start >= FURTHEST_S:
            return
        audio = media.audio(window, rate_hz=RATE_HZ)[1]
        for stretch in utterances(speech_probabilities(audio), len(audio)):
            piece = audio[stretch.start : stretch.end][:left]
            left -= len(piece)
            yield piece
            if left <= 0:
                return
