"""Reading pictures: what is written, where, in which colours."""

from __future__ import annotations

import subprocess
import sys

import cv2
import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from vidence.senses.observation import Box
from vidence.senses.text import read_image
from vidence.senses.text.ink import ink_colours, ink_mask
from vidence.senses.text.line import believable, blocks, box_of, reading_order
from vidence.senses.text.models import crop, decode, detect, quads_of

SENTENCES = (
    "The first race was held near the coast of France.",
    "Nobody knew who had won it until the evening.",
    "A letter from Le Mans arrived on 24 May 1906.",
    "Platform 9: trains to Oslo leave every 30 minutes",
)


def write(
    lines: dict[tuple[int, int], str], size: int, *, ink="white", ground="navy", picture=(1280, 720)
) -> np.ndarray:
    canvas = Image.new("RGB", picture, ground)
    for place, words in lines.items():
        ImageDraw.Draw(canvas).text(place, words, ink, font=ImageFont.load_default(size))
    return np.asarray(canvas)


def edits(a: str, b: str) -> int:
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        before, row[0] = row[:], i
        for j, y in enumerate(b, 1):
            row[j] = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (x != y))
    return row[-1]


@pytest.mark.parametrize(("size", "most"), [(14, 0.02), (20, 0.01), (40, 0.01)])
def test_rendered_sentences_are_read_nearly_without_error(size: int, most: float):
    places = {(40, 60 + 150 * n): words for n, words in enumerate(SENTENCES)}
    read = " ".join(line.text for line in read_image(write(places, size)))
    truth = " ".join(SENTENCES)
    assert edits(truth, read) / len(truth) <= most


def test_a_line_is_found_where_it_was_written():
    (line,) = read_image(write({(640, 360): "Departures"}, 40))
    assert line.text == "Departures"
    assert line.confidence > 0.95
    width = ImageFont.load_default(40).getlength("Departures")
    assert line.box.iou(Box(640 / 1280, 368 / 720, width / 1280, 36 / 720)) > 0.6


def test_stroked_fonts_and_small_pictures_are_read():
    picture = np.full((120, 213, 3), 235, np.uint8)
    cv2.putText(picture, "EXIT 42", (20, 60), cv2.FONT_HERSHEY_SIMPLEX, 0.7, (180, 20, 20), 1, cv2.LINE_AA)
    assert [line.text for line in read_image(picture)] == ["EXIT 42"]


def test_reading_a_region_gives_places_in_the_whole_picture():
    picture = write({(100, 100): "upper left", (700, 600): "lower right"}, 24)
    lines = read_image(picture, Box(0.5, 0.5, 0.5, 0.5))
    assert [line.text for line in lines] == ["lower right"]
    assert 0.5 < lines[0].box.x < 0.6
    assert 0.8 < lines[0].box.centre[1] < 0.9


def test_two_tight_lines_found_as_one_box_are_read_as_two():
    picture = write({(300, 100): "Big Round"}, 150)
    picture = np.maximum(picture, write({(300, 215): "MOON"}, 160))
    assert [line.text for line in read_image(picture)] == ["Big Round", "MOON"]


def test_a_picture_without_writing_gives_none():
    rng = np.random.default_rng(0)
    noise = cv2.GaussianBlur(rng.integers(0, 255, (480, 640, 3), np.uint8), (0, 0), 2)
    assert read_image(noise) == []
    assert read_image(np.full((720, 1280, 3), 90, np.uint8)) == []
    assert read_image(noise, Box(0.5, 0.5, 0.0, 0.0)) == []


@pytest.mark.parametrize("shape", [(1, 1, 3), (3, 900, 3), (900, 2, 3)])
def test_slivers_do_no_harm(shape: tuple[int, int, int]):
    assert read_image(np.zeros(shape, np.uint8)) == []


