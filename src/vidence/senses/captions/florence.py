"""Florence-2 base (Xiao et al. 2024, arXiv 2311.06242) as four ONNX graphs: a picture and a question in, words out.

vision: pixel_values (B, 3, 768, 768) → image_features (B, S, D); embed: input_ids (B, T) → inputs_embeds (B, T, D);
encoder: inputs_embeds, attention_mask → last_hidden_state; decoder: inputs_embeds, encoder_hidden_states,
encoder_attention_mask, past_key_values.*, use_cache_branch → logits, present.*.

Legend: B 1, S picture places, T tokens, D width, V vocabulary.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from vidence.catalogue import digest, weights
from vidence.senses.byte_level import encode, pieces, read_merges, read_vocabulary
from vidence.senses.captions.captioner import Caption
from vidence.senses.decoding import loop_length, probability_of
from vidence.senses.runtime import Graph

if TYPE_CHECKING:
    from vidence.media import Image

SIDE = 768  # px: what it was trained on
PROMPT = "Describe in detail what is shown in the image."  # the words of its task of detailed captions
BEGIN, END = 0, 2  # token ids <s> and </s>; its decoder starts from END, and its first token is always BEGIN
MOST_TOKENS = 96  # two or three sentences; a detailed caption takes about 40
UNREPEATED = 3  # its authors let no run of three tokens come twice
MEAN, DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # of ImageNet's colours, as in its training
PARTS = ("vision", "embed", "encoder", "decoder")


class Florence:
    """Captions with the catalogue's entries `MODEL-vision` and so on (276 MB with the vocabulary)."""

    version = "1"
    side = SIDE
    seconds = 4.0  # an estimate from its size: the weights could not be had where this was written

    def __init__(self, model: str = "florence2-base") -> None:
        self.name = model
        together = "".join(digest(f"{model}-{part}") for part in PARTS)
        self.weights = hashlib.sha256(together.encode()).hexdigest()[:12]

    def caption(self, image: Image) -> Caption:
        """Describe one picture, squeezed to a square as in its training."""
        states_BSD = self._read(image)
        tokens, probabilities = self._write(states_BSD)
        kept = len(tokens) - loop_length(tokens)
        text = b"".join(self._pieces.get(token, b"") for token in tokens[:kept]).decode("utf-8", "replace")
        sure = float(np.exp(np.mean(np.log(np.maximum(probabilities[:kept], 1e-9))))) if kept else 0.0
        return Caption(" ".join(text.split()), sure)

    def _read(self, image: Image) -> np.ndarray:
        """Let picture and question pass the encoder together."""
        pixels_BCYX = _pixels(image)
        (seen_BSD,) = self._graph["vision"].run(["image_features"], {"pixel_values": pixels_BCYX})
        both_BSD = np.concatenate([seen_BSD, self._embedded(self._prompt)], axis=1)
        inputs = {"inputs_embeds": both_BSD, "attention_mask": np.ones(both_BSD.shape[:2], np.int64)}
        return self._graph["encoder"].run(["last_hidden_state"], inputs)[0]

    def _write(self, states_BSD: np.ndarray) -> tuple[list[int], list[float]]:
        """Write greedily until the end token, the limit or a loop."""
        decoder = self._graph["decoder"]
        past = {name: self._empty for name in decoder.inputs if name.startswith("past_key_values.")}
        fixed = {
            "encoder_hidden_states": states_BSD,
            "encoder_attention_mask": np.ones(states_BSD.shape[:2], np.int64),
        }
        written, probabilities, fed = [BEGIN], [1.0], [END, BEGIN]
        while len(written) <= MOST_TOKENS and not loop_length(written):
            first = len(written) == 1
            # what the picture contributes is computed at the first step and only passed through after it
            moving = [name for name in past if first or ".decoder." in name]
            wanted = ["logits", *(name.replace("past_key_values", "present") for name in moving)]
            inputs = {"inputs_embeds": self._embedded(fed), "use_cache_branch": np.array([not first])}
            logits_BTV, *fresh = decoder.run(wanted, {**inputs, **fixed, **past})
            past.update(zip(moving, fresh, strict=True))
            token, probability = _choose(logits_BTV[0, -1], written)
            if token == END:
                break
            written.append(token)
            probabilities.append(probability)
            fed = [token]
        return written[1:], probabilities[1:]

    def _embedded(self, tokens: Sequence[int]) -> np.ndarray:
        ids = np.array([tokens], np.int64)
        return self._graph["embed"].run(["inputs_embeds"], {"input_ids": ids})[0]

    @cached_property
    def _graph(self) -> dict[str, Graph]:
        return {part: Graph(weights(f"{self.name}-{part}")) for part in PARTS}

    @cached_property
    def _empty(self) -> np.ndarray:
        heads, size = self._graph["decoder"].heads
        return np.zeros((1, heads, 0, size), np.float32)

    @cached_property
    def _vocabulary(self) -> dict[str, int]:
        return read_vocabulary(weights(f"{self.name}-vocabulary"))

    @cached_property
    def _pieces(self) -> dict[int, bytes]:
        special = ("<s>", "<pad>", "</s>", "<unk>", "<mask>")
        return pieces({name: token for name, token in self._vocabulary.items() if name not in special})

    @cached_property
    def _prompt(self) -> list[int]:
        merges = read_merges(weights(f"{self.name}-merges"))
        return [BEGIN, *encode(PROMPT, self._vocabulary, merges), END]


def _pixels(image: Image) -> np.ndarray:
    import cv2

    square = cv2.resize(image, (SIDE, SIDE), interpolation=cv2.INTER_CUBIC)
    scaled = (np.asarray(square, np.float32) / 255 - np.array(MEAN, np.float32)) / np.array(
        DEVIATION, np.float32
    )
    return np.ascontiguousarray(scaled.transpose(2, 0, 1)[None])


def _choose(logits_V: np.ndarray, written: Sequence[int]) -> tuple[int, float]:
    """Choose the likeliest token that completes no run of `UNREPEATED` tokens written before."""
    allowed = logits_V.copy()
    head = tuple(written[-(UNREPEATED - 1) :])
    for at in range(len(written) - UNREPEATED + 1):
        if tuple(written[at : at + UNREPEATED - 1]) == head:
            allowed[written[at + UNREPEATED - 1]] = -np.inf
    token = int(allowed.argmax())
    return token, probability_of(token, logits_V)
