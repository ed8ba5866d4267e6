"""Speech recognition in 99 languages with Whisper (Radford et al. 2022, arXiv 2212.04356) on plain ONNX Runtime.

Legend: B 1, H heads, T tokens, N encoder steps of 20 ms, V vocabulary.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np

from vidence.catalogue import digest, weights
from vidence.senses.decoding import fresh_mean, likeliest, loop_length
from vidence.senses.runtime import Graph
from vidence.senses.speech.alignment import onsets
from vidence.senses.speech.mel import log_mel
from vidence.senses.speech.recogniser import RATE_HZ, Transcript
from vidence.senses.speech.whisper_text import TIME_STEP_S, Vocabulary, allowed, read_tokenizer
from vidence.senses.speech.whisper_words import SPACELESS, phrase_bounds, timed_word, word_runs

ATTENTION = "cross_attention"  # decoder outputs `cross_attention.LAYER`, as `graphs` adds them
TOKENS_PER_S = 12  # languages that Whisper cuts into bytes (Thai, Tamil) take up to ten a second
# It looks ahead: word edges by its attention lay this much before those of Moonshine, whose times were checked against
# known ones (155 words of 18 recordings; with it, half lie within 20 ms of the other's, 90 % within 72).
LAG_S = 0.07
MOST_TOKENS = 224  # half of the decoder's 448 places, as its authors limit it
# real speech in four languages was written readably from 0.54 up, made-up words stood at 0.2 to 0.55
UNDERSTOOD = 0.5
_CODES = (
    "en zh de es ru ko fr ja pt tr pl ca nl ar sv it id hi fi vi he uk el ms cs ro da hu ta no th ur hr bg lt la mi ml"
    " cy sk te fa lv bn sr az sl kn et mk br eu is hy ne mn bs kk sq sw gl mr pa si km sn yo so af oc ka be tg sd gu"
    " am yi lo uz fo ht ps tk nn mt sa lb my bo tl mg as tt haw ln ha ba jw su"
)
LANGUAGES: frozenset[str] = frozenset(_CODES.split())
"""What it was trained on, as it names them: ISO 639-1, and haw, jw."""

# (layer, head) pairs whose attention follows the sound, as the authors of the models chose and published them.
_TIME_HEADS = {
    6: ((3, 1), (4, 2), (4, 3), (4, 7), (5, 1), (5, 2), (5, 4), (5, 6)),
    12: ((5, 3), (5, 9), (8, 0), (8, 4), (8, 7), (8, 8), (9, 0), (9, 7), (9, 9), (10, 5)),
}


def time_heads(layers: int) -> tuple[tuple[int, int], ...]:
    """Return the (layer, head) pairs that tell time in the model of so many decoder layers (6 base, 12 small)."""
    return _TIME_HEADS[layers]


@dataclass(frozen=True, slots=True)
class Guess:
    """A language (ISO 639-1, or Whisper's own code where it has no such) and its probability among all known."""

    language: str
    probability: float


class _Step(NamedTuple):
    logits_V: np.ndarray
    look_N: np.ndarray  # where in the sound it looked, averaged over the heads that tell time


class Whisper:
    """A recogniser of 99 languages. Loads its weights when first used (base: 77 MB on disk); threads may share it.

    `language` fixes the language; without one, each utterance is heard in the language that it most likely is.
    """

    languages: frozenset[str] = LANGUAGES
    understood = UNDERSTOOD

    def __init__(self, model: str = "whisper-base", language: str | None = None) -> None:
        self.model, self.language = model, language
        self.weights = digest(f"{model}-decoder")

    def transcribe(self, audio: np.ndarray, language: str | None = None) -> Transcript:
        """Transcribe up to 30 s of sound, words timed by the decoder's attention between the phrase times it writes."""
        states = self._encode(audio)
        language = language or self.language or self._detect(states).language
        return self._written(states, language, len(audio) / RATE_HZ)

    def detect(self, audio: np.ndarray) -> Guess:
        """Say which language is most likely spoken in up to 30 s of sound: one pass of the encoder, one token."""
        return self._detect(self._encode(audio))

    def _encode(self, audio: np.ndarray) -> np.ndarray:
        encoder, _ = self._graphs
        return encoder.run(["last_hidden_state"], {"input_features": log_mel(audio)[None]})[0]

    def _detect(self, states: np.ndarray) -> Guess:
        known = self._vocabulary
        logits_V = _Decoder(self._graphs[1], states).take([known.start]).logits_V
        codes = list(known.languages)
        logits = logits_V[[known.languages[code] for code in codes]]
        p = np.exp(logits - logits.max())
        best = int(p.argmax())
        return Guess(codes[best], float(p[best] / p.sum()))

    def _written(self, states: np.ndarray, language: str, length_s: float) -> Transcript:
        """Write greedily by the rules of times until the end token, the limit or a loop."""
        known, decoder = self._vocabulary, _Decoder(self._graphs[1], states)
        step = decoder.take([known.start, known.languages[language], known.transcribe])
        tokens: list[int] = []
        probabilities: list[float] = []
        looks = [step.look_N]
        limit = min(MOST_TOKENS, int(length_s * TOKENS_PER_S) + 16)
        while len(tokens) < limit:
            token, probability = likeliest(allowed(step.logits_V, tokens, known))
            if token == known.end:
                break
            tokens.append(token)
            probabilities.append(probability)
            if loop_length([one for one in tokens if one < known.end]):
                break
            step = decoder.take([token])
            looks.append(step.look_N)
        return self._transcript(tokens, probabilities, np.stack(looks), language, length_s)

    def _transcript(
        self,
        tokens: list[int],
        probabilities: list[float],
        looks_TN: np.ndarray,
        language: str,
        length_s: float,
    ) -> Transcript:
        known = self._vocabulary
        at = [i for i, token in enumerate(tokens) if token < known.end]
        loop = loop_length([tokens[i] for i in at])
        kept = at[: len(at) - loop]
        if not kept:
            return Transcript((), language, 0.0, looped=bool(loop))
        # the look that chose a token is that of the step before it was taken; the last row stands for the end
        rows = [*kept, min(kept[-1] + 1, len(looks_TN) - 1)]
        steps = max(round(length_s / TIME_STEP_S), len(rows))
        edges_s = np.append(onsets(looks_TN[rows, :steps]), steps) * TIME_STEP_S + LAG_S
        bounds = phrase_bounds(tokens, kept, known, length_s)
        runs = word_runs(known, [tokens[i] for i in kept], language, bounds)
        chosen = [probabilities[i] for i in kept]
        words = tuple(timed_word(known, tokens, kept, chosen, run, edges_s, bounds) for run in runs)
        confidence = fresh_mean([tokens[i] for i in kept], chosen)
        spoken = tuple(word for word in words if word.text)
        return Transcript(spoken, language, confidence, bool(loop), "" if language in SPACELESS else " ")

    @cached_property
    def _vocabulary(self) -> Vocabulary:
        return read_tokenizer(weights(f"{self.model}-tokenizer"))

    @cached_property
    def _graphs(self) -> tuple[Graph, Graph]:
        encoder = Graph(weights(f"{self.model}-encoder-graph"))
        return encoder, Graph(weights(f"{self.model}-decoder-graph"))


class _Decoder:
    """One transcript being written: keeps what the layers have computed of the tokens so far."""

    def __init__(self, graph: Graph, states: np.ndarray) -> None:
        self._graph, self._states, self._fresh = graph, states, True
        self._past = [name for name in graph.inputs if name.startswith("past_key_values.")]
        layers = sum(name.endswith(".decoder.key") for name in self._past)
        self._heads = time_heads(layers)
        heads, size = graph.heads
        empty = np.zeros((1, heads, 0, size), np.float32)
        self._kept = dict.fromkeys(self._past, empty)

    def take(self, tokens: Sequence[int]) -> _Step:
        """Read further tokens; return what comes next and where it looked."""
        layers = sorted({layer for layer, _ in self._heads})
        # what the sound contributes is computed at the first step and only passed through after it
        moving = [name for name in self._past if self._fresh or ".decoder." in name]
        wanted = [f"{ATTENTION}.{layer}" for layer in layers]
        presents = [name.replace("past_key_values", "present") for name in moving]
        inputs = {
            "input_ids": np.array([tokens], np.int64),
            "encoder_hidden_states": self._states,
            "use_cache_branch": np.array([not self._fresh]),
            **self._kept,
        }
        logits_BTV, *rest = self._graph.run(["logits", *wanted, *presents], inputs)
        self._kept.update(zip(moving, rest[len(layers) :], strict=True))
        self._fresh = False
        # some exports keep the batch apart from the heads, some do not
        seen_HTN = {layer: one.reshape(-1, *one.shape[-2:]) for layer, one in zip(layers, rest, strict=False)}
        look_N = np.mean([seen_HTN[layer][head, -1] for layer, head in self._heads], axis=0)
        return _Step(logits_BTV[0, -1], look_N)
