"""Watching: tracks become subjects; lines, zones, things left, falls and the unusual are told from them."""

from __future__ import annotations

import csv
import io
import json
import shutil
from collections.abc import Iterator, Sequence
from datetime import datetime
from fractions import Fraction
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
from click.testing import CliRunner

from app_cases import check_schema
from vidence.apps.report import render
from vidence.apps.watch import Scene, watch
from vidence.apps.watch.falls import fallen
from vidence.apps.watch.heat import drawn, heat
from vidence.apps.watch.left import left_and_removed
from vidence.apps.watch.lines import crossings, over
from vidence.apps.watch.place import differs, shape
from vidence.apps.watch.report import page_of
from vidence.apps.watch.scene import Line, Zone, read_scene
from vidence.apps.watch.subjects import Subject, subjects_of
from vidence.apps.watch.tables import event_table, stretches, summary
from vidence.apps.watch.unusual import unusual
from vidence.apps.watch.watching import Watch
from vidence.apps.watch.zones import stays, zone_events
from vidence.cli.group import vidence
from vidence.errors import UsageError
from vidence.exports.tracks import Footage, Tracked, read_coco, to_coco, to_cvat, to_track_table
from vidence.senses.motion import Motion
from vidence.senses.observation import Box, Observation, Producer
from vidence.timeline import Span
from vidence.video import Video
from vidence.video import open as open_video

WHOLE = Span.of(0, 60)
ROAD = Line("road", (0.5, 0.2), (0.5, 0.9))
SQUARE = Zone("square", ((0.4, 0.4), (0.6, 0.4), (0.6, 1.0), (0.4, 1.0)))


def path(
    start_s: float,
    *points: tuple[float, float],
    step_s: float = 0.5,
    size: tuple[float, float] = (0.05, 0.15),
) -> Any:
    """Make boxes whose feet stand at the points, one each step."""
    w, h = size
    return tuple(
        (Fraction(str(start_s)) + Fraction(str(step_s)) * n, Box(x - w / 2, y - h, w, h))
        for n, (x, y) in enumerate(points)
    )


def track(name: str, boxes: Any, confidence: float = 0.9, sense: str = "objects", **data: Any) -> Observation:
    span = Span(boxes[0][0], boxes[-1][0] + Fraction(1, 2))
    told = {"enters": None, "leaves": None, **data}
    return Observation(span, "visual", Producer(sense, "1"), name, confidence, boxes, data=told)


def walk(x0: float, x1: float, y: float = 0.7, steps: int = 20) -> list[tuple[float, float]]:
    return [(x0 + (x1 - x0) * n / (steps - 1), y) for n in range(steps)]


def people(*boxes: Any) -> list[Subject]:
    return subjects_of([track("person", one) for one in boxes], Scene())


# Who passes


def test_a_track_that_goes_on_after_a_gap_is_one_subject() -> None:
    first, second = path(0, *walk(0.1, 0.4)), path(11.0, *walk(0.45, 0.8))
    (one,) = people(first, second)
    assert one.id == "person 1"
    assert len(one.path) == 40


def test_tracks_that_lie_apart_in_place_or_time_are_two() -> None:
    assert len(people(path(0, *walk(0.1, 0.4)), path(11.0, *walk(0.9, 0.6)))) == 2
    assert len(people(path(0, *walk(0.1, 0.4)), path(20.0, *walk(0.45, 0.8)))) == 2


def test_one_who_left_over_the_edge_is_not_the_one_who_comes_next() -> None:
    gone = track("person", path(0, *walk(0.5, 0.98)), leaves="right")
    new = track("person", path(10.5, *walk(0.97, 0.5)), enters="right")
    assert len(subjects_of([gone, new], Scene())) == 2


def test_what_moves_without_a_name_counts_as_the_scene_says() -> None:
    mover = track("grey thing moves up", path(0, *walk(0.1, 0.8)), sense="motion", kind="mover", distance=0.7)
    person = track("person", path(0, *walk(0.1, 0.8)))
    assert [one.kind for one in subjects_of([mover], Scene())] == ["moving thing"]
    assert [one.kind for one in subjects_of([mover], Scene(movers="car"))] == ["car"]
    assert subjects_of([mover], Scene(movers="ignore")) == []
    assert [one.kind for one in subjects_of([mover, person], Scene())] == ["person"]


