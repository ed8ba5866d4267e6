"""Colours are named as people name them, small vivid things are found, and stretches of light are told apart."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from vidence.errors import UsageError
from vidence.media import Frame
from vidence.senses.colour import Colour, colours_of, find_colour, likeness, name_colours, salient_colours
from vidence.senses.observation import Box, Observation
from vidence.timeline import Span

PATCHES = [
    ("black", (12, 12, 14)), ("white", (250, 250, 248)), ("grey", (128, 128, 128)), ("grey", (90, 96, 100)),
    ("red", (200, 20, 30)), ("red", (140, 10, 15)), ("orange", (255, 140, 0)), ("yellow", (250, 230, 20)),
    ("yellow", (205, 190, 70)), ("green", (30, 140, 40)), ("green", (70, 90, 30)), ("cyan", (60, 220, 230)),
    ("cyan", (138, 226, 229)), ("blue", (20, 40, 200)), ("blue", (15, 25, 80)), ("blue", (70, 120, 200)),
    ("purple", (120, 30, 150)), ("pink", (255, 170, 190)), ("pink", (250, 80, 170)), ("brown", (110, 65, 30)),
    ("brown", (165, 120, 85)), ("pink", (245, 200, 180)), ("black", (22, 20, 30)),
]  # fmt: skip


@pytest.mark.parametrize(("name", "rgb"), PATCHES)
def test_a_patch_bears_its_everyday_name(name: str, rgb: tuple[int, int, int]) -> None:
    assert name_colours(np.full((7, 3), rgb, np.uint8)) == [(name, 1.0)]


def test_every_grey_is_colourless_and_the_scale_runs_from_black_to_white() -> None:
    order = [name_colours(np.full((1, 3), level, np.uint8))[0][0] for level in range(256)]
    assert set(order) == {"black", "grey", "white"}
    assert [n for i, n in enumerate(order) if i == 0 or order[i - 1] != n] == ["black", "grey", "white"]


def test_shares_sum_to_one_and_the_greatest_comes_first() -> None:
    pixels = np.array([[200, 20, 30]] * 6 + [[20, 40, 200]] * 3 + [[30, 140, 40]], np.uint8)
    assert name_colours(pixels) == [("red", 0.6), ("blue", 0.3), ("green", 0.1)]
    assert name_colours(np.zeros((0, 3), np.uint8)) == []


def test_likeness_lets_a_red_thing_shine_pink() -> None:
    car = [("pink", 0.6), ("grey", 0.2), ("red", 0.2)]
    assert likeness("red", car) > max(likeness(other, car) for other in ("blue", "white", "black", "yellow"))
    assert likeness("blue", [("blue", 1.0)]) == 1.0


def scene() -> np.ndarray:
    """A grey road with texture, a small yellow ball and a large green lawn."""
    rng = np.random.default_rng(1)
    image = rng.normal(120, 8, (180, 320, 1)).repeat(3, axis=2).clip(0, 255).astype(np.uint8)
    image[120:] = (60, 130, 50)
    rows, columns = np.ogrid[:180, :320]
    image[(rows - 60) ** 2 + (columns - 100) ** 2 <= 6**2] = (240, 220, 30)
    return image


def test_a_small_vivid_ball_is_found_where_the_histogram_drowns_it() -> None:
    image = scene()
    assert dict(name_colours(image.reshape(-1, 3))).get("yellow", 0) < 0.003
    ball = salient_colours(image)[0]
    assert ball.name == "yellow"
    assert ball.box.centre == pytest.approx((100 / 320, 60 / 180), abs=0.01)
    assert find_colour(image, "yellow")[0] == ball
    assert find_colour(image, "red") == []
    assert find_colour(image, "green")[0].share == pytest.approx(1 / 3, abs=0.02)


def test_a_colour_without_a_name_is_refused() -> None:
    with pytest.raises(UsageError, match="mauve"):
        find_colour(scene(), "mauve")


def test_the_thing_in_a_box_is_named_not_its_background() -> None:
    image = scene()
    box = Box(88 / 320, 48 / 180, 24 / 320, 24 / 180)  # the ball fills a fifth of it
    assert colours_of(image, box)[0][0] == "yellow"
    mask = np.zeros(image.shape[:2], bool)
    mask[130:, :] = True
    assert colours_of(image, mask) == [("green", 1.0)]
    assert colours_of(image, np.zeros(image.shape[:2], bool)) == []
    assert colours_of(image, Box(1.0, 1.0, 0.0, 0.0)) == []


def watch(images: list[np.ndarray], rate_hz: int = 2, start: int = 0) -> list[Observation]:
    """Show pictures to the sense at its rate."""
    step, begin = Fraction(1, rate_hz), Fraction(start)
    span = Span(begin, begin + len(images) * step)
    watcher = Colour().watch(None, span)  # type: ignore[arg-type]
    for index, image in enumerate(images):
        watcher.see(Frame(begin + index * step, step, image))
    return watcher.finish()


def textured(rgb: tuple[int, int, int], seed: int) -> np.ndarray:
    noise = np.random.default_rng(seed).normal(0, 12, (36, 64, 1))
    return (np.array(rgb) + noise).clip(0, 255).astype(np.uint8)


def test_a_cut_splits_stretches_that_cover_the_segment() -> None:
    lawn, sky = textured((60, 130, 50), 0), textured((70, 120, 210), 1)
    found = watch([lawn] * 6 + [sky] * 8)
    assert [o.span for o in found] == [Span.of(0, 3), Span.of(3, 7)]
    assert [o.data["colours"][0][0] for o in found] == ["green", "blue"]
    assert "green" in found[0].text
    assert found[0].data["regions"] == [["green"] * 3] * 3


def test_black_and_white_film_is_told_from_a_grey_scene_with_one_coloured_thing() -> None:
    film = [textured((110, 110, 110), seed) for seed in range(10)]
    assert watch(film)[0].data["monochrome"] is True
    assert watch(film)[0].text.startswith("black and white")
    road = [image.copy() for image in film]
    for image in road[4:7]:
        image[10:14, 20:26] = (200, 20, 30)
    assert {o.data["monochrome"] for o in watch(road)} == {False}


def test_sepia_is_one_colour_with_its_tint() -> None:
    grey = np.random.default_rng(3).integers(30, 230, (36, 64, 1)) / 255
    sepia = (grey * np.array([255, 225, 180])).astype(np.uint8)
    found = watch([sepia] * 8)
    assert found[0].data["monochrome"] is True
    assert found[0].data["tint"] == "brown"


def test_brightness_and_saturation_follow_the_light() -> None:
    dark, bright = watch([textured((25, 25, 28), 0)] * 2)[0], watch([textured((235, 235, 230), 0)] * 2)[0]
    assert dark.data["brightness"] < 0.3
    assert "dark" in dark.text
    assert bright.data["brightness"] > 0.85
    assert "bright" in bright.text
    assert watch([textured((220, 20, 30), 0)] * 2)[0].data["saturation"] > 0.7 > bright.data["saturation"]


def test_a_stretch_cut_by_a_segment_boundary_becomes_one_again() -> None:
    lawn, sky = textured((60, 130, 50), 0), textured((70, 120, 210), 1)
    left, right, other = watch([lawn] * 8)[0], watch([lawn] * 4, start=4)[0], watch([sky] * 4, start=4)[0]
    joined = Colour().join(left, right)
    assert joined is not None
    assert joined.span == Span.of(0, 6)
    assert joined.data["colours"][0][0] == "green"
    assert Colour().join(left, other) is None