@pytest.mark.parametrize(
    ("text", "confidence", "keep"),
    [
        ("Exit", 0.75, True),
        ("大", 0.75, False),
        ("OK", 0.99, True),
        ("--", 0.99, False),
        ("abc", 0.75, False),
    ],
)
def test_short_doubtful_readings_are_not_believed(text: str, confidence: float, keep: bool):
    assert believable(text, confidence) is keep


def test_colours_of_ink_and_ground_are_named():
    cut = write({(20, 10): "Warning"}, 40, ink=(220, 20, 20), ground="white", picture=(220, 70))
    assert ink_colours(cut) == ("red", "white")
    cut = write({(20, 10): "Warning"}, 40, ink=(250, 220, 0), ground="black", picture=(220, 70))
    assert ink_colours(cut) == ("yellow", "black")


def test_ink_is_the_part_that_does_not_fill_the_border():
    light_on_dark = ink_mask(write({(20, 10): "H"}, 40, picture=(60, 60)))
    dark_on_light = ink_mask(write({(20, 10): "H"}, 40, ink="black", ground="white", picture=(60, 60)))
    assert 0.02 < light_on_dark.mean() < 0.3
    assert (light_on_dark == dark_on_light).mean() > 0.95


def test_reading_goes_by_rows_then_from_the_left():
    boxes = [Box(0.6, 0.11, 0.2, 0.05), Box(0.1, 0.3, 0.2, 0.05), Box(0.1, 0.1, 0.2, 0.05)]
    assert reading_order(boxes) == [2, 0, 1]


def test_lines_close_under_each_other_form_a_block_and_far_ones_do_not():
    title = [Box(0.3, 0.40, 0.4, 0.06), Box(0.35, 0.48, 0.3, 0.06)]
    assert blocks([*title, Box(0.3, 0.8, 0.4, 0.06), Box(0.75, 0.40, 0.2, 0.06)], 16 / 9) == [[0, 1]]


def test_turned_writing_is_cut_out_upright():
    picture = write({(300, 300): "Turned sign"}, 50, picture=(900, 700))
    turn = cv2.getRotationMatrix2D((450, 350), 20, 1.0)
    turned = cv2.warpAffine(picture, turn, (900, 700), borderValue=(0, 0, 128))
    (quad,) = detect(turned)
    height, width = crop(turned, quad).shape[:2]
    assert width / height > 3  # its upright box would have 2
    assert [line.text for line in read_image(turned)] == ["Turned sign"]


def test_quads_of_a_painted_line_are_wider_than_its_core():
    painted = np.zeros((100, 200), np.float32)
    painted[40:50, 20:120] = 1.0
    (quad,) = quads_of(painted)
    margin = 100 * 10 * 1.6 / (2 * 110)  # the rule of the detector's paper
    assert quad[0] == pytest.approx([20 - margin, 40 - margin], abs=1.5)
    assert quad[2] == pytest.approx([120 + margin, 50 + margin], abs=1.5)


def test_decoding_drops_repeats_and_blanks_and_keeps_a_likely_space():
    alphabet = ["", "a", "b", " "]
    best = np.array([1, 1, 0, 1, 0, 2])
    scores = np.full((6, 4), 0.01, np.float32)
    scores[np.arange(6), best] = 0.97
    assert decode(scores, alphabet)[0] == "aab"
    scores[4, 3] = 0.1  # a space held possible between the last two
    assert decode(scores, alphabet)[0] == "aa b"
    assert decode(np.eye(4, dtype=np.float32)[[0, 0]], alphabet) == ("", 0.0)


def test_box_of_a_quad_stays_inside_the_picture():
    box = box_of(np.array([[-5, -5], [50, -5], [50, 20], [-5, 20]], np.float32), (100, 200))
    assert box == Box(0.0, 0.0, 0.25, 0.2)


def test_importing_the_sense_loads_no_networks():
    heavy = "('rapidocr', 'onnxruntime', 'omegaconf')"
    code = f"import vidence.senses.text, sys; sys.exit(sum(name in sys.modules for name in {heavy}))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