def test_what_stands_is_told_from_what_passes() -> None:
    parked, passing = people(path(0, *walk(0.5, 0.51)), path(0, *walk(0.1, 0.8)))
    assert {one.moves for one in (parked, passing)} == {True, False}


# Lines


def test_a_crossing_has_its_time_between_two_looks_and_its_way() -> None:
    (one,) = people(path(0, *walk(0.1, 0.9, steps=9)))  # a tenth each half second: at 0.5 after two seconds
    assert over(one, ROAD, "foot") == [(Fraction(2), "right")]
    (back,) = people(path(0, *walk(0.9, 0.1, steps=9)))
    assert [way for _, way in over(back, ROAD, "foot")] == ["left"]


@pytest.mark.parametrize("turned", [False, True])
def test_the_way_is_that_of_the_picture_however_the_line_is_drawn(turned: bool) -> None:
    ends = ((0.2, 0.5), (0.8, 0.55))
    line = Line("level", *(ends[::-1] if turned else ends))
    assert line.ways == ("up", "down")
    hit = line.crossed((0.5, 0.4), (0.5, 0.7))
    assert hit is not None
    assert hit[1] == "down"
    assert line.crossed((0.9, 0.4), (0.9, 0.7)) is None


def test_trembling_on_a_line_is_no_crossing() -> None:
    (one,) = people(
        path(0, (0.4, 0.7), (0.49, 0.7), (0.51, 0.7), (0.49, 0.7), (0.51, 0.7), (0.49, 0.7), (0.4, 0.7))
    )
    assert over(one, ROAD, "foot") == []


def test_crossing_against_the_allowed_way_is_told_as_such() -> None:
    line = Line("gate", (0.5, 0.2), (0.5, 0.9), allowed="left")
    events = crossings(people(path(0, *walk(0.1, 0.9))), Scene(lines=(line,)))
    assert [(one.kind, one.severity) for one in events] == [("crossing", "info"), ("wrong-way", "medium")]


# Zones


def events_in(zone: Zone, *boxes: Any) -> list[Any]:
    scene = Scene(zones=(zone,))
    return zone_events(stays(people(*boxes), zone, "foot"), zone, scene, WHOLE)


def test_entering_leaving_and_dwell_are_measured() -> None:
    found = stays(people(path(0, *walk(0.1, 0.9, steps=41))), SQUARE, "foot")
    (stay,) = found
    assert (stay.came, stay.went) == (True, True)
    assert abs(stay.dwell_s - 5) <= 0.5
    assert [one.kind for one in events_in(SQUARE, path(0, *walk(0.1, 0.9, steps=41)))] == [
        "entering",
        "leaving",
    ]


def test_only_who_stays_too_long_loiters() -> None:
    zone = Zone("door", SQUARE.points, loiter_s=10)
    waits = path(0, *walk(0.1, 0.5, steps=5), *[(0.5, 0.7)] * 30)
    passes = path(0, *walk(0.1, 0.9, steps=20))
    assert [one.kind for one in events_in(zone, waits) if one.severity != "info"] == ["loitering"]
    assert [one.kind for one in events_in(zone, passes) if one.severity != "info"] == []


def test_a_closed_zone_a_crowd_and_the_wrong_way() -> None:
    crossing = path(0, *walk(0.9, 0.1, steps=41))
    assert "intrusion" in [e.kind for e in events_in(Zone("lawn", SQUARE.points, closed=True), crossing)]
    assert "wrong-way" in [e.kind for e in events_in(Zone("lane", SQUARE.points, flow="right"), crossing)]
    assert "wrong-way" not in [e.kind for e in events_in(Zone("lane", SQUARE.points, flow="left"), crossing)]
    standing = [path(0, *[(x, 0.7)] * 12) for x in (0.42, 0.5, 0.58)]
    (crowd,) = [e for e in events_in(Zone("stop", SQUARE.points, crowd=3), *standing) if e.kind == "crowding"]
    assert crowd.data["most"] == 3
    assert not [e for e in events_in(Zone("stop", SQUARE.points, crowd=4), *standing) if e.kind == "crowding"]


