"""Shots: golden timelines of known cuts, and that segments change nothing."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise

import cv2
import numpy as np
import pytest

from conftest import MakeVideo
from vidence.media import Media, open_media
from vidence.senses.observation import Observation
from vidence.senses.shots import Shots
from vidence.timeline import Span, windows

SIZE = (320, 180)


def scene(seed: int, width: int = SIZE[0], height: int = SIZE[1]) -> np.ndarray:
    """Paint a picture of soft random patches, unlike that of any other seed."""
    chance = np.random.default_rng(seed)
    base = chance.integers(30, 226, (1, 1, 3))
    patches = chance.integers(-90, 91, (9, 16, 3))
    picture = cv2.resize(patches.astype(np.float32), (width, height), interpolation=cv2.INTER_CUBIC) + base
    return np.clip(picture, 12, 255).astype(np.uint8)


def perceive(media: Media, segment_s: int) -> list[Observation]:
    """Watch a whole medium in segments, as the index does, and join over their boundaries."""
    sense, found = Shots(), list[Observation]()
    for segment in windows(media.info.span, segment_s):
        watcher = sense.watch(media, segment)
        lead = Fraction(sense.sampling.lead_s)
        for frame in media.frames(Span(segment.start - lead, segment.end), max_side=sense.sampling.max_side):
            watcher.see(frame)
        for shot in watcher.finish():
            assert shot.span.start >= segment.start
            assert shot.span.end <= segment.end
            joined = sense.join(found[-1], shot) if found else None
            if joined:
                found[-1] = joined
            else:
                found.append(shot)
    return found


def cuts(shots: Sequence[Observation]) -> list[Fraction]:
    return [shot.span.start for shot in shots if shot.data["cut"]]


def film(make_video: MakeVideo, pictures: Sequence[np.ndarray], **how: object) -> Media:
    path = make_video(
        "film.mp4", size=SIZE, frames=len(pictures), paint=lambda k: pictures[k], options={"crf": "26"}, **how
    )
    return open_media(path)


def moving(seed: int, count: int, speed_px: float) -> list[np.ndarray]:
    """Pan over a wide picture by `speed_px` a frame."""
    wide = scene(seed, int(SIZE[0] + speed_px * count) + 1)
    return [wide[:, int(k * speed_px) : int(k * speed_px) + SIZE[0]] for k in range(count)]


def mix(a: np.ndarray, b: np.ndarray, share: float) -> np.ndarray:
    return (a * (1.0 - share) + b * share).astype(np.uint8)


def test_hard_cuts_are_found_at_their_exact_frames(make_video: MakeVideo) -> None:
    pictures = moving(1, 40, 2) + moving(2, 23, 0) + moving(3, 60, 3) + moving(4, 30, 1)
    shots = perceive(film(make_video, pictures), 60)
    assert cuts(shots) == [Fraction(40, 25), Fraction(63, 25), Fraction(123, 25)]
    assert all(shot.data["kind"] == "cut" for shot in shots[1:])


def test_cuts_are_exact_on_a_variable_frame_rate(make_video: MakeVideo) -> None:
    chance = np.random.default_rng(7)
    steps = [Fraction(int(n), 90_000) for n in chance.integers(1500, 9000, 120)]
    times = [sum(steps[:k], Fraction(0)) for k in range(120)]
    pictures = moving(5, 50, 1) + moving(6, 70, 1)
    media = film(make_video, pictures, times=times, time_base=Fraction(1, 90_000))
    assert cuts(perceive(media, 60)) == [times[50]]


def test_segments_change_nothing(make_video: MakeVideo) -> None:
    """Cuts on, just before and just after segment boundaries, and a dissolve and a fade across them."""
    lengths = [49, 26, 24, 52, 25, 74]
    pictures = [p for seed, n in enumerate(lengths) for p in moving(20 + seed, n, 1)]
    fade = [mix(pictures[-1], np.zeros_like(pictures[0]), k / 10) for k in range(1, 11)]
    back = [mix(np.zeros_like(fade[0]), scene(40), k / 10) for k in range(1, 11)]
    dissolve = [mix(scene(40), scene(41), k / 20) for k in range(21)]
    pictures += fade + back + [scene(40)] * 40 + dissolve + [scene(41)] * 50
    media = film(make_video, pictures)
    whole = perceive(media, 60)
    assert len(whole) == len(lengths) + 2
    for segment_s in (1, 2, 3, 7):
        parts = perceive(media, segment_s)
        assert [shot.span for shot in parts] == [shot.span for shot in whole]
        assert [shot.data for shot in parts[1:]] == [shot.data for shot in whole[1:]]


def test_shots_cover_the_medium_without_gaps(make_video: MakeVideo) -> None:
    media = film(make_video, moving(1, 30, 1) + moving(2, 30, 1), start=3)
    shots = perceive(media, 60)
    assert (shots[0].span.start, shots[-1].span.end) == (media.info.span.start, media.info.span.end)
    assert all(a.span.end == b.span.start for a, b in pairwise(shots))


@pytest.mark.parametrize("frames", [12, 25, 40])
def test_a_dissolve_is_one_cut_at_its_middle(make_video: MakeVideo, frames: int) -> None:
    a, b = moving(11, 60 + frames, 0.5), moving(12, 60 + frames, 0.5)
    mixed = [mix(a[60 + k], b[k], k / frames) for k in range(frames)]
    shots = perceive(film(make_video, a[:60] + mixed + b[frames:]), 60)
    assert [shot.data["kind"] for shot in shots] == ["start", "dissolve"]
    assert abs(shots[1].span.start - Fraction(60 + frames // 2, 25)) <= Fraction(4, 25)


def test_a_fade_through_black_is_one_cut_within_the_black(make_video: MakeVideo) -> None:
    black = np.zeros_like(scene(1))
    out = [mix(scene(1), black, k / 15) for k in range(16)]
    into = [mix(black, scene(2), k / 15) for k in range(1, 16)]
    pictures = [scene(1)] * 50 + out + [black] * 8 + into + [scene(2)] * 50
    shots = perceive(film(make_video, pictures), 60)
    assert [shot.data["kind"] for shot in shots] == ["start", "fade"]
    assert Fraction(65, 25) <= shots[1].span.start <= Fraction(75, 25)


def test_flashes_are_no_cuts(make_video: MakeVideo) -> None:
    pictures = moving(9, 120, 1)
    for k in (30, 31, 70):
        pictures[k] = np.minimum(pictures[k].astype(int) + 130, 255).astype(np.uint8)
    assert len(perceive(film(make_video, pictures), 60)) == 1


def test_pans_zooms_and_changing_light_are_no_cuts(make_video: MakeVideo) -> None:
    fast = moving(13, 60, 14)
    big = scene(14, 960, 540)
    zoom = [cv2.resize(big[k * 4 : 540 - k * 4, k * 7 : 960 - k * 7], SIZE) for k in range(50)]
    dim = [np.clip(scene(15) * (1 - 0.6 * min(k / 40, 1.0)), 0, 255).astype(np.uint8) for k in range(60)]
    for pictures in (fast, zoom, dim):
        assert len(perceive(film(make_video, pictures), 60)) == 1


def test_a_thing_that_crosses_a_still_picture_is_no_cut(make_video: MakeVideo) -> None:
    pictures = []
    for k in range(80):
        picture = scene(16).copy()
        cv2.rectangle(picture, (k * 6 - 160, 20), (k * 6, 170), (220, 40, 40), -1)
        pictures.append(picture)
    assert len(perceive(film(make_video, pictures), 60)) == 1


def test_a_shot_is_joined_only_where_no_cut_lies() -> None:
    sense = Shots()

    def shot(start: int, end: int, cut: bool) -> Observation:
        return Observation(Span.of(start, end), "visual", sense.producer, data={"cut": cut, "score": 1.0})

    joined = sense.join(shot(0, 60, True), shot(60, 90, False))
    assert joined is not None
    assert joined.span == Span.of(0, 90)
    assert joined.data["cut"]
    assert sense.join(shot(0, 60, True), shot(60, 90, True)) is None
    assert sense.join(shot(0, 50, True), shot(60, 90, False)) is None
