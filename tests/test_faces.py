"""Faces in real films are found and followed; texture is not a face."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from vidence.catalogue import weights
from vidence.media import Frame, open_media
from vidence.senses.faces import Faces, detect
from vidence.senses.observation import Observation
from vidence.timeline import Span


@pytest.fixture(scope="module")
def driver() -> np.ndarray:
    """A man at the wheel, out of a real film of 176 × 144."""
    with open_media(weights("demo-carphone")) as media:
        return media.frames_at([Fraction(1)])[0].image


def watch(pictures: list[np.ndarray], segment: Span) -> list[Observation]:
    watcher = Faces().watch(None, segment)  # type: ignore[arg-type]  # the pictures are all it looks at
    for number, picture in enumerate(pictures):
        watcher.see(Frame(segment.start + number, Fraction(1), picture))
    return watcher.finish()


def test_the_face_is_found_where_it_is_at_any_size(driver: np.ndarray) -> None:
    import cv2

    for scale in (1, 3, 20):
        large = cv2.resize(driver, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)
        (face,) = detect(large)
        x, y = face.box.centre
        assert 0.3 < x < 0.6
        assert 0.25 < y < 0.65
        assert 0.3 < face.box.h < 0.6


def test_an_upside_down_picture_and_textures_hold_no_face(driver: np.ndarray) -> None:
    rng = np.random.default_rng(1)
    noise = rng.integers(0, 256, (300, 400, 3), np.uint8)
    board = np.kron(np.indices((20, 27)).sum(0) % 2 * 255, np.ones((15, 15))).astype(np.uint8)
    for picture in (driver[::-1], noise, np.stack([board] * 3, -1), np.zeros((90, 160, 3), np.uint8)):
        assert detect(np.ascontiguousarray(picture)) == []


def test_a_picture_smaller_than_a_face_is_no_error() -> None:
    assert detect(np.zeros((4, 3, 3), np.uint8)) == []


def test_a_face_is_one_observation_for_as_long_as_it_is_seen(driver: np.ndarray) -> None:
    empty = np.full_like(driver, 90)
    (face,) = watch([empty, driver, driver, driver, driver, empty], Span.of(60, 66))
    assert face.text == "face"
    assert face.span == Span.of(61, 65)
    assert face.confidence > 0.8
    assert face.data["detections"] == 4
    assert 0.3 < face.data["height"] < 0.6


def test_one_look_alone_proves_nothing(driver: np.ndarray) -> None:
    empty = np.full_like(driver, 90)
    assert watch([empty, driver, empty, empty], Span.of(0, 4)) == []


def test_a_segment_boundary_does_not_make_two_of_one(driver: np.ndarray) -> None:
    (left,), (right,) = watch([driver] * 3, Span.of(0, 3)), watch([driver] * 3, Span.of(3, 6))
    joined = Faces().join(left, right)
    assert joined is not None
    assert joined.span == Span.of(0, 6)
    assert joined.data["detections"] == 6
