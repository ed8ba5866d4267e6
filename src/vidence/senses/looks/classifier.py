"""Ask EfficientNet-lite0 what a picture shows, with a square crop at either end so that nothing is left out."""

from __future__ import annotations

import threading
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from vidence.senses.runtime import open_session

if TYPE_CHECKING:
    import onnxruntime

    from vidence.media import Image

WEIGHTS = "efficientnet-lite0"
SIDE = 224
# (pixel - 127) / 128, as the lite models were trained. On 13 known pictures: mean log-probability of the right
# class -1.23 so, -1.57 with ImageNet's own means and deviations; sides above 224 were worse (-1.60 at 256).
OFFSET, SCALE = 127.0, 1 / 128.0
WIDE = (
    1.2  # a picture longer than this for its height gets two crops; one square of a 16:9 picture misses 44 %
)

_lock = threading.Lock()


def classify(image: Image) -> np.ndarray:
    """Return class probabilities, shape (crops, 1000) float32, of a uint8 RGB picture; one crop or two."""
    pixels = np.stack([_prepare(crop) for crop in crops(image)])
    logits = np.asarray(_session().run(["logits"], {"pixels": pixels})[0])
    weights = np.exp(logits - logits.max(axis=1, keepdims=True))
    return weights / weights.sum(axis=1, keepdims=True)


def crops(image: Image) -> list[Image]:
    """Cut the square at the start and the one at the end of the longer side, or, if nearly square, the middle."""
    height, width = image.shape[:2]
    side = min(height, width)
    if max(height, width) < WIDE * side:
        top, left = (height - side) // 2, (width - side) // 2
        return [image[top : top + side, left : left + side]]
    if width > height:
        return [image[:, :side], image[:, width - side :]]
    return [image[:side], image[height - side :]]


def _prepare(square: Image) -> np.ndarray:
    import cv2

    shrink = square.shape[0] > SIDE
    sized = cv2.resize(square, (SIDE, SIDE), interpolation=cv2.INTER_AREA if shrink else cv2.INTER_CUBIC)
    return ((np.asarray(sized, np.float32) - OFFSET) * SCALE).transpose(2, 0, 1)


def _session() -> onnxruntime.InferenceSession:
    with _lock:
        return _load()


@cache
def _load() -> onnxruntime.InferenceSession:
    from vidence.catalogue import weights

    return open_session(weights(WEIGHTS))
