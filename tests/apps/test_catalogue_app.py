"""Cataloguing: each thing that is told of a shot, on observations and films whose truth is known; finding; lists."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import opentimelineio as otio
import pytest
from click.testing import CliRunner

from app_cases import check_schema
from conftest import MakeVideo
from vidence.apps.catalogue import Catalogue, Query, catalogue, find
from vidence.apps.catalogue.content import people_of, sound_of, things_of
from vidence.apps.catalogue.flaws import flaws_of
from vidence.apps.catalogue.light import light_of, page_of, place_of
from vidence.apps.catalogue.movement import movement_of
from vidence.apps.catalogue.page import to_html
from vidence.apps.catalogue.size import SIZES, size_of
from vidence.apps.catalogue.takes import grouped
from vidence.apps.catalogue.trait import ShotRecord, Trait
from vidence.apps.catalogue.vocabulary import parse, standard
from vidence.cli.group import vidence
from vidence.errors import UsageError
from vidence.memory import Memory
from vidence.senses import default_senses
from vidence.senses.clipping import clipped_runs
from vidence.senses.observation import Box, Observation, Producer
from vidence.senses.picture import Sample, measure
from vidence.timeline import Span
from vidence.video import open as open_video

SHOT = Span.of(0, 10)
WIDE = 16 / 9


def seen(
    sense: str, text: str, box: Box | None = None, span: Span = SHOT, sure: float = 0.9, **data: Any
) -> Observation:
    modality: Any = {"speech": "speech", "text": "text", "sound": "audio"}.get(sense, "visual")
    track = ((span.start, box),) if box else ()
    return Observation(span, modality, Producer(sense, "1"), text, sure, track, data=data)


def camera(move: str, start: float, end: float) -> Observation:
    return seen("motion", move, span=Span.of(start, end), kind="camera", move=move, scale=1.0, dx=0.0, dy=0.0)


def colour(
    brightness: float, top: str, colours: Sequence[tuple[str, float]], monochrome: bool = False
) -> Observation:
    regions = [[top] * 3, ["grey"] * 3, ["grey"] * 3]
    return seen(
        "colour", "", brightness=brightness, regions=regions, colours=[list(c) for c in colours],
        monochrome=monochrome, saturation=0.2, tint=None,
    )  # fmt: skip


def sample(image: np.ndarray) -> Sample:
    return measure(image, Fraction(1))


def texture(seed: int, width: int = 480, height: int = 270) -> np.ndarray:
    """Paint a picture with edges at all scales, as photographs have."""
    rng = np.random.default_rng(seed)
    layers = [
        cv2.resize(rng.integers(0, 256, (n, 2 * n, 3)).astype(np.float32), (width, height))
        for n in (4, 12, 40, 90)
    ]
    return np.clip(sum(layers) / 4 * 1.6 - 75, 20, 235).astype(np.uint8)


# What a shot is


@pytest.mark.parametrize(
    ("height", "size"),
    [(0.8, "extreme close-up"), (0.4, "close-up"), (0.22, "medium close-up"), (0.15, "medium"), (0.1, "medium wide"),
     (0.06, "full"), (0.03, "wide")],
)  # fmt: skip
def test_the_height_of_a_face_tells_the_size(height: float, size: str) -> None:
    face = seen("faces", "face", Box(0.4, 0.1, height / 2, height))
    told = size_of(SHOT, [face], WIDE)
    assert told is not None
    assert told.value == size
    assert told.source is face


@pytest.mark.parametrize(
    ("box", "size"),
    [
        (Box(0.45, 0.1, 0.12, 0.8), "full"),
        (Box(0.45, 0.4, 0.06, 0.4), "wide"),
        (Box(0.45, 0.5, 0.02, 0.12), "extreme wide"),
        (Box(0.3, 0.1, 0.3, 0.9), "medium"),
        (Box(0.2, 0.05, 0.7, 0.95), "close-up"),
        (Box(0.2, 0.0, 0.5, 0.6), "medium close-up"),
    ],
)
def test_a_figure_tells_the_size_by_how_much_of_it_is_there(box: Box, size: str) -> None:
    told = size_of(SHOT, [seen("objects", "person", box)], WIDE)
    assert told is not None
    assert told.value == size


def test_a_bigger_face_never_makes_a_wider_shot_and_nothing_seen_tells_nothing() -> None:
    heights = [0.02 + 0.01 * n for n in range(90)]
    told = [size_of(SHOT, [seen("faces", "face", Box(0.3, 0, h / 2, h))], WIDE) for h in heights]
    ranks = [SIZES.index(one.value) for one in told if one]
    assert ranks == sorted(ranks)
    assert size_of(SHOT, [], WIDE) is None


def test_camera_moves_are_named_as_film_does_and_by_their_share() -> None:
    assert [t.value for t in movement_of(SHOT, [camera("static", 0, 10)])] == ["static"]
    moves = [camera("static", 0, 4), camera("pan left", 4, 9), camera("zoom in", 9, 10)]
    assert [t.value for t in movement_of(SHOT, moves)] == ["pan left"]
    assert [t.value for t in movement_of(SHOT, [camera("shake", 0, 6), camera("tilt up", 6, 10)])] == [
        "handheld",
        "tilt up",
    ]
    assert movement_of(SHOT, [camera("pan left", 0, 4)]) == [], "most of the shot was not followed"


def test_people_are_counted_at_one_time_and_not_over_the_shot() -> None:
    box = Box(0.1, 0.1, 0.2, 0.5)
    after = [seen("objects", "person", box, Span.of(0, 4)), seen("objects", "person", box, Span.of(5, 10))]
    assert [t.value for t in people_of(SHOT, after, looked=True)] == ["one"]
    both = [seen("objects", "person", box, Span.of(0, 6)), seen("objects", "person", box, Span.of(5, 10))]
    assert [t.value for t in people_of(SHOT, both, looked=True)] == ["two"]
    assert [t.value for t in people_of(SHOT, [], looked=True)] == ["nobody"]
    assert people_of(SHOT, [], looked=False) == [], "unseen is not absent"


def test_light_and_place() -> None:
    day = [colour(0.6, "blue", [("blue", 0.4), ("green", 0.4)])]
    assert [t.value for t in place_of(SHOT, day)] == ["exterior", "day"]
    room = [colour(0.4, "brown", [("brown", 0.7)]), seen("objects", "couch"), seen("objects", "tv")]
    assert [t.value for t in place_of(SHOT, room)] == ["interior"]
    assert "black and white" in [
        t.value for t in light_of(SHOT, [colour(0.5, "grey", [("grey", 1.0)], True)], [])
    ]
    dark = light_of(SHOT, [colour(0.2, "black", [("black", 0.9)])], [])
    assert [t.value for t in dark] == ["dark"]
    lines = [seen("text", f"line {n}") for n in range(4)]
    page = page_of(SHOT, lines, [])
    assert page is not None
    assert page_of(SHOT, [replace(line, span=Span.of(0, 2)) for line in lines], []) is None, (
        "a title that passes"
    )
    assert [t.value for t in things_of(SHOT, [seen("objects", "dog"), seen("objects", "cat", sure=0.2)])] == [
        "dog"
    ]
    assert [t.value for t in sound_of(SHOT, [], recorded=False)] == ["no sound"]


def test_flaws_are_measured_on_the_picture() -> None:
    sharp = texture(1)
    assert flaws_of(SHOT, [], [sample(sharp)], 0) == []
    for image, flaw in (
        (cv2.GaussianBlur(sharp, (0, 0), 4), "blurred"),
        (np.clip(sharp.astype(int) * 3, 0, 255).astype(np.uint8), "burnt out"),
        ((sharp * 0.12).astype(np.uint8), "under-exposed"),
        (np.zeros_like(sharp), "black"),
    ):
        assert [t.value for t in flaws_of(SHOT, [], [sample(image)] * 3, 0)] == [flaw]
    night = sharp // 30
    night[100:150, 200:280] = sharp[100:150, 200:280]
    assert flaws_of(SHOT, [], [sample(night)] * 3, 0) == [], "low-key: what is lit is lit"
    white = np.full_like(sharp, 255)
    white[40:60, 40:200] = sharp[40:60, 40:200]
    assert flaws_of(SHOT, [], [sample(white)], 5) == [], "a page is white and not burnt out"


def test_sound_clips_where_it_stands_at_the_ceiling() -> None:
    wave = np.sin(2 * np.pi * 200 * np.arange(48_000) / 48_000).astype(np.float32)
    assert clipped_runs(0.9 * wave) == []
    assert len(clipped_runs(np.clip(1.5 * wave, -1, 1))) == 400, "twice a period"


# Takes


def shot(number: int, seed: int, said: str = "", shift: int = 0, length: int = 4) -> ShotRecord:
    image = np.roll(texture(seed), shift, axis=1)
    layouts = np.stack([sample(image).layout] * 8)
    dialogue = (seen("speech", said),) if said else ()
    span = Span.of(10 * number, 10 * number + length)
    return ShotRecord(number, span, dialogue=dialogue, layouts=layouts, sharpness=0.5 + 0.01 * number)


def takes(shots: Sequence[ShotRecord]) -> list[tuple[int, ...]]:
    groups: dict[int, list[int]] = {}
    for one in grouped(shots):
        if one.take:
            groups.setdefault(one.take.setup, []).append(one.number)
    return sorted(tuple(numbers) for numbers in groups.values())


def test_takes_repeat_the_framing_and_the_words() -> None:
    line = "we are closed on Sundays my friend"
    assert takes([shot(1, 5, line), shot(2, 6), shot(3, 5, line + " indeed", shift=6)]) == [(1, 3)]


def test_a_conversation_that_goes_to_and_fro_has_no_takes() -> None:
    said = [
        "where were you last night",
        "at home with my sister",
        "nobody saw you there at all",
        "she did ask her",
    ]
    assert takes([shot(n, 5 + n % 2, text) for n, text in enumerate(said)]) == []


def test_silent_shots_are_takes_only_where_they_go_alike_all_along() -> None:
    moving = replace(
        shot(2, 5),
        layouts=np.stack(
            [sample(texture(40 + n)).layout if 1 < n < 7 else shot(1, 5).layouts[0] for n in range(8)]
        ),
    )  # type: ignore[index]
    assert takes([shot(1, 5), shot(3, 5)]) == [(1, 3)]
    assert takes([shot(1, 5), moving]) == []
    assert takes([shot(1, 5, length=1), shot(3, 5, length=9)]) == []


def test_the_best_take_has_the_fewest_flaws_then_is_sharpest() -> None:
    spoilt = replace(shot(3, 5), traits=(Trait("flag", "blurred", 0.9),), sharpness=0.99)
    best = [one.number for one in grouped([shot(1, 5), shot(2, 5), spoilt]) if one.take and one.take.best]
    assert best == [2]


# The vocabulary


def record(**traits: str) -> ShotRecord:
    return ShotRecord(1, SHOT, tuple(Trait(name, value, 0.8) for name, value in traits.items()))


def test_the_vocabulary_that_ships_tags_what_is_told() -> None:
    told = record(size="close-up", people="one", sound="speech", place="interior")
    ids = {tag.id for tag in standard().tags(told)}
    assert ids == {"cu", "one-person", "talking-head", "interior", "dialogue"}


def test_a_vocabulary_of_one_s_own_gives_the_tags() -> None:
    own = parse(
        "name: mine\nfacets:\n- name: news\n  terms:\n"
        "  - {id: soundbite, label: Sound bite, when: {sound: speech, longer_s: 5}}\n"
        "  - {id: weather, label: Weather, when: [{said: [rain, sunshine]}, {written: ['*']}]}\n",
        "mine.yaml",
    )
    talk = replace(record(sound="speech"), dialogue=(seen("speech", "It rained all day."),))
    assert [tag.label for tag in own.tags(talk)] == ["Sound bite", "Weather"]
    assert own.tags(record(size="wide")) == []


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("facets: 3", "facets"),
        ("facets:\n- name: a\n  terms:\n  - {id: x, when: {siez: wide}}", "siez"),
        ("facets:\n- name: a\n  terms:\n  - {id: x, when: {size: huge}}", "huge"),
        (
            "facets:\n- name: a\n  terms:\n  - {id: x, when: {size: wide}}\n  - {id: x, when: {size: full}}",
            "two terms",
        ),
        ("a: [", "YAML"),
    ],
)
def test_a_wrong_vocabulary_says_where(text: str, told: str) -> None:
    with pytest.raises(UsageError, match=f"mine.yaml.*{told}"):
        parse(text, "mine.yaml")


def test_a_query_names_terms_and_leaves_the_rest() -> None:
    terms, rest = standard().named_in("a medium close-up of a dog, indoors")
    assert [term.id for term in terms] == ["mcu", "interior"]
    assert rest == ["dog"]


# A film, end to end

LINES = ("we sell bread and milk", "the harbour lies in fog", "please close the window")


def paint(number: int) -> np.ndarray:
    """Three shots of a second and a half, at 25 pictures a second."""
    return texture(10 + number // 38, 320, 180)


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, Path, Catalogue]]:
    from conftest import write_video

    folder = tmp_path_factory.mktemp("film")
    path = write_video(folder / "film.mp4", frames=114, fps=Fraction(25), size=(320, 180), paint=paint)
    cues = "\n".join(
        f"{n + 1}\n00:00:0{n * 1.52 + 0.2:.3f} --> 00:00:0{n * 1.52 + 1.3:.3f}\n{line}\n"
        for n, line in enumerate(LINES)
    )
    path.with_suffix(".srt").write_text(cues.replace(".", ","))
    with open_video(path, memory=folder / "m.sqlite") as video:
        video.senses = default_senses(["shots", "speech", "colour"])
        yield path, folder / "m.sqlite", catalogue(video)


def test_shots_of_a_film_are_told_with_their_words_and_say_what_was_not_seen(
    told: tuple[Path, Path, Catalogue],
) -> None:
    _, _, result = told
    assert [one.span for one in result.shots] == [
        Span.of(Fraction(38 * n, 25), Fraction(38 * n + 38, 25)) for n in range(3)
    ]
    assert [one.said for one in result.shots] == list(LINES)
    assert any("objects perceived 0%" in line for line in result.limits)
    assert all(one.value("people") is None for one in result.shots), "nobody looked"
    check_schema({"file": "film.mp4", **result.to_json()}, "catalogue")


def test_shots_are_found_by_dialogue_by_picture_and_by_example(
    told: tuple[Path, Path, Catalogue], tmp_path: Path
) -> None:
    path, memory, result = told
    still = tmp_path / "still.png"
    cv2.imwrite(str(still), cv2.resize(texture(11, 320, 180), (640, 360))[:, :, ::-1])
    with Memory.open(memory) as known:

        def first(query: Query) -> int:
            return find(query, [result], known)[0].shot.number

        assert [first(Query(said=line)) for line in LINES] == [1, 2, 3]
        assert first(Query(said="fog at the port")) == 2, "by meaning"
        assert first(Query(text="bread")) == 1
        assert first(Query(image=still)) == 2
        like = find(Query(like=("film.mp4", Fraction(2))), [result], known)
        assert 2 not in [one.shot.number for one in like]
        for wrong in (
            Query(),
            Query(image=path),
            Query(like=("other.mp4", Fraction(0))),
            Query(like=("film", Fraction(9))),
        ):
            with pytest.raises(UsageError):
                find(wrong, [result], known)


def test_the_page_shows_shots_and_finds(told: tuple[Path, Path, Catalogue]) -> None:
    path, memory, result = told
    with open_video(path, memory=memory) as video:
        with Memory.open(memory) as known:
            found = find(Query(said="window"), [result], known)
        page = to_html(video, result, found, "<window>")
    assert "Found: &lt;window&gt;" in page
    assert page.count('class="card ') == 3


def test_the_command_exports_its_finds_to_the_frame(
    told: tuple[Path, Path, Catalogue], tmp_path: Path
) -> None:
    path, memory, _ = told
    place = tmp_path / "found.edl"
    arguments = [
        "catalogue",
        str(path),
        "--memory",
        str(memory),
        "--said",
        "the harbour",
        "--limit",
        "1",
        "--json",
        "-q",
    ]
    done = CliRunner().invoke(vidence, [*arguments, "--time-limit", "0", "--export", str(place)])
    assert done.exit_code in (0, 1), done.output
    output = json.loads(done.stdout)
    check_schema(output, "catalogue")
    assert [one["shot"] for one in output["found"]] == [2]
    (clip,) = otio.adapters.read_from_file(str(place), "cmx_3600", rate=25).find_clips()
    assert (clip.source_range.start_time.value, clip.source_range.duration.value) == (38, 38)
    wrong = CliRunner().invoke(vidence, ["catalogue", str(path), "--export", "list.aaf"])
    assert wrong.exit_code == 2
    printed = CliRunner().invoke(vidence, ["catalogue", "none.mp4", "--show-vocabulary"])
    assert parse(printed.output, "printed").terms == standard().terms


def test_takes_in_a_film_are_found(make_video: MakeVideo) -> None:
    path = make_video(
        "rushes.mp4",
        frames=150,
        fps=25,
        size=(320, 180),
        paint=lambda n: texture(10 + (n // 50) % 2, 320, 180),
    )
    with open_video(path, memory=path.with_suffix(".sqlite")) as video:
        video.senses = default_senses(["shots"])
        result = catalogue(video)
    assert {setup: [one.number for one in group] for setup, group in result.takes.items()} == {1: [1, 3]}
