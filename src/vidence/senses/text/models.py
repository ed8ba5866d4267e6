"""The two networks of the text reader: one finds lines of writing, one spells a line.

PP-OCRv6 small (PaddleOCR, Apache-2.0; the package `rapidocr` carries it): a detector that paints text lines
(differentiable binarisation, Liao et al. 2020, arXiv 1911.08947) and a recogniser trained with CTC. The recogniser
spells Chinese, Japanese and every language in Latin letters; of Greek the letters used as symbols; no Cyrillic,
Arabic, Hebrew, Thai or Korean.

Shapes: H, W picture; N lines; T steps of the recogniser; C characters.
"""

from __future__ import annotations

import itertools
import threading
from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING

import cv2
import numpy as np

from vidence.catalogue import weights
from vidence.senses.runtime import open_session

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

    from vidence.media.frame import Image

DETECTOR, RECOGNISER = "ppocr-v6-small-det", "ppocr-v6-small-rec"  # names in the catalogue

LINE_HEIGHT_PX = 48  # what the recogniser reads
MIN_LINE_WIDTH_PX = 96  # padding short lines to the 320 of training reads no better and costs twice the time
BATCH_PX = LINE_HEIGHT_PX * 800  # larger batches gain nothing on a CPU and cost memory
CORE, BELIEVED, WIDEN = 0.3, 0.5, 1.6  # see `quads_of`
SPACE, SPACE_BEFORE_CAPITAL = 0.05, 0.025  # see `decode`

_lock = threading.Lock()


@cache
def _detector() -> InferenceSession:
    return open_session(weights(DETECTOR), varied=True)


@cache
def _recogniser() -> tuple[InferenceSession, list[str]]:
    session = open_session(weights(RECOGNISER), varied=True)
    characters = session.get_modelmeta().custom_metadata_map["character"].splitlines()
    return session, ["", *characters, " "]


def detect(image: Image, scale: float = 1.0) -> list[np.ndarray]:
    """Find lines of writing in an RGB picture, looked at with `scale` times its resolution.

    Returns quads in pixels of `image`, each float32 of shape (4, 2), in no order.
    """
    height, width = image.shape[:2]
    size = [max(32, round(side * scale / 32) * 32) for side in (width, height)]
    shrink = size[0] < width
    small = cv2.resize(image, size, interpolation=cv2.INTER_AREA if shrink else cv2.INTER_CUBIC)
    pixels_1CHW = small[..., ::-1].astype(np.float32).transpose(2, 0, 1)[None] / 127.5 - 1
    with _lock:
        session = _detector()
    probability_HW = np.asarray(session.run(None, {"x": np.ascontiguousarray(pixels_1CHW)})[0])[0, 0]
    stretch = np.array([width / size[0], height / size[1]], np.float32)
    return [quad * stretch for quad in quads_of(probability_HW)]


