"""Text through time: one sign is one observation, with the span in which it is on screen."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from conftest import MakeVideo
from vidence.media import open_media
from vidence.senses.observation import Observation
from vidence.senses.text import Text
from vidence.senses.text.gate import BUCKET_MPX, FLOW_MPX, Gate
from vidence.senses.text.tracking import same_text
from vidence.timeline import Span

FPS = 10
SIZE = (640, 360)
LOOK = 0.5  # seconds between two looks
rng = np.random.default_rng(1)
TEXTURE = np.asarray(
    Image.fromarray(rng.integers(40, 200, (90, 240, 3), np.uint8)).resize(
        (960, 360), Image.Resampling.BICUBIC
    )
)


def film(
    *signs: tuple[float, float, str, tuple[int, int]], moving: bool = False
) -> Callable[[int], np.ndarray]:
    """Paint signs (from, until, words, place) over grey, or over a texture that slides by."""

    def paint(number: int) -> np.ndarray:
        slide = number * 3 % 320
        ground = TEXTURE[:, slide : slide + 640] if moving else np.full((360, 640, 3), 70, np.uint8)
        picture = Image.fromarray(np.ascontiguousarray(ground))
        for start, end, words, place in signs:
            if start <= number / FPS < end:
                font = ImageFont.load_default(32)
                ImageDraw.Draw(picture).text(
                    place, words, "white", font=font, stroke_width=2, stroke_fill="black"
                )
        return np.asarray(picture)

    return paint


def watch(path, segment: Span | None = None) -> list[Observation]:
    sense = Text()
    with open_media(path) as media:
        segment = segment or media.info.span
        watcher = sense.watch(media, segment)
        for frame in media.frames(segment, rate_hz=sense.sampling.rate_hz, max_side=sense.sampling.max_side):
            watcher.see(frame)
        return watcher.finish()


def lines(seen: list[Observation]) -> list[tuple[str, float, float]]:
    kept = [each for each in seen if each.data["kind"] == "line"]
    return [(each.text, float(each.span.start), float(each.span.end)) for each in kept]


@pytest.mark.parametrize("moving", [False, True], ids=["still ground", "moving ground"])
def test_a_sign_is_one_observation_with_its_span(make_video: MakeVideo, moving: bool):
    paint = film(
        (2.0, 6.0, "Welcome to Oslo", (150, 100)), (4.0, 8.0, "Platform 9", (200, 250)), moving=moving
    )
    seen = lines(watch(make_video("signs.mp4", size=SIZE, fps=FPS, frames=100, paint=paint)))
    assert [words for words, _, _ in seen] == ["Welcome to Oslo", "Platform 9"]
    for (_, start, end), (true_start, true_end) in zip(seen, [(2, 6), (4, 8)], strict=True):
        assert start == pytest.approx(true_start, abs=LOOK)
        assert end == pytest.approx(true_end, abs=LOOK)


def test_a_sign_that_moves_is_followed(make_video: MakeVideo):
    def paint(number: int) -> np.ndarray:
        return film((0.0, 9.0, "Ferry", (20 + 4 * number, 160)))(number)

    seen = watch(make_video("moves.mp4", size=SIZE, fps=FPS, frames=80, paint=paint))
    assert lines(seen) == [("Ferry", 0.0, 8.0)]
    (first, *_, last) = seen[0].track
    assert last[1].x - first[1].x == pytest.approx(4 * 75 / 640, abs=0.02)  # the last look is at 7.5 s


def test_changed_digits_are_another_sign(make_video: MakeVideo):
    paint = film((0, 3, "Gate 12", (200, 100)), (3, 6, "Gate 17", (200, 100)))
    seen = lines(watch(make_video("gates.mp4", size=SIZE, fps=FPS, frames=60, paint=paint)))
    assert seen == [("Gate 12", 0.0, 3.0), ("Gate 17", 3.0, 6.0)]


def test_words_that_grow_while_typed_end_as_one_line(make_video: MakeVideo):
    words = "search the archive"
    steps = [(n * 0.5, n * 0.5 + 0.5, words[: 6 + 2 * n], (60, 100)) for n in range(6)]
    paint = film(*steps, (3.0, 6.0, words, (60, 100)))
    seen = lines(watch(make_video("typed.mp4", size=SIZE, fps=FPS, frames=60, paint=paint)))
    assert [line[0] for line in seen] == [words]
    assert seen[0][1] <= 0.5
    assert seen[0][2] == 6.0


def test_a_title_over_two_lines_is_also_one_block(make_video: MakeVideo):
    paint = film((1, 4, "A Journey to", (200, 120)), (1, 4, "the North", (225, 160)))
    seen = watch(make_video("title.mp4", size=SIZE, fps=FPS, frames=50, paint=paint))
    (block,) = [each for each in seen if each.data["kind"] == "block"]
    assert block.text == "A Journey to the North"
    assert block.data["lines"] == ["A Journey to", "the North"]
    assert block.data["colour"] == "white"
    assert 0.05 < block.data["height"] < 0.2


def test_a_sign_cut_by_a_segment_boundary_joins_to_one(make_video: MakeVideo):
    path = make_video(
        "cut.mp4", size=SIZE, fps=FPS, frames=80, paint=film((1, 7, "Harbour Road", (150, 100)))
    )
    left = watch(path, Span.of(0, 4))
    right = watch(path, Span.of(4, 8))
    joined = Text().join(left[0], right[0])
    assert joined is not None
    assert lines([joined]) == [("Harbour Road", 1.0, 7.0)]
    assert lines([joined]) == lines(watch(path))


def test_different_signs_at_a_boundary_do_not_join(make_video: MakeVideo):
    paint = film((0, 4, "Gate 12", (200, 100)), (4, 8, "Gate 17", (200, 100)))
    path = make_video("two.mp4", size=SIZE, fps=FPS, frames=80, paint=paint)
    left, right = watch(path, Span.of(0, 4)), watch(path, Span.of(4, 8))
    assert Text().join(left[0], right[0]) is None


def test_the_same_segment_gives_the_same_observations_twice(make_video: MakeVideo):
    path = make_video(
        "twice.mp4", size=SIZE, fps=FPS, frames=40, paint=film((0, 3, "Again", (90, 90)), moving=True)
    )
    assert lines(watch(path)) == lines(watch(path))


@pytest.mark.parametrize(
    ("a", "b", "same"),
    [
        ("Mirror displays", "Mirror dispiays", True),
        ("BigBuck", "Big Buck", True),
        ("12:30", "12:31", False),
        ("Open", "Open file", True),
        ("Apply", "Laptop", False),
    ],
)
def test_which_readings_may_be_of_one_line(a: str, b: str, same: bool):
    assert same_text(a, b) is same


def test_nothing_is_read_twice_while_nothing_changes():
    gate, grey = Gate(), np.asarray(Image.fromarray(TEXTURE).convert("L"))
    errands = [gate.errand(grey, Fraction(n, 2)) for n in range(20)]
    assert errands[0] is not None
    assert not any(errands[1:])


def test_only_the_changed_part_is_read():
    gate, grey = Gate(), np.full((360, 640), 80, np.uint8)
    gate.errand(grey, Fraction(0))
    grey = grey.copy()
    grey[200:230, 400:500] = 200
    assert gate.errand(grey, Fraction(1, 2)) is None  # it may still be changing
    errand = gate.errand(grey, Fraction(1))
    assert errand is not None
    assert errand.region.x < 400 / 640 < 500 / 640 < errand.region.x + errand.region.w
    assert errand.region.area < 0.15


def test_reading_never_spends_more_than_the_bucket():
    gate, spent = Gate(), 0.0
    for n in range(240):
        grey = rng.integers(0, 255, (720, 1280), np.uint8) // 2 + np.uint8(n % 3 * 40)
        if (errand := gate.errand(grey, Fraction(n, 2))) is not None:
            spent += errand.region.area * 0.9216 * errand.scale**2
    assert 10 < spent <= BUCKET_MPX + FLOW_MPX * 120  # two minutes in which no writing was found


def test_finding_writing_at_most_doubles_what_may_be_spent():
    gate, spent = Gate(), 0.0
    for n in range(240):
        grey = rng.integers(0, 255, (720, 1280), np.uint8) // 2 + np.uint8(n % 3 * 40)
        if (errand := gate.errand(grey, Fraction(n, 2))) is not None:
            spent += errand.region.area * 0.9216 * errand.scale**2
            gate.refund()
    assert BUCKET_MPX + FLOW_MPX * 120 < spent <= 2 * (BUCKET_MPX + FLOW_MPX * 120)


def test_what_was_read_coarsely_is_read_finely_once_it_rests():
    gate, still = Gate(), rng.integers(0, 255, (720, 1280), np.uint8)
    for n in range(24):  # a lively stretch empties the bucket
        gate.errand(rng.integers(0, 255, (720, 1280), np.uint8), Fraction(n, 2))
    errands = [gate.errand(still, Fraction(n, 2)) for n in range(24, 80)]
    found = [errand for errand in errands if errand is not None]
    assert found[0].scale < 1
    assert all(errand.scale == 1 for errand in found[1:])
    assert sum(errand.region.area for errand in found[1:]) >= 0.95
