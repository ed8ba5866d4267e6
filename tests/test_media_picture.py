"""Pictures are upright, square-pixelled, opaque, progressive and 8-bit, whatever the file holds."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from conftest import MakeVideo, number_picture, read_number
from vidence.media import open_media
from vidence.media.info import VideoStream
from vidence.media.media import Media
from vidence.media.picture import View, on_white
from vidence.media.tone import PQ, to_sdr

RED, GREEN, BLUE, YELLOW = (200, 30, 30), (30, 200, 30), (30, 30, 200), (200, 200, 30)


def quarters(_: int) -> np.ndarray:
    """Red, green / blue, yellow."""
    pixels = np.zeros((120, 160, 3), np.uint8)
    pixels[:60, :80], pixels[:60, 80:], pixels[60:, :80], pixels[60:, 80:] = RED, GREEN, BLUE, YELLOW
    return pixels


def corners(image: np.ndarray) -> list[tuple[int, int, int]]:
    """Name the colour of each quarter: top left, top right, bottom left, bottom right."""
    h, w = image.shape[:2]
    seen = [image[y, x].astype(int) for y in (h // 4, 3 * h // 4) for x in (w // 4, 3 * w // 4)]
    return [min((RED, GREEN, BLUE, YELLOW), key=lambda c: int(np.abs(pixel - c).sum())) for pixel in seen]


def stream(media: Media) -> VideoStream:
    assert media.info.video is not None
    return media.info.video


@pytest.mark.parametrize(
    ("rotation", "mirror", "expected"),
    [
        (0, False, [RED, GREEN, BLUE, YELLOW]),
        (90, False, [BLUE, RED, YELLOW, GREEN]),
        (180, False, [YELLOW, BLUE, GREEN, RED]),
        (270, False, [GREEN, YELLOW, RED, BLUE]),
        (0, True, [GREEN, RED, YELLOW, BLUE]),
        (180, True, [BLUE, YELLOW, RED, GREEN]),
    ],
)
def test_display_matrix_is_applied(
    make_video: MakeVideo, rotation: int, mirror: bool, expected: list
) -> None:
    media = open_media(make_video("r.mp4", frames=2, rotation=rotation, mirror=mirror, paint=quarters))
    image = media.frames_at([Fraction(0)])[0].image
    assert corners(image) == expected
    assert stream(media).rotation == rotation
    assert image.shape[:2] == (stream(media).height, stream(media).width)
    assert image.flags["C_CONTIGUOUS"]


def test_all_eight_views_have_their_rotation() -> None:
    turned = {
        View(1, 1, t, x, y).rotation for t in (False, True) for x in (False, True) for y in (False, True)
    }
    assert turned == {0, 90, 180, 270}


def test_rotated_pictures_are_bounded_on_the_right_side(make_video: MakeVideo) -> None:
    media = open_media(make_video("r.mp4", frames=2, rotation=90, size=(320, 160)))
    assert media.frames_at([Fraction(0)], max_side=80)[0].image.shape == (80, 40, 3)


@pytest.mark.parametrize(("sar", "size"), [(Fraction(16, 11), (233, 120)), (Fraction(1, 2), (160, 240))])
def test_pixels_are_made_square(make_video: MakeVideo, sar: Fraction, size: tuple[int, int]) -> None:
    media = open_media(make_video("s.mp4", frames=2, sar=sar))
    assert (stream(media).width, stream(media).height) == size
    image = media.frames_at([Fraction(0)])[0].image
    assert image.shape == (size[1], size[0], 3)


def test_interlaced_pictures_have_no_comb_and_keep_their_time(make_video: MakeVideo) -> None:
    def moving(n: int) -> np.ndarray:
        pixels = np.full((240, 320, 3), 40, np.uint8)
        pixels[0::2, 20 + 8 * n : 60 + 8 * n] = pixels[1::2, 24 + 8 * n : 64 + 8 * n] = 220
        return pixels

    path = make_video(
        "i.mp4", size=(320, 240), frames=10, interlaced=True, paint=moving, options={"crf": "5"}
    )
    media = open_media(path)
    assert stream(media).interlaced
    frame = media.frames_at([Fraction(1, 5)])[0]
    assert frame.time == Fraction(1, 5)
    assert np.abs(np.diff(frame.image[..., 0].astype(int), axis=0)).mean() < 0.1
    assert np.abs(np.diff(moving(5)[..., 0].astype(int), axis=0)).mean() > 4  # the comb is in the file


@pytest.mark.parametrize(("codec", "name"), [("qtrle", "a.mov"), ("png", "b.mov")])
def test_transparent_pictures_are_laid_on_white(make_video: MakeVideo, codec: str, name: str) -> None:
    def glass(n: int) -> np.ndarray:
        return np.dstack([number_picture(0, 160, 120), np.full((120, 160), (255, 0, 128)[n], np.uint8)])

    pixel_format = "argb" if codec == "qtrle" else "rgba"
    media = open_media(make_video(name, codec=codec, pixel_format=pixel_format, frames=3, paint=glass))
    assert stream(media).alpha
    levels = [int(frame.image.mean()) for frame in media.frames()]
    assert levels == pytest.approx([28, 255, 141], abs=1)


def test_on_white_is_exact_at_the_ends() -> None:
    rgba = np.array([[[10, 20, 30, 0], [10, 20, 30, 255]]], np.uint8)
    assert on_white(rgba).tolist() == [[[255, 255, 255], [10, 20, 30]]]


@pytest.mark.parametrize(
    ("codec", "pixel_format"),
    [
        ("libx265", "yuv420p10le"),
        ("ffv1", "yuv444p16le"),
        ("prores_ks", "yuv422p10le"),
    ],
)
def test_deep_colour_becomes_eight_bit(make_video: MakeVideo, codec: str, pixel_format: str) -> None:
    quiet = {"libx265": {"x265-params": "log-level=none"}}.get(codec, {})
    media = open_media(make_video("d.mkv", codec=codec, pixel_format=pixel_format, frames=4, options=quiet))
    assert stream(media).bit_depth > 8
    images = [frame.image for frame in media.frames()]
    assert [read_number(image) for image in images] == [0, 1, 2, 3]
    assert images[0].dtype == np.uint8
    assert int(images[0].mean()) == pytest.approx(28, abs=4)


def test_high_dynamic_range_is_brought_down(make_video: MakeVideo) -> None:
    grey = np.full((120, 160, 3), 148, np.uint8)  # PQ code 0.58 is 203 cd/m2, reference white
    tags = {"color_trc": PQ, "color_primaries": 9, "colorspace": 9, "color_range": 1}
    path = make_video(
        "h.mkv", codec="ffv1", pixel_format="yuv420p10le", frames=1, paint=lambda _: grey, colour=tags
    )
    level = int(open_media(path).frames_at([Fraction(0)])[0].image.mean())
    assert 195 <= level <= 245  # read without its curve it would be a dull 148


def test_tone_curve_rises_and_stays_grey() -> None:
    ramp = np.repeat(np.arange(0, 65536, 64, dtype=np.uint16)[None, :, None], 3, axis=2)
    for curve in (16, 18):
        mapped = to_sdr(ramp, curve, 1)[0].astype(int)
        assert (np.diff(mapped[:, 0]) >= 0).all()
        assert (mapped[:, 0] == mapped[:, 2]).all()
        assert mapped[0, 0] == 0
        assert mapped[-1, 0] >= 230


def test_a_picture_size_that_changes_midway_is_kept_to_one(make_video: MakeVideo) -> None:
    first, second = (
        make_video("1.ts", size=(160, 120), frames=20),
        make_video("2.ts", size=(320, 240), frames=20),
    )
    joined = first.with_name("joined.ts")
    joined.write_bytes(first.read_bytes() + second.read_bytes())
    shapes = {frame.image.shape for frame in open_media(joined).frames()}
    assert shapes == {(120, 160, 3)}