def quads_of(probability_HW: np.ndarray) -> list[np.ndarray]:
    """Turn the detector's map into quads in its own pixels, corners clockwise along the writing.

    The map paints the core of each line; a rectangle around it is widened by area x 1.6 / perimeter on each side
    (section 3.4 of the paper). `rapidocr` does the same, but importing it costs 1.3 CPU seconds.
    """
    painted = cv2.dilate((probability_HW > CORE).astype(np.uint8), np.ones((2, 2), np.uint8))
    contours, _ = cv2.findContours(painted, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    quads = []
    for contour in contours:
        centre, (w, h), angle = cv2.minAreaRect(contour)
        if min(w, h) < 3 or _mean_inside(probability_HW, cv2.boxPoints((centre, (w, h), angle))) < BELIEVED:
            continue
        margin = 2 * w * h * WIDEN / (2 * (w + h))
        quads.append(_clockwise(cv2.boxPoints((centre, (w + margin, h + margin), angle))))
    return quads


def _mean_inside(probability_HW: np.ndarray, corners: np.ndarray) -> float:
    left, top, width, height = cv2.boundingRect(corners.astype(np.int32))
    left, top = max(left, 0), max(top, 0)
    part = probability_HW[top : top + height, left : left + width]
    inside = cv2.fillPoly(np.zeros(part.shape, np.uint8), [(corners - (left, top)).astype(np.int32)], [1])
    return float(cv2.mean(part, inside)[0])


def _clockwise(corners: np.ndarray) -> np.ndarray:
    """Order corners: top left, top right, bottom right, bottom left of the writing."""
    by_x = corners[np.argsort(corners[:, 0], kind="stable")]
    (top_left, bottom_left), (top_right, bottom_right) = (
        pair[np.argsort(pair[:, 1], kind="stable")] for pair in (by_x[:2], by_x[2:])
    )
    return np.stack([top_left, top_right, bottom_right, bottom_left]).astype(np.float32)


def crop(image: Image, quad: np.ndarray) -> Image:
    """Cut a line out of a picture and turn it upright; shape (line height, line length, 3)."""
    width = max(np.linalg.norm(quad[0] - quad[1]), np.linalg.norm(quad[3] - quad[2]), 1)
    height = max(np.linalg.norm(quad[0] - quad[3]), np.linalg.norm(quad[1] - quad[2]), 1)
    size = round(float(width)), round(float(height))
    target = np.array([[0, 0], [size[0], 0], size, [0, size[1]]], np.float32)
    turn = cv2.getPerspectiveTransform(quad.astype(np.float32), target)
    cut = cv2.warpPerspective(image, turn, size, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    return np.rot90(cut) if size[1] >= 1.5 * size[0] else cut


def spell(crops: Sequence[Image]) -> list[tuple[str, float]]:
    """Read lines cut out by `crop`; returns (text, confidence) in the same order."""
    with _lock:
        session, characters = _recogniser()
    readings: list[tuple[str, float]] = [("", 0.0)] * len(crops)
    for width, members in _batches([_line_width(cut) for cut in crops]):
        pixels_NCHW = np.concatenate([_line_pixels(crops[n], width) for n in members])
        scores_NTC = np.asarray(session.run(None, {"x": pixels_NCHW})[0])
        for n, scores_TC in zip(members, scores_NTC, strict=True):
            readings[n] = decode(scores_TC, characters)
    return readings


def _line_width(cut: Image) -> int:
    return max(1, -(-cut.shape[1] * LINE_HEIGHT_PX // cut.shape[0]))


def _batches(widths: Sequence[int]) -> list[tuple[int, list[int]]]:
    batches: list[tuple[int, list[int]]] = []
    for n in sorted(range(len(widths)), key=widths.__getitem__):
        width = max(widths[n], MIN_LINE_WIDTH_PX)
        if batches and (len(batches[-1][1]) + 1) * width * LINE_HEIGHT_PX <= BATCH_PX:
            batches[-1] = (width, [*batches[-1][1], n])
        else:
            batches.append((width, [n]))
    return batches


def _line_pixels(cut: Image, width: int) -> np.ndarray:
    own = min(width, _line_width(cut))
    line = cv2.resize(np.ascontiguousarray(cut[..., ::-1]), (own, LINE_HEIGHT_PX))
    padded = np.zeros((1, 3, LINE_HEIGHT_PX, width), np.float32)
    padded[0, :, :, :own] = line.astype(np.float32).transpose(2, 0, 1) / 127.5 - 1
    return padded


def decode(scores_TC: np.ndarray, characters: list[str]) -> tuple[str, float]:
    """Turn the recogniser's scores into text: the best character of each step, repeats and blanks dropped.

    A space that the recogniser holds possible (0.05) between two characters is written, too: it drops 4.7 % of the
    spaces of rendered English when only the best counts, 1.2 % so, at the price of one false space in 800 gaps.
    Before a capital in the middle of a word half of that will do: rendered names such as PowerPoint stay below 0.021.
    """
    best = scores_TC.argmax(axis=1)
    keep = np.flatnonzero((best != 0) & np.concatenate([[True], best[1:] != best[:-1]]))
    if not keep.size:
        return "", 0.0
    space = len(characters) - 1
    text = [characters[best[keep[0]]]]
    for before, step in itertools.pairwise(keep):
        left, right = characters[best[before]], characters[best[step]]
        least = SPACE_BEFORE_CAPITAL if left.islower() and right.isupper() else SPACE
        if " " not in (left, right) and scores_TC[before + 1 : step, space].max(initial=0.0) > least:
            text.append(" ")
        text.append(characters[best[step]])
    return " ".join("".join(text).split()), float(scores_TC[keep, best[keep]].mean())
