"""The eye of the standard tier: a picture encoder and a text encoder trained together (SigLIP, arXiv 2303.15343).

Two ONNX graphs and a tokenizer, as model hubs carry them: the picture graph takes "pixel_values" (N, 3, S, S) and
gives "image_embeds" or "pooler_output"; the text graph takes "input_ids" (N, L), and "attention_mask" if it has one,
and gives "text_embeds" or "pooler_output". Needs the package `tokenizers`, which the core does not install.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from vidence.catalogue import digest, entry, weights
from vidence.errors import WeightsError
from vidence.senses.looks.eye import Look
from vidence.senses.runtime import open_session

if TYPE_CHECKING:
    import onnxruntime

    from vidence.media import Image

SIDE = 224  # px: what SigLIP's base models take
TEXT_TOKENS = 64  # SigLIP was trained on texts padded to this, and needs the padding
# What a phrase must beat: a moment is "seen" where it stands out from these as well as from other moments.
PLAIN = (
    "a photo", "a video frame", "something", "an object", "a person", "a scene", "a room", "a street", "text",
    "nature", "an animal", "food", "a building", "a vehicle", "a screen", "darkness",
)  # fmt: skip


class PairEye:
    """Looks with an image-text pair of encoders; its vectors live in a space of their own, named by its weights.

    `model` names catalogue entries: MODEL-vision, -text and -tokenizer, fetched at the first look or phrase. Their
    numbers hold the picture's `side` and, where they are known, the model's own `logit_scale` and `logit_bias` (SigLIP
    trains a sigmoid over scale * cosine + bias, so that it gives probabilities); else a phrase is weighed against
    plain ones.
    """

    version = "2"

    def __init__(self, model: str = "siglip2-base", *, seconds: float = 0.4) -> None:
        self.name, self.seconds = model, seconds
        self.side = int(entry(f"{model}-vision").numbers.get("side", SIDE))
        both = digest(f"{model}-vision") + digest(f"{model}-text")  # known without fetching them
        self.weights = hashlib.sha256(both.encode()).hexdigest()[:12]
        self.space = f"{model}-{self.weights}"  # this pair's alone

    def look(self, image: Image) -> Look:
        """Look at one picture: squeezed to a square, as SigLIP is trained. It gives no words of its own."""
        import cv2

        shrink = min(image.shape[:2]) > self.side
        square = cv2.resize(
            image, (self.side, self.side), interpolation=cv2.INTER_AREA if shrink else cv2.INTER_CUBIC
        )
        pixels = (np.asarray(square, np.float32) / 127.5 - 1.0).transpose(2, 0, 1)[None]
        vector = _run(self._pictures, {"pixel_values": pixels}, ("image_embeds", "pooler_output"))[0]
        return Look(vector=vector, data={"space": self.space})

    def phrase(self, text: str) -> np.ndarray:
        """Encode a phrase, lower-cased as SigLIP's texts were."""
        return self.phrases([text])[0]

    def phrases(self, texts: Sequence[str]) -> np.ndarray:
        """Encode several phrases: unit rows, shape (N, D)."""
        ids = np.array([self._ids(text) for text in texts], np.int64)
        feeds = {"input_ids": ids}
        if any(one.name == "attention_mask" for one in self._texts.get_inputs()):
            feeds["attention_mask"] = np.ones_like(ids)
        return _run(self._texts, feeds, ("text_embeds", "pooler_output"))

    def chance(self, phrase: np.ndarray, vectors: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Hold a phrase against pictures: by the model's own sigmoid, or against plain phrases."""
        cosines = vectors @ phrase
        numbers = entry(f"{self.name}-text").numbers
        if "logit_scale" in numbers:
            logits = numbers["logit_scale"] * cosines + numbers.get("logit_bias", 0.0)
            return logits, 1 / (1 + np.exp(-logits))
        plain = vectors @ self._plain.T
        scores = (cosines - plain.mean(axis=1)) / np.maximum(plain.std(axis=1), 1e-6)
        return scores, 1 / (
            1 + np.exp(4.0 - 1.5 * scores)
        )  # not fitted: 0.5 at 2.7 deviations above plain phrases

    @cached_property
    def _plain(self) -> np.ndarray:
        return self.phrases(PLAIN)

    @cached_property
    def _pictures(self) -> onnxruntime.InferenceSession:
        return open_session(weights(f"{self.name}-vision"))

    @cached_property
    def _texts(self) -> onnxruntime.InferenceSession:
        return open_session(weights(f"{self.name}-text"))

    @cached_property
    def _tokenizer(self) -> Any:
        try:
            from tokenizers import Tokenizer  # pyright: ignore[reportMissingImports]
        except ImportError as problem:
            raise WeightsError(
                f"the eye {self.name!r} needs the package tokenizers: pip install 'vidence[standard]'"
            ) from problem
        return Tokenizer.from_file(str(weights(f"{self.name}-tokenizer")))

    def _ids(self, text: str) -> list[int]:
        ids = self._tokenizer.encode(text.lower()).ids[:TEXT_TOKENS]
        pad = self._tokenizer.token_to_id("<pad>") or self._tokenizer.token_to_id("</s>") or 0
        return ids + [pad] * (TEXT_TOKENS - len(ids))


def _run(
    session: onnxruntime.InferenceSession, feeds: dict[str, np.ndarray], outputs: tuple[str, ...]
) -> np.ndarray:
    """Run a graph and return the first of the wanted outputs that it has, rows made unit.

    Raises:
        WeightsError: it has none of them.
    """
    there = {one.name for one in session.get_outputs()}
    wanted = next((name for name in outputs if name in there), None)
    if wanted is None:
        raise WeightsError(f"the graph gives {', '.join(sorted(there))}; wanted {' or '.join(outputs)}")
    rows = np.asarray(session.run([wanted], feeds)[0], np.float32)
    return rows / np.maximum(np.linalg.norm(rows, axis=-1, keepdims=True), 1e-9)
