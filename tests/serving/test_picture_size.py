"""The size of a picture is read from its head, of whatever kind, and nothing is decoded for it."""

from __future__ import annotations

import struct

import cv2
import numpy as np
import pytest

from vidence.serving.picture_size import picture_size


@pytest.mark.parametrize("kind", [".png", ".jpg", ".webp", ".bmp", ".gif"])
@pytest.mark.parametrize("size", [(1, 1), (7, 300), (640, 480)])
def test_it_is_what_decoding_finds(kind: str, size: tuple[int, int]) -> None:
    done, data = cv2.imencode(kind, np.full((size[1], size[0], 3), 90, np.uint8))
    assert done
    assert picture_size(data.tobytes()) == size


@pytest.mark.parametrize("quality", [60, 101])
def test_webp_with_and_without_loss(quality: int) -> None:
    _, data = cv2.imencode(".webp", np.zeros((33, 44, 3), np.uint8), [cv2.IMWRITE_WEBP_QUALITY, quality])
    assert picture_size(data.tobytes()) == (44, 33)


def test_a_bomb_is_known_by_its_head() -> None:
    head = b"\x89PNG\r\n\x1a\n" + struct.pack(">I4sII", 13, b"IHDR", 100_000, 100_000)
    assert picture_size(head) == (100_000, 100_000)


@pytest.mark.parametrize(
    "data", [b"", b"\xff\xd8", b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"RIFF\0\0\0\0WEBPVP8 ", b"text" * 9]
)
def test_what_is_no_picture_has_none(data: bytes) -> None:
    assert picture_size(data) is None