# Things, falls, the unusual


def change(kind: str, start_s: float, end_s: float, confidence: float = 0.9) -> Observation:
    boxes = ((Fraction(str(start_s)), Box(0.4, 0.5, 0.1, 0.2)),)
    span = Span.of(start_s, end_s)
    data = {"kind": "change", "change": kind}
    return Observation(
        span, "visual", Producer("motion", "1"), f"something {kind}", confidence, boxes, data=data
    )


def test_a_thing_put_down_and_taken_away_has_both_times() -> None:
    found = left_and_removed([change("appeared", 9, 10), change("disappeared", 30, 31)], [], Scene(), WHOLE)
    assert [(e.kind, e.span.start) for e in found] == [
        ("object-left", Fraction(10)),
        ("object-removed", Fraction(61, 2)),
    ]
    assert found[0].span.end == Fraction(61, 2)


def test_what_is_taken_away_again_at_once_was_not_left() -> None:
    found = left_and_removed([change("appeared", 9, 10), change("disappeared", 12, 13)], [], Scene(), WHOLE)
    assert [e.kind for e in found] == ["object-removed"]


def test_somebody_who_stands_still_is_no_thing_left() -> None:
    stands = people(path(5, *walk(0.1, 0.45, steps=10), *[(0.45, 0.7)] * 40))
    assert left_and_removed([change("appeared", 9, 10)], stands, Scene(), WHOLE) == []


def test_a_thing_is_named_by_what_the_detector_sees_there() -> None:
    bottle = track("bottle", tuple((Fraction(t), Box(0.41, 0.5, 0.09, 0.2)) for t in range(10, 40)), 0.8)
    (left,) = [e for e in left_and_removed([change("appeared", 9, 10, 0.6), bottle], [], Scene(), WHOLE)
               if e.kind == "object-left"]  # fmt: skip
    assert left.data["thing"] == "bottle"


def boxes(*sizes: tuple[float, float, float], step_s: float = 0.5) -> Any:
    """Make boxes (width, height, bottom), one each step, in a square picture."""
    return tuple(
        (Fraction(str(step_s)) * n, Box(0.5 - w / 2, bottom - h, w, h))
        for n, (w, h, bottom) in enumerate(sizes)
    )


def test_one_who_drops_and_lies_seems_to_fall_and_one_who_bends_or_walks_out_does_not() -> None:
    up, down, bent = (0.1, 0.3, 0.8), (0.3, 0.1, 0.82), (0.16, 0.2, 0.8)
    assert len(fallen(boxes(*[up] * 6, *[down] * 6), 1.0)) == 1
    assert fallen(boxes(*[up] * 6, *[bent] * 6), 1.0) == []
    assert fallen(boxes(*[up] * 6, down, *[up] * 6), 1.0) == []
    at_the_edge = [(0.3, 0.1, 1.0)] * 6
    assert fallen(boxes(*[up] * 6, *at_the_edge), 1.0) == []


def test_what_is_unusual_is_learned_from_the_others() -> None:
    usual = [path(3 * n, *walk(0.1, 0.9, y=0.7 + 0.01 * (n % 3))) for n in range(14)]
    strange = path(20, *[(0.2, 0.2 + 0.01 * n) for n in range(20)])
    found = unusual(people(*usual, strange), "foot", WHOLE)
    assert len(found) == 1
    assert found[0].subjects[0].path[0][1].centre[0] == pytest.approx(0.2)
    assert "goes where" in found[0].why
    runs = path(20, *walk(0.1, 0.9, y=0.71, steps=4))
    assert ["times as fast" in e.why for e in unusual(people(*usual, runs), "foot", WHOLE)] == [True]
    back = path(20, *walk(0.9, 0.1, y=0.71))
    assert ["against the way" in e.why for e in unusual(people(*usual, back), "foot", WHOLE)] == [True]


