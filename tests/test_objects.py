"""Things in real pictures and films are found, followed and described; empty pictures stay empty."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from vidence.catalogue import weights
from vidence.media import Frame, open_media
from vidence.senses.objects import Objects, detect
from vidence.senses.observation import Observation
from vidence.timeline import Span


@pytest.fixture(scope="module")
def cyclist() -> np.ndarray:
    """A cyclist and her bicycle, out of a real film."""
    with open_media(weights("demo-bikes")) as media:
        return media.frames_at([Fraction(5)])[0].image


def watch(pictures: list[np.ndarray], sense: Objects, segment: Span, start: Fraction) -> list[Observation]:
    watcher = sense.watch(None, segment)  # type: ignore[arg-type]  # the pictures are all it looks at
    for number, picture in enumerate(pictures):
        watcher.see(Frame(start + Fraction(number, 2), Fraction(1, 2), picture))
    return watcher.finish()


def crossing(cyclist: np.ndarray, looks: int) -> list[np.ndarray]:
    """Let the cyclist pass from left to right over a plain ground."""
    figure = cyclist[:, 340:540]
    width = 640
    pictures = []
    for look in range(looks):
        wide = np.full((272, width + 400, 3), 120, np.uint8)
        at = round(look * (width + 200) / (looks - 1))
        wide[:, at : at + 200] = figure
        pictures.append(wide[:, 200 : 200 + width])
    return pictures


def test_a_person_is_found_at_any_size(cyclist: np.ndarray) -> None:
    import cv2

    for width, height in ((160, 90), (640, 272), (7680, 4320)):
        found = detect(cv2.resize(cyclist, (width, height)))
        best = max((one for one in found if one.label == "person"), key=lambda one: one.score)
        assert best.score > 0.8
        assert 0.5 < best.box.centre[0] < 0.8


def test_tiles_see_what_is_too_small_for_one_look(cyclist: np.ndarray) -> None:
    import cv2

    large = np.full((1080, 1920, 3), 120, np.uint8)
    large[600:760, 300:460] = cv2.resize(cyclist[:, 320:592], (160, 160), interpolation=cv2.INTER_AREA)
    assert not [one for one in detect(large, floor=0.5) if one.label == "person"]
    near = [one for one in detect(large, floor=0.5, tiles=3) if one.label == "person"]
    assert near
    assert 300 / 1920 < near[0].box.centre[0] < 460 / 1920
    assert 600 / 1080 < near[0].box.centre[1] < 760 / 1080


def test_plain_and_noisy_pictures_hold_nothing() -> None:
    rng = np.random.default_rng(0)
    noise = rng.integers(0, 256, (360, 640, 3), np.uint8)
    slope = np.repeat(np.linspace(0, 255, 640).astype(np.uint8)[None, :, None], 360, 0).repeat(3, 2)
    for picture in (np.zeros((360, 640, 3), np.uint8), noise, slope):
        assert detect(picture, floor=0.6) == []


def test_one_who_passes_is_one_observation_with_edges_and_direction(cyclist: np.ndarray) -> None:
    ground = np.full((272, 640, 3), 120, np.uint8)
    pictures = [ground] * 2 + crossing(cyclist, 14) + [ground] * 2
    found = watch(pictures, Objects(), Span.of(0, 9), Fraction(0))
    (person,) = [one for one in found if one.text == "person" and one.confidence >= 0.6]
    assert (person.data["enters"], person.data["leaves"], person.data["direction"]) == (
        "left",
        "right",
        "right",
    )
    assert 1 <= person.span.start <= Fraction(5, 2)
    assert Fraction(13, 2) <= person.span.end <= 8
    assert person.data["detections"] == len(person.track) >= 7


def test_a_segment_boundary_does_not_make_two_of_one(cyclist: np.ndarray) -> None:
    sense = Objects()
    pictures = crossing(cyclist, 14)
    left = watch(pictures[:7], sense, Span(Fraction(0), Fraction(7, 2)), Fraction(0))
    right = watch(
        pictures[5:], sense, Span(Fraction(7, 2), Fraction(7)), Fraction(5, 2)
    )  # one second of lead
    a, b = (next(one for one in part if one.text == "person") for part in (left, right))
    assert a.span.end == b.span.start == Fraction(7, 2)
    joined = sense.join(a, b)
    assert joined is not None
    assert joined.data["direction"] == "right"
    assert joined.data["detections"] == a.data["detections"] + b.data["detections"]
    elsewhere = replace(b, track=tuple((t, replace(box, x=0.95)) for t, box in b.track))
    assert sense.join(a, elsewhere) is None


def test_a_still_picture_is_looked_at_once_and_seen_throughout(
    cyclist: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    from vidence.senses.objects import sense as module

    asked: list[str] = []
    real = module.load
    monkeypatch.setattr(module, "load", lambda name: asked.append(name) or real(name))
    found = watch([cyclist] * 10, Objects(), Span.of(0, 5), Fraction(0))
    assert asked.count(Objects().first) == 1
    person = max((one for one in found if one.text == "person"), key=lambda one: one.confidence)
    assert person.span == Span.of(0, 5)
    assert person.data["direction"] == "still"
    assert person.data["enters"] is None
    assert person.data["leaves"] is None


def test_a_cut_ends_what_was_followed(cyclist: np.ndarray) -> None:
    other = np.zeros_like(cyclist)
    other[..., 2] = 200
    found = watch([cyclist] * 4 + [other] * 4, Objects(), Span.of(0, 4), Fraction(0))
    person = max((one for one in found if one.text == "person"), key=lambda one: one.confidence)
    assert person.span == Span.of(0, 2)
    assert person.data["leaves"] is None
