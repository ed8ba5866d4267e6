"""What is said: one observation a sentence, from subtitles where there are any, else heard.

`data`: {"words": [[start_s, end_s, word], ...] on the medium's clock ([] for subtitles), "source": "asr" |
"subtitles", "language": ISO 639-1, "und" where it was not understood}, and, where the recogniser only guessed,
{"doubt": why, "guess": the words it would have written}: then the text says that it was not understood.

A segment's sound is cut near its edges where both neighbours, from the same ten seconds of sound, find the deepest
pause; so no word is cut, none is lost, and none is heard twice.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from math import exp, log
from typing import TYPE_CHECKING, Any

import numpy as np

from vidence.errors import WeightsError
from vidence.senses.observation import Observation, Producer
from vidence.senses.sense import Cost
from vidence.senses.speech.cues import Line, covered, lines, starting_in
from vidence.senses.speech.pauses import trimmed
from vidence.senses.speech.recogniser import RATE_HZ, Recogniser, Transcript, Word
from vidence.senses.speech.sentences import sentences
from vidence.senses.speech.tongues import Tongues
from vidence.senses.speech.vad import STEP, Stretch, quietest, speech_probabilities, utterances
from vidence.senses.speech.whisper_words import SPACELESS
from vidence.timeline import Instant, Span

if TYPE_CHECKING:
    from vidence.media import Media

REACH_S = 5  # to either side of a segment's edge the cut is sought; speakers pause more often than every 10 s
SUBTITLED = 0.5  # an utterance that subtitles cover to this share is not heard again

NOT_UNDERSTOOD = "[speech, not understood]"


class Speech:
    """Hear or read what is said. `language`: "auto", or the code of the one spoken; `other`: Whisper's entries."""

    name = "speech"
    cost = Cost(cpu_s_per_minute=5.0, memory_mb=350)

    def __init__(self, language: str = "auto", other: str = "whisper-base") -> None:
        self.tongues = Tongues(language, other)
        self.language = self.tongues.language
        # the weights name the recognisers: what one heard is never taken for what another would hear
        self.producer = Producer("speech", "2", self.tongues.weights, f"language={self.language}")

    def hear(self, media: Media, segment: Span) -> list[Observation]:
        """Return the sentences of a segment in time order.

        The first and last may begin or end some seconds outside it: each belongs to the segment where its utterance
        lies between the cuts.
        """
        read = lines(media, self.language)
        found = [self._subtitle(line) for line in starting_in(read, segment.start, segment.end)]
        if media.info.audio:
            start, end = cut_near(media, segment.start), cut_near(media, segment.end)
            if start < end:
                found += self._heard(media, Span(start, end), read)
        return sorted(found, key=lambda one: one.span)

    def join(self, left: Observation, right: Observation) -> Observation | None:
        """Return one sentence where a cut fell into it: no pause lay between and the left part does not end."""
        if (
            left.span.end != right.span.start
            or left.data.get("language") != right.data.get("language")
            or left.data.get("source") != "asr"
            or right.data.get("source") != "asr"
        ):
            return None
        if "doubt" in left.data or "doubt" in right.data or len(sentences([_last(left), _first(right)])) > 1:
            return None
        data = {**left.data, "words": [*left.data["words"], *right.data["words"]]}
        sure = min(left.confidence, right.confidence)
        gap = "" if left.data.get("language") in SPACELESS else " "
        return replace(
            left,
            span=left.span.hull(right.span),
            text=f"{left.text}{gap}{right.text}",
            confidence=sure,
            data=data,
        )

    def _subtitle(self, line: Line) -> Observation:
        data = {"words": [], "source": "subtitles", "language": line.language or "und"}
        return Observation(line.span, "speech", self.producer, line.text, data=data)

    def _heard(self, media: Media, span: Span, read: list[Line]) -> list[Observation]:
        start, audio = media.audio(span, rate_hz=RATE_HZ)
        probabilities = speech_probabilities(audio)
        found: list[Observation] = []
        for stretch in utterances(probabilities, len(audio)):
            where = _span(start, stretch)
            if covered(where, read) < SUBTITLED:
                transcript, who = self.tongues.transcribe(media, audio[stretch.start : stretch.end])
                heard = probabilities[stretch.start // STEP : -(-stretch.end // STEP)]
                spoken = trimmed(transcript.words, heard)
                found += self._observed(replace(transcript, words=spoken), where, who)
        if found and self.tongues.lacking and all("doubt" in one.data for one in found):
            # a failure, not a finding: it stands in the coverage, and the next run tries again
            raise WeightsError(f"what is said seems not to be English, and {self.tongues.lacking}")
        return found

    def _observed(self, transcript: Transcript, where: Span, who: Recogniser) -> list[Observation]:
        if not transcript.words:
            return []
        if transcript.confidence < who.understood:
            return [self._doubted(transcript, where, who)]
        return [self._sentence(words, transcript, where) for words in sentences(transcript.words)]

    def _sentence(self, words: tuple[Word, ...], transcript: Transcript, where: Span) -> Observation:
        timed = [_Timed.of(word, where) for word in words]
        data: dict[str, Any] = {
            "words": [[round(float(one.start), 3), round(float(one.end), 3), one.text] for one in timed],
            "source": "asr",
            "language": transcript.language,
        }
        sure = exp(sum(log(max(word.probability, 1e-9)) for word in words) / len(words))
        span = Span(timed[0].start, max(timed[-1].end, timed[0].start))
        text = transcript.gap.join(word.text for word in words)
        return Observation(span, "speech", self.producer, text, confidence=sure, data=data)

    def _doubted(self, transcript: Transcript, where: Span, who: Recogniser) -> Observation:
        knows = "English only" if who.languages == {"en"} else f"{len(who.languages)} languages"
        lacking = f"; {self.tongues.lacking}" if self.tongues.lacking else ""
        data = {
            "words": [],
            "source": "asr",
            "language": "und",
            "doubt": f"unclear, or not a language that the recogniser knows ({knows}){lacking}",
            "guess": transcript.text,
        }
        return Observation(where, "speech", self.producer, NOT_UNDERSTOOD, transcript.confidence, data=data)


@dataclass(frozen=True, slots=True)
class _Timed:
    """A word on the medium's clock, at exact sample times."""

    start: Instant
    end: Instant
    text: str

    @classmethod
    def of(cls, word: Word, where: Span) -> _Timed:
        begin = where.start + Fraction(round(word.start_s * RATE_HZ), RATE_HZ)
        end = where.start + Fraction(round(word.end_s * RATE_HZ), RATE_HZ)
        return cls(min(begin, where.end), min(end, where.end), word.text)


def cut_near(media: Media, edge: Instant) -> Instant:
    """Return the deepest pause within `REACH_S` of an edge; the medium's own ends are cuts already.

    It looks at nothing but that sound, so the segments on both sides of the edge find the same instant.
    """
    bounds = media.info.span
    if edge <= bounds.start or edge >= bounds.end:
        return edge
    window = Span(edge - REACH_S, edge + REACH_S).clipped(bounds)
    start, audio = media.audio(window, rate_hz=RATE_HZ)
    probabilities = speech_probabilities(audio)
    if not len(probabilities):
        return edge
    # the detector needs a second to wake up; and of equal pauses the one nearest the edge is wanted
    away = np.abs(np.arange(len(probabilities)) * STEP / RATE_HZ - float(edge - start))
    step = quietest(probabilities + 0.02 * away / REACH_S, 0, len(probabilities))
    return start + Fraction(step * STEP, RATE_HZ)


def _span(start: Instant, stretch: Stretch) -> Span:
    return Span(start + Fraction(stretch.start, RATE_HZ), start + Fraction(stretch.end, RATE_HZ))


def _last(observation: Observation) -> Word:
    begin, end, text = observation.data["words"][-1]
    return Word(text, begin, end, 1.0)


def _first(observation: Observation) -> Word:
    begin, end, text = observation.data["words"][0]
    return Word(text, begin, end, 1.0)
