"""Motion: known camera moves, known movers, known changes, and what must not be taken for them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction

import cv2
import numpy as np
import pytest

from conftest import MakeVideo
from vidence.media import Media, open_media
from vidence.senses.motion import Motion
from vidence.senses.motion.camera import steps_between, stretches, travel
from vidence.senses.observation import Observation
from vidence.timeline import Span, windows

SIZE = (320, 180)
RATE = 10
Draw = Callable[[np.ndarray, int], None]


def texture(width: int, height: int, seed: int = 3) -> np.ndarray:
    """Paint a picture with structure at several sizes."""
    chance = np.random.default_rng(seed)
    total = np.full((height, width, 3), 120.0)
    for cell, level in ((60, 45), (20, 25), (7, 15)):
        patches = chance.normal(0, level, (height // cell + 2, width // cell + 2, 3)).astype(np.float32)
        total += cv2.resize(patches, (width, height), interpolation=cv2.INTER_CUBIC)
    return np.clip(total, 20, 235).astype(np.uint8)


def times(count: int) -> list[Fraction]:
    return [Fraction(k, 5) for k in range(count)]


def pan(count: int, dx: float, dy: float) -> list[np.ndarray]:
    """Move a 320 x 180 window by (dx, dy) px a sample over a large picture, starting in its middle."""
    wide = texture(1200, 900)
    at = [(440 + dx * k, 360 + dy * k) for k in range(count)]
    return [cv2.getRectSubPix(wide, SIZE, (x + SIZE[0] / 2, y + SIZE[1] / 2)) for x, y in at]


def zoom(count: int, per_step: float) -> list[np.ndarray]:
    """Enlarge the middle of a picture by `per_step` each sample (below 1: shrink)."""
    wide = texture(1280, 720)
    pictures = []
    for k in range(count):
        scale = 0.5 * per_step**k
        matrix = np.array([[scale, 0, 160 - 640 * scale], [0, scale, 90 - 360 * scale]])
        pictures.append(
            cv2.warpAffine(wide, matrix, SIZE, flags=cv2.INTER_AREA, borderMode=cv2.BORDER_REFLECT)
        )
    return pictures


@pytest.mark.parametrize(
    ("dx", "dy", "move"), [(4, 0, "pan right"), (-4, 0, "pan left"), (0, 3, "tilt down"), (0, -3, "tilt up")]
)
def test_a_pan_is_named_and_summed(dx: float, dy: float, move: str) -> None:
    steps = steps_between(times(25), pan(25, dx, dy))
    whole = travel(steps)
    assert [part.move for part in stretches(steps)] == [move]
    assert whole.move == move
    assert whole.dx == pytest.approx(24 * dx / 320, abs=0.02)
    assert whole.dy == pytest.approx(24 * dy / 180, abs=0.02)
    assert whole.scale == pytest.approx(1, abs=0.02)


@pytest.mark.parametrize(("per_step", "move"), [(1.03, "zoom in"), (1 / 1.03, "zoom out")])
def test_a_zoom_is_named_and_its_scale_accumulates(per_step: float, move: str) -> None:
    whole = travel(steps_between(times(25), zoom(25, per_step)))
    assert whole.move == move
    assert whole.scale == pytest.approx(per_step**24, rel=0.05)
    assert whole.confidence > 0.8


def test_a_pan_between_two_rests_is_a_stretch_of_its_own() -> None:
    moving = pan(16, 5, 0)
    pictures = [moving[0]] * 15 + moving + [moving[-1]] * 15
    parts = stretches(steps_between(times(len(pictures)), pictures))
    assert [part.move for part in parts] == ["static", "pan right", "static"]
    assert float(parts[1].span.start) == pytest.approx(3.0, abs=0.5)
    assert float(parts[1].span.end) == pytest.approx(6.0, abs=0.5)


def test_noise_before_a_fixed_camera_is_no_movement() -> None:
    chance = np.random.default_rng(0)
    base = texture(*SIZE).astype(float)
    pictures = [np.clip(base + chance.normal(0, 5, base.shape), 0, 255).astype(np.uint8) for _ in range(20)]
    whole = travel(steps_between(times(20), pictures))
    assert whole.move == "static"
    assert abs(whole.dx) + abs(whole.dy) < 0.01


def test_a_large_thing_that_crosses_a_bare_floor_does_not_move_the_camera() -> None:
    chance = np.random.default_rng(1)
    floor = np.clip(90 + chance.normal(0, 2, (180, 320, 3)), 0, 255).astype(np.uint8)
    thing = texture(120, 100, 9)
    pictures = []
    for k in range(40):
        picture, x = floor.copy(), -140 + (k - 8) * 20
        left, right = max(x, 0), min(x + 120, 320)
        if right > left:
            picture[40:140, left:right] = thing[:, left - x : right - x]
        pictures.append(picture)
    assert {part.move for part in stretches(steps_between(times(40), pictures))} == {"static"}


def test_a_cut_ends_the_shot_and_is_no_movement() -> None:
    pictures = [texture(*SIZE)] * 10 + [255 - texture(*SIZE, seed=8) // 2] * 10
    steps = steps_between(times(20), pictures)
    assert [k for k, step in enumerate(steps) if step.cut] == [9]


def scene_film(make_video: MakeVideo, seconds: float, draw: Draw, noise: float = 3.0) -> Media:
    """Write a film of a fixed, noisy, textured scene on which `draw(picture, k)` paints at 10 frames a second."""
    base, chance = texture(*SIZE), np.random.default_rng(5)

    def paint(k: int) -> np.ndarray:
        picture = base.copy()
        draw(picture, k)
        return np.clip(picture + chance.normal(0, noise, picture.shape), 0, 255).astype(np.uint8)

    count = round(seconds * RATE)
    return open_media(make_video("scene.mp4", size=SIZE, frames=count, fps=RATE, paint=paint))


def perceive(media: Media, segment_s: int = 60) -> list[Observation]:
    """Watch a whole medium in segments, as the index does, and join over their boundaries."""
    sense, found = Motion(), list[Observation]()
    rate, side = sense.sampling.rate_hz, sense.sampling.max_side
    for segment in windows(media.info.span, segment_s):
        watcher = sense.watch(media, segment)
        lead = Span(segment.start - Fraction(sense.sampling.lead_s), segment.end)
        for frame in media.frames(lead, rate_hz=rate, max_side=side):
            watcher.see(frame)
        for seen in watcher.finish():
            assert seen.span.start >= segment.start
            assert seen.span.end <= segment.end
            for k, before in enumerate(found):
                touches = before.span.end == segment.start == seen.span.start
                if touches and (joined := sense.join(before, seen)):
                    found[k] = joined
                    break
            else:
                found.append(seen)
    return found


def of_kind(found: Sequence[Observation], kind: str) -> list[Observation]:
    return [seen for seen in found if seen.data["kind"] == kind]


def box(picture: np.ndarray, x: float, y: float, w: int, h: int, colour: tuple[int, int, int]) -> None:
    cv2.rectangle(picture, (round(x), round(y)), (round(x) + w - 1, round(y) + h - 1), colour, -1)


@pytest.mark.parametrize("segment_s", [60, 4])
def test_one_thing_that_passes_is_one_mover(make_video: MakeVideo, segment_s: int) -> None:
    """A red box enters at the left after 2 s, crosses in 6.4 s and leaves at the right."""

    def draw(picture: np.ndarray, k: int) -> None:
        box(picture, -40 + (k - 20) * 5.6, 80, 40, 30, (210, 30, 30))

    movers = of_kind(perceive(scene_film(make_video, 12, draw), segment_s), "mover")
    assert len(movers) == 1
    (mover,) = movers
    assert (mover.data["direction"], mover.data["enters"], mover.data["leaves"]) == ("right", "left", "right")
    assert mover.data["colours"][0][0] == "red"
    assert float(mover.span.start) == pytest.approx(2.0, abs=0.5)
    assert float(mover.span.end) == pytest.approx(8.4, abs=0.6)
    at_five = mover.box_at(Fraction(5))
    assert at_five is not None
    assert at_five.centre[0] == pytest.approx((-40 + 30 * 5.6 + 20) / 320, abs=0.04)


def test_two_things_at_once_go_their_own_ways(make_video: MakeVideo) -> None:
    def draw(picture: np.ndarray, k: int) -> None:
        box(picture, 60, 180 - (k - 20) * 5, 30, 30, (30, 60, 220))
        box(picture, 220, -30 + (k - 25) * 5, 30, 30, (240, 240, 240))

    movers = of_kind(perceive(scene_film(make_video, 10, draw)), "mover")
    told = {
        (m.data["colours"][0][0], m.data["direction"], m.data["enters"], m.data["leaves"]) for m in movers
    }
    assert told == {("blue", "up", "bottom", "top"), ("white", "down", "top", "bottom")}


def test_a_walker_who_stops_for_a_while_stays_one_mover(make_video: MakeVideo) -> None:
    def draw(picture: np.ndarray, k: int) -> None:
        walked = min(max(k - 15, 0), 30) + max(k - 70, 0)  # stands still from 4.5 s to 7 s
        box(picture, -20 + walked * 5, 60, 18, 50, (30, 160, 40))

    movers = of_kind(perceive(scene_film(make_video, 14, draw)), "mover")
    assert len(movers) == 1
    assert movers[0].data["direction"] == "right"
    assert float(movers[0].span.duration) > 8


def flicker(picture: np.ndarray, k: int) -> None:
    picture[:] = np.clip(picture * (1 + 0.12 * np.sin(k)), 0, 255)


def leaves(picture: np.ndarray, k: int) -> None:
    shift = round(3 * np.sin(k / 2))
    picture[20:80, 240 + shift : 300 + shift] = texture(60, 60, 4)


def shadow(picture: np.ndarray, k: int) -> None:
    x = -60 + (k - 20) * 5
    left, right = max(x, 0), max(min(x + 60, 320), 0)
    picture[100:150, left:right] = (picture[100:150, left:right] * 0.7).astype(np.uint8)


@pytest.mark.parametrize("draw", [flicker, leaves, shadow])
def test_flicker_leaves_and_shadows_are_no_movers(make_video: MakeVideo, draw: Draw) -> None:
    found = perceive(scene_film(make_video, 12, draw))
    assert of_kind(found, "mover") == []
    assert of_kind(found, "change") == []
    assert {seen.data["move"] for seen in of_kind(found, "camera")} == {"static"}


@pytest.mark.parametrize(
    ("before", "after", "change"), [(True, False, "disappeared"), (False, True, "appeared")]
)
def test_what_a_hand_takes_or_leaves_is_a_change(
    make_video: MakeVideo, before: bool, after: bool, change: str
) -> None:
    """A hand comes from above, reaches a blue box's place at 5 s, and withdraws."""

    def draw(picture: np.ndarray, k: int) -> None:
        if before if k < 50 else after:
            box(picture, 140, 90, 40, 50, (30, 60, 210))
        reach = 100 - abs(k - 50) * 6
        if reach > 0:
            box(picture, 148, 0, 24, reach, (215, 160, 130))

    found = perceive(scene_film(make_video, 12, draw))
    (seen,) = of_kind(found, "change")
    assert seen.data["change"] == change
    assert seen.data["colours"][0][0] == "blue"
    assert float(seen.span.middle) == pytest.approx(5, abs=1.2)
    place = seen.track[0][1]
    assert place.centre == (pytest.approx(0.5, abs=0.04), pytest.approx(0.64, abs=0.06))
    hand = of_kind(found, "mover")
    assert [m.data["enters"] for m in hand] == ["top"]
    assert [m.data["leaves"] for m in hand] == ["top"]


def test_a_change_near_a_boundary_is_told_once(make_video: MakeVideo) -> None:
    def draw(picture: np.ndarray, k: int) -> None:
        if k < 57:
            box(picture, 140, 90, 40, 50, (30, 60, 210))

    media = scene_film(make_video, 14, draw)
    for segment_s in (60, 6, 5):
        (seen,) = of_kind(perceive(media, segment_s), "change")
        assert seen.data["change"] == "disappeared"


def test_no_movers_are_claimed_where_the_camera_moves(make_video: MakeVideo) -> None:
    pictures = pan(60, 3, 0)
    path = make_video("pan.mp4", size=SIZE, frames=60, fps=RATE, paint=lambda k: pictures[k])
    found = perceive(open_media(path))
    assert of_kind(found, "mover") == []
    (whole,) = of_kind(found, "travel")
    assert whole.data["move"] == "pan right"
    assert whole.data["dx"] == pytest.approx(59 * 3 / 320, rel=0.1)
