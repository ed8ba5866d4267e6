"""Things keep their identity from look to look, gaps are bridged, and nothing is followed over a cut."""

from __future__ import annotations

import numpy as np
import pytest

from vidence.senses.objects.path import crossed, direction
from vidence.senses.observation import Box
from vidence.senses.tracking import Sighting, Tracker, colour_distance, colour_histogram, middle


def paint(colour: tuple[int, int, int]) -> np.ndarray:
    return colour_histogram(np.full((8, 8, 3), colour, np.uint8), Box(0, 0, 1, 1))


RED, BLUE = paint((220, 20, 20)), paint((20, 20, 220))


def seen(x: float, colours: np.ndarray | None = None, *, label: str = "person", y: float = 0.4) -> Sighting:
    return Sighting(label, 0.9, Box(x, y, 0.1, 0.2), colours)


def test_two_that_cross_keep_their_colours() -> None:
    tracker = Tracker(patience_s=2.0)
    for step in range(11):
        there, back = seen(0.1 + 0.06 * step, RED), seen(0.7 - 0.06 * step, BLUE, y=0.42)
        tracker.look(step / 2, [there, back] if step % 2 else [back, there])
    tracks = tracker.finish()
    assert len(tracks) == 2
    for track in tracks:
        kinds = {colour_distance(track.last.colours, one.colours) for _, one in track.looks}
        assert kinds == {0.0}
    assert {round(track.last.box.x, 2) for track in tracks} == {0.7, 0.1}


@pytest.mark.parametrize(("gap_s", "tracks"), [(1.5, 1), (4.0, 2)])
def test_a_gap_is_bridged_within_patience_only(gap_s: float, tracks: int) -> None:
    tracker = Tracker(patience_s=2.0)
    for time_s in (0.0, 0.5, 0.5 + gap_s, 1.0 + gap_s):
        tracker.look(time_s, [seen(0.4, RED)])
    assert len(tracker.finish()) == tracks


def test_a_far_thing_of_another_place_is_another_thing() -> None:
    tracker = Tracker(patience_s=2.0)
    tracker.look(0.0, [seen(0.0, RED)])
    tracker.look(0.5, [seen(0.8, RED)])
    assert [len(track.looks) for track in tracker.finish()] == [1, 1]


def test_labels_that_are_no_kin_are_never_joined_and_kin_are() -> None:
    for kin, count in ((str.__eq__, 2), (lambda a, b: {a, b} <= {"car", "truck"}, 1)):
        tracker = Tracker(2.0, kin)
        tracker.look(0.0, [seen(0.4, RED, label="car")])
        tracker.look(0.5, [seen(0.4, RED, label="truck")])
        assert len(tracker.finish()) == count


def test_nothing_is_followed_over_a_cut() -> None:
    tracker = Tracker(patience_s=2.0)
    tracker.look(0.0, [seen(0.4, RED)])
    tracker.cut()
    tracker.look(0.5, [seen(0.4, RED)])
    assert len(tracker.finish()) == 2


def test_colours_tell_red_from_blue_and_black_from_white() -> None:
    assert colour_distance(RED, RED) == 0.0
    assert colour_distance(RED, BLUE) == pytest.approx(1.0)
    assert colour_distance(paint((5, 5, 5)), paint((250, 250, 250))) == pytest.approx(1.0)
    assert colour_distance(RED, None) == 0.4


def test_the_middle_of_any_box_has_pixels() -> None:
    image = np.zeros((3, 5, 3), np.uint8)
    for box in (Box(0, 0, 1, 1), Box(0.99, 0.99, 0.01, 0.01), Box(0.5, 0.5, 0.0, 0.0)):
        assert middle(image, box).size > 0


def walk(*corners: tuple[float, float], w: float = 0.1, h: float = 0.2) -> list[tuple[float, Box]]:
    return [(step / 2, Box(x, y, w, h)) for step, (x, y) in enumerate(corners)]


def test_a_fast_thing_is_traced_back_to_the_edge_it_crossed() -> None:
    path = walk((0.2, 0.4), (0.45, 0.4), (0.7, 0.4))
    assert crossed(path, 0.5, entering=True) == "left"
    assert crossed(path, 0.5, entering=False) == "right"
    assert direction(path) == "right"


def test_a_thing_that_appears_within_the_picture_crossed_no_edge() -> None:
    path = walk((0.4, 0.4), (0.42, 0.4), (0.44, 0.4))
    assert crossed(path, 0.5, entering=True) is None
    assert direction(path) == "still"


def test_up_and_down_are_the_viewers() -> None:
    path = walk((0.4, 0.75), (0.4, 0.5), (0.4, 0.25))
    assert direction(path) == "up"
    assert direction(path[::-1]) == "down"
    assert crossed(path, 0.5, entering=True) == "bottom"


def test_growing_is_coming_nearer() -> None:
    boxes = [Box(0.5 - side / 2, 0.5 - side / 2, side, side) for side in (0.1, 0.16, 0.25, 0.4)]
    path = [(step / 2, box) for step, box in enumerate(boxes)]
    assert direction(path) == "nearer"
    assert direction([(time_s, box) for (time_s, _), box in zip(path, boxes[::-1], strict=True)]) == "farther"
