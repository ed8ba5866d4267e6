"""Detect faces with the cascade of Zhang et al. 2016 (MTCNN): propose, refine, decide.

P-Net slides over the picture at many sizes and proposes squares of 12 pixels; R-Net looks at each at 24 pixels, O-Net
at 48, and both correct the square. Each stage works on what the one before it left: nearly all the work is P-Net's.

Legend: N boxes, each x0 y0 x1 y1 in pixels; offsets are fractions of a box's sides.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from vidence.catalogue import weights
from vidence.senses.observation import Box
from vidence.senses.runtime import open_session

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

    from vidence.media import Image

SIDE = 400  # longer side, in pixels, of the picture that is looked at
LEAST_FACE = 18  # pixels of it: 4.5 % of the picture
SHRINK = 0.709  # from one size to the next: half the area
PROPOSE, REFINE = 0.6, 0.7  # scores that proposals must reach
MOST_PROPOSED, MOST_REFINED = 150, 30  # texture can propose thousands; the best suffice
CELL, STRIDE = 12, 2  # of P-Net, in pixels


@dataclass(frozen=True, slots=True)
class Face:
    """One face in one picture: score 0 to 1, box as fractions of the picture."""

    score: float
    box: Box


def detect(image: Image, *, floor: float = 0.9, side: int = SIDE) -> list[Face]:
    """Detect the faces in one picture of any size (RGB), surest first; those below 4.5 % of its side are not seen.

    Raises:
        WeightsError: the three networks cannot be had.
    """
    import cv2

    scale = min(1.0, side / max(image.shape[:2]))
    columns, rows = (max(1, round(length * scale)) for length in image.shape[1::-1])
    small = cv2.resize(image, (columns, rows), interpolation=cv2.INTER_AREA) if scale < 1 else image
    boxes_N4 = _propose(small)
    boxes_N4, scores_N = _refine(small, boxes_N4)
    boxes_N4, scores_N = _decide(small, boxes_N4, floor)
    faces = []
    for (x0, y0, x1, y1), score in zip(boxes_N4, scores_N, strict=True):
        left, right = np.clip((x0, x1), 0, columns) / columns
        top, bottom = np.clip((y0, y1), 0, rows) / rows
        if right > left and bottom > top:
            box = Box(float(left), float(top), float(right - left), float(bottom - top))
            faces.append(Face(float(score), box))
    return faces


def _propose(image: Image) -> np.ndarray:
    """Slide P-Net over the picture at every size; return squares, (N, 4)."""
    import cv2

    rows, columns = image.shape[:2]
    found, scale = [], CELL / LEAST_FACE
    while min(rows, columns) * scale >= CELL:
        size = (int(np.ceil(columns * scale)), int(np.ceil(rows * scale)))
        picture = cv2.resize(image, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
        offsets, scores = _session("p").run(None, {"input": _normal(picture[None])})
        chance_YX = np.asarray(scores)[0, 1]
        y, x = np.nonzero(chance_YX >= PROPOSE)
        corners = np.stack([x, y, x, y], axis=1) * STRIDE + np.array([0, 0, CELL, CELL])
        boxes = _corrected(corners / scale, np.asarray(offsets)[0, :, y, x])
        keep = _distinct(boxes, chance_YX[y, x], 0.5)
        found.append(np.column_stack([boxes, chance_YX[y, x]])[keep])
        scale *= SHRINK
    if not found:
        return np.zeros((0, 4), np.float32)
    all_N5 = np.concatenate(found)
    keep = _distinct(all_N5[:, :4], all_N5[:, 4], 0.7)[:MOST_PROPOSED]
    return _squared(all_N5[keep, :4])


def _refine(image: Image, boxes_N4: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    if not len(boxes_N4):
        return boxes_N4, np.zeros(0, np.float32)
    offsets, scores = (
        np.asarray(one) for one in _session("r").run(None, {"input": _crops(image, boxes_N4, 24)})
    )
    sure = scores[:, 1] >= REFINE
    boxes_N4, offsets, chance_N = boxes_N4[sure], offsets[sure], scores[sure, 1]
    keep = _distinct(boxes_N4, chance_N, 0.7)[:MOST_REFINED]
    return _squared(_corrected(boxes_N4[keep], offsets[keep])), chance_N[keep]


def _decide(image: Image, boxes_N4: np.ndarray, floor: float) -> tuple[np.ndarray, np.ndarray]:
    if not len(boxes_N4):
        return boxes_N4, np.zeros(0, np.float32)
    marks, offsets, scores = (
        np.asarray(one) for one in _session("o").run(None, {"input": _crops(image, boxes_N4, 48)})
    )
    sure = (scores[:, 1] >= floor) & _plausible(marks)
    boxes_N4, chance_N = _corrected(boxes_N4[sure], offsets[sure]), scores[sure, 1]
    keep = _distinct(boxes_N4, chance_N, 0.4)
    return boxes_N4[keep], chance_N[keep]


def _plausible(marks_N10: np.ndarray) -> np.ndarray:
    """Say which sets of marks (x of both eyes, nose, mouth corners, then y) could be a face that is not upside down."""
    y = marks_N10[:, 5:]
    eyes, nose, mouth = y[:, :2].mean(axis=1), y[:, 2], y[:, 3:].mean(axis=1)
    return (eyes + 0.12 < mouth) & (eyes - 0.05 < nose) & (nose - 0.05 < mouth)


def _crops(image: Image, boxes_N4: np.ndarray, side: int) -> np.ndarray:
    """Cut squares out, black outside the picture, as (N, 3, side, side)."""
    import cv2

    rows, columns = image.shape[:2]
    cut = np.zeros((len(boxes_N4), side, side, 3), np.uint8)
    for index, (x0, y0, x1, _) in enumerate(np.round(boxes_N4).astype(int)):
        size = max(1, x1 - x0)
        left, top, right, bottom = max(x0, 0), max(y0, 0), min(x0 + size, columns), min(y0 + size, rows)
        if right <= left or bottom <= top:
            continue
        square = np.zeros((size, size, 3), np.uint8)
        square[top - y0 : bottom - y0, left - x0 : right - x0] = image[top:bottom, left:right]
        cut[index] = cv2.resize(square, (side, side), interpolation=cv2.INTER_AREA)
    return _normal(cut)


def _normal(pictures_NYXC: np.ndarray) -> np.ndarray:
    return ((pictures_NYXC.astype(np.float32) - 127.5) / 128).transpose(0, 3, 1, 2)


def _corrected(boxes_N4: np.ndarray, offsets_N4: np.ndarray) -> np.ndarray:
    sides = np.tile(boxes_N4[:, 2:] - boxes_N4[:, :2], 2)
    return boxes_N4 + offsets_N4 * sides


def _squared(boxes_N4: np.ndarray) -> np.ndarray:
    centre = (boxes_N4[:, :2] + boxes_N4[:, 2:]) / 2
    half = (boxes_N4[:, 2:] - boxes_N4[:, :2]).max(axis=1, keepdims=True) / 2
    return np.hstack([centre - half, centre + half])


def _distinct(boxes_N4: np.ndarray, scores_N: np.ndarray, overlap: float) -> np.ndarray:
    """Return the indices of boxes that no better box overlaps by more than `overlap` (IoU), best first."""
    import cv2

    if not len(boxes_N4):
        return np.zeros(0, int)
    sized = np.hstack([boxes_N4[:, :2], boxes_N4[:, 2:] - boxes_N4[:, :2]]).astype(np.float64)
    return np.asarray(
        cv2.dnn.NMSBoxes(sized.tolist(), scores_N.astype(float).tolist(), 0.0, overlap), dtype=int
    )


@cache
def _session(stage: str) -> InferenceSession:
    return open_session(weights(f"mtcnn-{stage}net"))
