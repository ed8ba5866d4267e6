"""English speech recognition with Moonshine base (Jeffries et al. 2024, arXiv 2410.15608) on plain ONNX Runtime."""

from __future__ import annotations

import re
from functools import cached_property

import numpy as np

from vidence.catalogue import digest, weights
from vidence.senses.decoding import fresh_mean, likeliest, loop_length
from vidence.senses.runtime import Graph
from vidence.senses.speech.alignment import onsets
from vidence.senses.speech.recogniser import RATE_HZ, Transcript, Word

LAYERS, HEADS, HEAD_SIZE = 8, 8, 52
BEGIN, END = 1, 2  # token ids
# Confidence of 70 English utterances (real and synthetic voices): 0.72 to 1.00. On other languages it writes fluent
# nonsense at 0.19 to 0.63.
UNDERSTOOD = 0.6
TOKENS_PER_S = (
    6.5  # English speech needs fewer; past it the decoder has lost the thread (the authors' own bound)
)
STEP_S = 384 / RATE_HZ  # the encoder's stride: 64 * 3 * 2 samples
CENTRE_S = 447 / RATE_HZ  # middle of the first step's field: kernels of 127, 7 and 3 at strides 64, 3 and 2

# (layer, head) pairs whose attention follows the sound. Of 64 heads these came nearest to the middle of the words of
# 23 sentences by three synthetic voices that tell their phone times: median error 46 to 80 ms, others up to 1 s.
# Together, through `onsets`, they place word edges with a median error of 34 ms (90 %: under 131 ms).
TIME_HEADS = ((4, 2), (5, 5), (5, 6), (6, 0), (6, 1), (6, 4), (6, 7))

ATTENTION = "cross_attention"
"""Decoder outputs `cross_attention.LAYER`: shape (batch, heads, tokens, encoder steps), rows sum to 1."""

ATTENTIVE_LAYERS = tuple(sorted({layer for layer, _ in TIME_HEADS}))
"""The layers whose attention `graphs.build_decoder` makes an output."""

_DOUBLED = re.compile(r"([,.;:])\1+$")  # it likes to write "In short,,"


class Moonshine:
    """A recogniser of English. Loads its weights (62 MB, 330 MB resident) when first used; may be shared by threads."""

    languages = frozenset({"en"})
    understood = UNDERSTOOD

    def __init__(self) -> None:
        self.weights = digest("moonshine-base-en-decoder")

    def transcribe(self, audio: np.ndarray) -> Transcript:
        """Transcribe one utterance, words timed by the decoder's attention."""
        encoder, decoder = self._graphs
        states = encoder.run(["last_hidden_state"], {"input_values": audio[None].astype(np.float32)})[0]
        limit = min(int(len(audio) / RATE_HZ * TOKENS_PER_S) + 6, states.shape[1] - 1)
        tokens, probabilities, attention = _decode(decoder, states, limit)
        loop = loop_length(tokens)
        kept = len(tokens) - loop
        words = _words(self._pieces, tokens[:kept], probabilities[:kept], attention[: kept + 1])
        return Transcript(words, "en", fresh_mean(tokens[:kept], probabilities[:kept]), looped=bool(loop))

    @cached_property
    def _pieces(self) -> list[bytes]:
        return read_vocabulary(weights("moonshine-base-en-tokenizer").read_bytes())

    @cached_property
    def _graphs(self) -> tuple[Graph, Graph]:
        encoder = Graph(weights("moonshine-base-en-encoder-graph"))
        return encoder, Graph(weights("moonshine-base-en-decoder-graph"))


def read_vocabulary(data: bytes) -> list[bytes]:
    """Read the pieces of a Moonshine tokenizer file: for each piece its length (one byte or two), then its bytes."""
    pieces, at = [], 0
    while at < len(data):
        length = data[at]
        at += 1
        if length >= 128:
            length += 128 * data[at] - 128
            at += 1
        pieces.append(data[at : at + length])
        at += length
    return pieces


def _decode(decoder: Graph, states: np.ndarray, limit: int) -> tuple[list[int], list[float], np.ndarray]:
    """Write greedily until the end token, `limit`, or a loop.

    Returns:
        tokens; their probabilities; attention averaged over `TIME_HEADS`, shape (tokens + 1, encoder steps), whose
        last row belongs to the end token.
    """
    looks = [f"{ATTENTION}.{layer}" for layer in ATTENTIVE_LAYERS]
    grow = [f"{layer}.decoder.{part}" for layer in range(LAYERS) for part in ("key", "value")]
    fixed = [f"{layer}.encoder.{part}" for layer in range(LAYERS) for part in ("key", "value")]
    empty = np.zeros((1, HEADS, 0, HEAD_SIZE), np.float32)
    past = {f"past_key_values.{name}": empty for name in (*grow, *fixed)}
    tokens: list[int] = []
    probabilities: list[float] = []
    rows: list[np.ndarray] = []
    while True:
        # what the sound contributes is computed at the first step and only passed through after it
        moving = [*grow, *fixed] if not rows else grow
        inputs = {
            "input_ids": np.array([[tokens[-1] if tokens else BEGIN]]),
            "encoder_hidden_states": states,
            "use_cache_branch": np.array([bool(rows)]),
            **past,
        }
        logits, *rest = decoder.run(["logits", *looks, *(f"present.{name}" for name in moving)], inputs)
        seen = dict(zip(ATTENTIVE_LAYERS, rest[: len(looks)], strict=True))
        rows.append(np.mean([seen[layer][0, head, 0] for layer, head in TIME_HEADS], axis=0))
        past.update(zip((f"past_key_values.{name}" for name in moving), rest[len(looks) :], strict=True))
        token, probability = likeliest(logits[0, -1])
        if token == END or len(tokens) == limit:
            return tokens, probabilities, np.stack(rows)
        tokens.append(token)
        probabilities.append(probability)
        if loop_length(tokens):
            rows.append(rows[-1])  # there is no look of an end token
            return tokens, probabilities, np.stack(rows)


def _words(
    pieces: list[bytes], tokens: list[int], probabilities: list[float], attention: np.ndarray
) -> tuple[Word, ...]:
    """Join pieces into words (a piece that begins with the mark U+2581 begins one) and time them."""
    if not tokens:
        return ()
    edges_s = np.append(onsets(attention), attention.shape[1]) * STEP_S + CENTRE_S - STEP_S / 2
    mark = "\u2581".encode()
    firsts = [at for at, token in enumerate(tokens) if at == 0 or pieces[token].startswith(mark)]
    words = []
    for first, past in zip(firsts, [*firsts[1:], len(tokens)], strict=True):
        text = b"".join(pieces[token] for token in tokens[first:past]).decode("utf-8", "replace")
        probability = float(np.exp(np.mean(np.log(probabilities[first:past]))))
        if text := _DOUBLED.sub(r"\1", text.replace("\u2581", " ").strip()):
            words.append(Word(text, float(edges_s[first]), float(edges_s[past]), probability))
    return tuple(words)
