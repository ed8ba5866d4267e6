"""Detectors of things: a picture in, boxes with labels and scores out. One class a kind of graph, chosen by entry name.

Legend: N boxes, K kinds, Y X rows and columns of the input, C colour.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from vidence.catalogue import weights
from vidence.errors import WeightsError
from vidence.senses.objects.coco import LABELS, PAPER_IDS
from vidence.senses.observation import Box
from vidence.senses.runtime import open_session

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

    from vidence.media import Image

SAME_KIND_IOU = 0.5  # of two boxes of one kind that overlap more, the weaker is the same thing seen again
ANY_KIND_IOU = 0.8  # and of two kinds: one thing under two names
LEAST_SIDE = 2.0 / 300  # of the picture: below two pixels of the smallest input nothing is seen


@dataclass(frozen=True, slots=True)
class Detection:
    """One thing in one picture: label, score 0 to 1, box as fractions of the picture."""

    label: str
    score: float
    box: Box


class Detector(Protocol):
    """A loaded detector."""

    side: int  # longer side, in pixels, of the picture it looks at; larger ones are reduced

    def __call__(self, image: Image, floor: float) -> list[Detection]:
        """Return what scores at least `floor`, strongest first."""
        ...


class SsdLite:
    """SSDLite MobileNetV2 at 300 x 300: the picture is squeezed to a square, as in its training."""

    side = 300

    def __init__(self, session: InferenceSession) -> None:
        self._session = session
        self._columns = [number - 1 for number in PAPER_IDS]

    def __call__(self, image: Image, floor: float) -> list[Detection]:
        picture_YXC = _stretch(image, self.side).astype(np.float32) / 127.5 - 1
        boxes, scores = (np.asarray(one)[0] for one in self._session.run(None, {"image": picture_YXC[None]}))
        return select(boxes[:, [1, 0, 3, 2]], scores[:, self._columns], floor)


class TinyYolo:
    """Tiny YOLOv3 at 416: the picture is letterboxed, as in its training; all candidates are read, not its own NMS."""

    side = 416

    def __init__(self, session: InferenceSession) -> None:
        self._session = session

    def __call__(self, image: Image, floor: float) -> list[Detection]:
        picture_YXC, left, top, width, height = _letterbox(image, self.side)
        inputs = {
            "input_1": (picture_YXC.astype(np.float32) / 255).transpose(2, 0, 1)[None],
            "image_shape": np.full((1, 2), self.side, np.float32),
        }
        boxes, scores, _ = (np.asarray(one)[0] for one in self._session.run(None, inputs))
        inside = (boxes[:, [1, 0, 3, 2]] - (left, top, left, top)) / (width, height, width, height)
        return select(inside, scores.T, floor)


class DFine:
    """D-FINE and kin (Apache-2.0) at 640 x 640, in either of the two exports that are in use.

    The authors' export takes images and orig_target_sizes and gives labels, boxes, scores; that of transformers takes
    pixel_values and gives logits and pred_boxes. Both know no overlaps, so nothing is suppressed among one kind.
    """

    side = 640

    def __init__(self, session: InferenceSession) -> None:
        self._session = session
        self._raw = any(one.name == "logits" for one in session.get_outputs())
        self._picture = session.get_inputs()[0].name

    def __call__(self, image: Image, floor: float) -> list[Detection]:
        picture_CYX = (_stretch(image, self.side).astype(np.float32) / 255).transpose(2, 0, 1)
        inputs: dict[str, np.ndarray] = {self._picture: picture_CYX[None]}
        if self._raw:
            logits, boxes = (
                np.asarray(one)[0] for one in self._session.run(["logits", "pred_boxes"], inputs)
            )
            half = boxes[:, 2:] / 2
            return select(np.hstack([boxes[:, :2] - half, boxes[:, :2] + half]), _sigmoid(logits), floor)
        inputs["orig_target_sizes"] = np.ones((1, 2), np.int64)  # so that boxes come as fractions
        labels, boxes, scores = (
            np.asarray(one)[0] for one in self._session.run(["labels", "boxes", "scores"], inputs)
        )
        spread_NK = np.zeros((len(labels), len(LABELS)), np.float32)
        spread_NK[np.arange(len(labels)), labels.astype(int)] = scores
        return select(boxes, spread_NK, floor)


_KINDS: dict[str, type[Any]] = {"ssdlite": SsdLite, "tiny-yolov3": TinyYolo, "dfine": DFine}


@cache
def load(name: str) -> Detector:
    """Load the detector of a catalogue entry, once.

    Raises:
        WeightsError: there is no such entry, it cannot be fetched, or no class here runs graphs of its kind.
    """
    for prefix, kind in _KINDS.items():
        if name.startswith(prefix):
            return kind(open_session(weights(name)))
    raise WeightsError(f"no detector can run {name!r}; known are names that begin with {', '.join(_KINDS)}")


def select(boxes_N4: np.ndarray, scores_NK: np.ndarray, floor: float) -> list[Detection]:
    """Choose boxes (x0 y0 x1 y1, fractions): the best kind of each, above `floor`, without repeats; strongest first."""
    best_N = scores_NK.max(axis=1)
    rows = np.flatnonzero(best_N >= floor)
    rows = rows[np.argsort(-best_N[rows], kind="stable")]
    kept: list[Detection] = []
    for row in rows:
        x0, y0, x1, y1 = (float(edge) for edge in np.clip(boxes_N4[row], 0.0, 1.0))
        if x1 - x0 < LEAST_SIDE or y1 - y0 < LEAST_SIDE:
            continue
        found = Detection(
            LABELS[int(scores_NK[row].argmax())], float(best_N[row]), Box(x0, y0, x1 - x0, y1 - y0)
        )
        if not any(repeats(found, other) for other in kept):
            kept.append(found)
    return kept


def repeats(found: Detection, other: Detection) -> bool:
    """Say whether two boxes show one thing."""
    return found.box.iou(other.box) > (SAME_KIND_IOU if found.label == other.label else ANY_KIND_IOU)


def _stretch(image: Image, side: int) -> Image:
    import cv2

    smaller = image.shape[0] * image.shape[1] > side * side
    method = cv2.INTER_AREA if smaller else cv2.INTER_LINEAR  # area averages, so thin things do not vanish
    return np.asarray(cv2.resize(image, (side, side), interpolation=method))


def _letterbox(image: Image, side: int) -> tuple[Image, int, int, int, int]:
    """Fit into a grey square; also return where in it the picture lies: left, top, width, height in pixels."""
    import cv2

    rows, columns = image.shape[:2]
    scale = side / max(rows, columns)
    width, height = max(1, round(columns * scale)), max(1, round(rows * scale))
    left, top = (side - width) // 2, (side - height) // 2
    square = np.full((side, side, 3), 128, np.uint8)
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    square[top : top + height, left : left + width] = cv2.resize(image, (width, height), interpolation=method)
    return square, left, top, width, height


def _sigmoid(values: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-np.clip(values, -60, 60)))