def test_with_few_who_pass_nothing_is_called_unusual() -> None:
    assert (
        unusual(people(*[path(3 * n, *walk(0.1, 0.9, y=0.1 * n + 0.2)) for n in range(6)]), "foot", WHOLE)
        == []
    )


# The scene file


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("zone: []", "zone: there is no such field; did you mean 'zones'?"),
        ("zones: [{name: a, points: [[0, 0], [2, 0], [1, 1]]}]", "zone 'a': points: [2, 0] is no point"),
        ("zones: [{name: a, points: [[0, 0], [1, 0]]}]", "zone 'a': points: are too few"),
        (
            "lines: [{name: a, from: [0, 0], to: [0, 1], allowed: up}]",
            "allowed: 'up' is none of these: left, right",
        ),
        ("lines: [{name: a, from: [0, 0], to: [0, 0]}]", "line 'a': to: is the same point as from"),
        ("also: {phone: car}", "also: 'phone' is no name that a detector gives"),
        ("movers: lorry", "movers: 'lorry' is none of these"),
        (
            "zones: [{name: a, points: [[0,0],[1,0],[1,1]]}, {name: a, points: [[0,0],[1,0],[1,1]]}]",
            "are called 'a'",
        ),
    ],
)
def test_what_is_wrong_with_a_scene_is_told_by_file_place_and_field(text: str, told: str) -> None:
    with pytest.raises(UsageError) as error:
        read_scene(text, "gate.yaml")
    assert "gate.yaml" in str(error.value)
    assert told in str(error.value)


def test_a_scene_is_read_from_yaml_and_from_json() -> None:
    given = {
        "movers": "car",
        "zones": [{"name": "lawn", "points": [[0, 0.6], [1, 0.6], [1, 1]], "closed": True}],
    }
    scene = read_scene(json.dumps(given), "gate.json")
    assert (scene.name, scene.movers, scene.zones[0].closed) == ("gate", "car", True)
    assert scene.zones[0].holds((0.9, 0.7))
    assert not scene.zones[0].holds((0.1, 0.9))


# What is written


FOOTAGE = Footage("=evil.mp4", 400, 200, [Fraction(n, 10) for n in range(100)])
TRACKS = [Tracked("=person 1", "person", path(1, (0.5, 0.8), (0.6, 0.8)), 0.9)]


def test_boxes_are_read_back_from_coco_as_they_were() -> None:
    rows = read_coco(to_coco(TRACKS, FOOTAGE))
    assert [row[:3] for row in rows] == [(1.0, 1, "person"), (1.5, 1, "person")]
    assert rows[0][3].iou(TRACKS[0].path[0][1]) > 0.98


def test_cvat_has_key_frames_and_says_where_a_thing_is_gone() -> None:
    root = ElementTree.fromstring(to_cvat(TRACKS, FOOTAGE))
    found = [(box.get("frame"), box.get("outside")) for box in root.iter("box")]
    assert found == [("10", "0"), ("15", "0"), ("16", "1")]
    assert [name.text for name in root.iter("name")][-1] == "person"
    first = next(root.iter("box"))
    assert (first.get("xtl"), first.get("ytl")) == ("190.00", "130.00")


def test_tables_run_no_formula() -> None:
    (row,) = list(csv.DictReader(io.StringIO(to_track_table(TRACKS, FOOTAGE))))[:1]
    assert row["track"].startswith("'=")
    assert (row["frame"], row["time_s"]) == ("10", "1.0")


def test_heat_lies_where_things_stood_and_zones_are_drawn() -> None:
    warm = heat(people(path(0, *walk(0.2, 0.4, y=0.5), *[(0.4, 0.5)] * 20)), "foot", (100, 200))
    y, x = np.unravel_index(warm.argmax(), warm.shape)
    assert abs(x - 80) < 6
    assert abs(y - 50) < 4
    image = np.zeros((100, 200, 3), np.uint8)
    assert drawn(image, Scene(zones=(SQUARE,)), ruler=False)[70, 100].any()
    assert not drawn(image, Scene(zones=(SQUARE,)), ruler=False)[10, 10].any()


def test_long_recordings_are_cut_into_a_few_round_stretches() -> None:
    assert stretches(Span.of(0, 86400))[0].duration == 3600
    assert len(stretches(Span.of(0, 79))) == 16


# A whole video: a square that crosses a still scene, and a box that is put down


def scene_picture(number: int) -> np.ndarray:
    """Show a textured wall; a dark thing crosses it from left to right between 4 and 9 s, of 20 at 10 a second."""
    image = np.random.default_rng(7).integers(90, 150, (120, 160, 3), np.uint8)
    image = np.repeat(np.repeat(image[::8, ::8], 8, 0), 8, 1)
    if 40 <= number < 90:
        x = int(-20 + (number - 40) / 50 * 200)
        image[50:90, max(x, 0) : max(x + 20, 0)] = (20, 20, 30)
    return image


@pytest.fixture(scope="module")
def perceived(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    from conftest import write_video

    place = tmp_path_factory.mktemp("watch")
    film, memory = place / "yard.mp4", place / "memory.sqlite"
    write_video(film, frames=200, fps=10, size=(160, 120), paint=scene_picture)
    with open_video(film, memory=memory) as video:
        video.index([Motion()])
    return film, memory


@pytest.fixture
def video(perceived: tuple[Path, Path], tmp_path: Path) -> Iterator[Video]:
    memory = shutil.copy(perceived[1], tmp_path / "m.sqlite")
    with open_video(perceived[0], memory=Path(memory)) as opened:
        opened.senses = [Motion()]
        yield opened


@pytest.fixture
def found(video: Video) -> Watch:
    scene = Scene(
        "yard", movers="car", lines=(ROAD,), zones=(Zone("half", ((0.5, 0), (1, 0), (1, 1), (0.5, 1))),)
    )
    return watch(video, scene)


def test_one_car_is_counted_over_the_line_and_checked(found: Watch) -> None:
    assert found.counts["car"]["passing"] == 1
    assert found.crossings == {"road": {"left": 0, "right": 1}}
    assert found.zones["half"]["entered"] == 1
    crossing = next(one for one in found.findings if one.kind == "crossing")
    assert crossing.verdict is not None
    assert crossing.verdict.kind == "supported"
    assert abs(float(crossing.span.start) - 6.5) < 1.0
    check_schema(found.to_json(), "watch")


def test_the_recording_is_told_in_words_with_times_of_the_day(found: Watch) -> None:
    told = " ".join(summary(found, datetime(2026, 5, 1, 8, 0)))
    assert "1 car passed" in told
    assert "2026-05-01 08:00:00" in told
    assert "Over “road”: 0 left, 1 right." in told
    rows = list(csv.DictReader(io.StringIO(event_table(found, datetime(2026, 5, 1, 8, 0)))))
    assert {row["kind"] for row in rows} >= {"crossing", "entering"}
    assert rows[0]["at"].startswith("2026-05-01 08:00:0")


def test_the_page_has_the_scene_and_counts(video: Video, found: Watch) -> None:
    page = render(page_of(video.media, found, blur=True))
    for title in ("Heat map", "Zones and lines", "How busy it was", "Comings and goings", "Counts"):
        assert title in page


def test_what_was_not_looked_at_is_said(video: Video, found: Watch) -> None:
    del video
    assert any(line.startswith("objects perceived 0%") for line in found.limits)
    assert any("nobody is identified" in line for line in found.limits)


def test_flags_that_do_not_fit_together_are_refused(tmp_path: Path) -> None:
    run = CliRunner().invoke
    assert run(vidence, ["watch", "a.mp4", "--copy", "b.mp4"]).exit_code == 2
    assert run(vidence, ["watch", "a.mp4", "b.mp4", "--csv", str(tmp_path / "x.csv")]).exit_code == 2


def test_a_copy_has_no_faces_left() -> None:
    from vidence.apps.watch.privacy import covers_of

    person = people(path(0, *walk(0.3, 0.6)))
    told: Sequence[Any] = covers_of(Watch(Scene(), tuple(person), (), (), None, None))  # type: ignore[arg-type]
    (head,) = told
    box = head.box(Fraction(2))
    whole = person[0].path[4][1]
    assert box is not None
    assert box.y <= whole.y
    assert box.h < whole.h / 2
    assert box.x <= whole.x


def test_the_example_of_the_documents_is_read() -> None:
    import re

    text = (Path(__file__).parents[2] / "docs/watch.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)
    scene = read_scene(example, "docs/watch.md")
    assert (len(scene.zones), len(scene.lines)) == (2, 1)


def test_every_file_is_written_from_the_command_line(perceived: tuple[Path, Path], tmp_path: Path) -> None:
    memory = shutil.copy(perceived[1], tmp_path / "m.sqlite")
    scene = tmp_path / "yard.yaml"
    scene.write_text(
        "movers: car\nlines: [{name: road, from: [0.5, 0.2], to: [0.5, 0.9]}]\n", encoding="utf-8"
    )
    places = {name: tmp_path / f"out.{name}" for name in ("csv", "tracks", "coco", "cvat", "html")}
    pictures = {name: tmp_path / f"{name}.png" for name in ("heat", "ruler")}
    flags = [part for name, place in (places | pictures).items() for part in (f"--{name}", str(place))]
    shared = ["--memory", str(memory), "--scene", str(scene), "--json", "-q"]
    done = CliRunner().invoke(vidence, ["watch", str(perceived[0]), *flags, *shared])
    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout)
    check_schema(found, "watch")
    assert found["lines"] == {"road": {"left": 0, "right": 1}}
    assert all(place.stat().st_size > 100 for place in (places | pictures).values())
    assert {row[2] for row in read_coco(places["coco"].read_text())} == {"car"}
    assert "Over road" in places["html"].read_text(encoding="utf-8")


def waiting(number: int) -> np.ndarray:
    """Show one who comes from the left, waits from 4 to 12 s, and goes on, of 18 s at 10 a second."""
    image = scene_picture(0)
    x = {0: 3.0 * (number - 15), 1: 75.0, 2: 75.0 + 3.0 * (number - 120)}[(number >= 40) + (number >= 120)]
    if 15 <= number < 155:
        image[40:90, max(int(x), 0) : max(int(x) + 14, 0)] = (20, 20, 30)
    return image


def test_one_who_waits_is_checked_against_the_empty_place(make_video: Any, tmp_path: Path) -> None:
    film = make_video("wait.mp4", frames=180, fps=10, size=(160, 120), paint=waiting)
    zone = Zone("door", ((0.3, 0.3), (0.8, 0.3), (0.8, 1.0), (0.3, 1.0)), loiter_s=6)
    with open_video(film, memory=tmp_path / "m.sqlite") as video:
        video.senses = [Motion()]
        found = watch(video, Scene(movers="person", zones=(zone,)))
    (stay,) = [one for one in found.findings if one.kind == "loitering"]
    assert stay.span.iou(Span.of(4, 12)) > 0.7
    assert stay.verdict is not None
    assert stay.verdict.kind == "supported"
    assert stay.evidence[0].frame_hash
    assert "it differs by" in stay.verdict.checked_by


def test_the_shape_of_what_is_there_is_read_from_the_pictures() -> None:
    empty = np.full((100, 100, 3), 120, np.uint8)
    stands, lies = empty.copy(), empty.copy()
    stands[40:80, 45:55] = 20
    lies[70:80, 30:70] = 20
    assert shape(empty, stands, Box(0.45, 0.4, 0.1, 0.4), 1.0) == pytest.approx(4, rel=0.1)
    assert shape(empty, lies, Box(0.3, 0.7, 0.4, 0.1), 1.0) == pytest.approx(0.25, rel=0.1)
    assert shape(empty, empty, Box(0.3, 0.7, 0.4, 0.1), 1.0) == 0
    inside, outside = differs(empty, stands, Box(0.45, 0.4, 0.1, 0.4))
    assert inside > 90
    assert outside < 1


def test_one_who_comes_to_stand_there_is_no_thing_taken_away() -> None:
    stands = people(path(0, *walk(0.1, 0.45, steps=10), *[(0.45, 0.7)] * 40))
    assert left_and_removed([change("disappeared", 4, 6)], stands, Scene(), WHOLE) == []
