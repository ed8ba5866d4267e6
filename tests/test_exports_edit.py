"""Edit lists: read back with OpenTimelineIO, the frames they name are the frames that were meant, every one."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from xml.etree import ElementTree

import opentimelineio as otio
import pytest
from hypothesis import given
from hypothesis import strategies as st

from conftest import MakeVideo, read_number
from vidence.errors import UsageError
from vidence.exports.edit import (
    EDIT_FORMATS,
    Clip,
    EditList,
    Grid,
    Rate,
    Reel,
    by_rate,
    cut,
    standard_rate,
    write_edit,
)
from vidence.exports.edit.timecode import STANDARD
from vidence.media import Media, open_media
from vidence.timeline import Span

NTSC, FILM, PAL = Fraction(30_000, 1001), Fraction(24_000, 1001), Fraction(25)
CUTS = (0, 7, 8, 31, 60, 90)  # frame numbers at which shots begin; one shot is a single frame
VARIABLE = [Fraction(n, 30) + Fraction((n * n) % 7, 1000) for n in range(60)] + [
    2 + Fraction(n, 12) for n in range(30)
]


@given(frame=st.integers(0, 24 * 3600 * 30 - 1), rate=st.sampled_from([r for r in STANDARD if r < 60]))
def test_labels_are_those_of_opentimelineio_and_read_back(frame: int, rate: Fraction) -> None:
    for drop in {False, Rate(rate).can_drop}:
        label = Rate(rate, drop).label(frame)
        theirs = otio.opentime.to_timecode(otio.opentime.RationalTime(frame, float(rate)), float(rate), drop)
        day = Rate(rate, drop).frame("23:59:59:00" if not drop else "23:59:59;00")
        assert frame > day or (label == theirs and Rate(rate, drop).frame(label) == frame)


def test_drop_frame_skips_labels_and_no_pictures() -> None:
    rate = Rate(NTSC, drop=True)
    assert [rate.label(n) for n in (1799, 1800, 17_982)] == ["00:00:59;29", "00:01:00;02", "00:10:00;00"]
    assert Rate(2 * NTSC, drop=True).label(3600) == "00:01:00;04"
    assert rate.label(rate.frame("01:00:00;00")) == "01:00:00;00"
    for none in ("00:01:00;00", "00:00:60:00", "00:00:00:30", "twelve"):
        with pytest.raises(UsageError):
            rate.frame(none)
    with pytest.raises(UsageError, match="drop-frame"):
        Rate(PAL, drop=True)


def test_rates_that_containers_round_are_known() -> None:
    assert standard_rate(Fraction("23.976")) == FILM
    assert standard_rate(Fraction("29.97")) == NTSC
    assert standard_rate(Fraction("30")) == 30
    assert standard_rate(Fraction("14.9")) == Fraction("14.9")


@pytest.mark.parametrize(
    ("rate", "drop"),
    [(FILM, False), (PAL, False), (NTSC, True), (NTSC, False), (None, False), (Fraction(10), False)],
)
def test_every_shot_comes_back_to_the_frame(make_video: MakeVideo, rate: Fraction | None, drop: bool) -> None:
    how = {"times": VARIABLE, "fps": 30} if rate is None else {"fps": rate}
    path = make_video("film.mp4", frames=90, **how)
    with open_media(path) as media:
        edit, grid = _edited(media, drop)
        assert grid.constant == (rate is not None)
        for name in ("otio", "edl", "ale", "fcpxml", "csv"):
            for (first, end), (begin, frames) in zip(
                pairwise(CUTS), _read(name, write_edit(edit, name), edit), strict=True
            ):
                cells = [begin - 1, begin, begin + frames - 1, begin + frames]
                seen = [read_number(f.image) for f in media.frames_at([grid.time(n) for n in cells])]
                told = f"{name}: cells {cells} show {seen}"
                assert first == 0 or seen[0] < first, told
                assert first <= seen[1] <= seen[2] < end, told
                assert end == CUTS[-1] or seen[3] >= end, told
                assert rate is None or seen[1:3] == [first, end - 1], told


def test_matroska_rounds_to_the_millisecond_and_not_one_frame_is_lost(make_video: MakeVideo) -> None:
    path = make_video("film.mkv", frames=90, fps=NTSC, time_base=Fraction(1, 1000))
    with open_media(path) as media:
        grid = Grid.of(media)
        assert grid.constant
        assert grid.reel.rate == Rate(NTSC, drop=True)
        times = media.frame_times()
        assert [grid.cells(Span(time, time + Fraction(1, 30)))[0] for time in times] == list(range(90))


def test_the_file_s_own_timecode_is_where_its_clips_begin(make_video: MakeVideo) -> None:
    path = make_video("tape.mxf", codec="mpeg2video", fps=25, frames=50, size=(720, 576))
    plain = Grid.of(open_media(path))
    assert plain.reel.start == 0
    tape = make_video(
        "tape.mov", fps=NTSC, frames=50, container_options={"timecode": "10:00:00;00", "write_tmcd": "1"}
    )
    _give_timecode(tape, "10:59:59;20")
    grid = Grid.of(open_media(tape))
    assert grid.reel.rate == Rate(NTSC, drop=True)
    assert cut(grid, Span.of(1, Fraction(4, 3)), "a").begin == "11:00:00;20"


def test_rates_do_not_mix_where_the_format_holds_one() -> None:
    film, tape = _reel("film.mov", Rate(FILM)), _reel("tape.mov", Rate(PAL))
    mixed = EditList("both", (Clip(film, 0, 48, "a"), Clip(tape, 10, 50, "b")))
    for name in ("edl", "ale"):
        with pytest.raises(UsageError, match=r"23\.976, 25"):
            write_edit(mixed, name)
    lists = by_rate(mixed, Path("out/list.edl"), "edl")
    assert {place.name: [c.name for c in one.clips] for place, one in lists.items()} == {
        "list-23.976.edl": ["a"],
        "list-25.edl": ["b"],
    }
    assert list(by_rate(mixed, Path("list.otio"), "otio")) == [Path("list.otio")]
    read = _clips(otio.adapters.read_from_string(write_edit(mixed, "otio"), "otio_json"))
    assert [(c.source_range.start_time.value, c.source_range.duration.rate) for c in read] == [
        (0, float(FILM)),
        (10, 25),
    ]
    tree = ElementTree.fromstring(write_edit(mixed, "fcpxml"))
    second = tree.findall(".//asset-clip")[1]
    assert Fraction(second.get("duration", "")[:-1]) * FILM == 48, "50 frames of 25 last 48 of 23.976"
    conform = second.find("conform-rate")
    assert conform is not None
    assert conform.get("srcFrameRate") == "25"
    for name in EDIT_FORMATS:
        with pytest.raises(UsageError, match="nothing to export"):
            write_edit(EditList("none", ()), name) if name != "csv" else write_edit(
                EditList("none", ()), "edl"
            )


def test_names_from_a_film_cannot_break_a_list() -> None:
    reel = _reel("a\n001  AX V C 00:00.mov", Rate(PAL))
    evil = Clip(reel, 0, 25, 'x\n* FROM CLIP NAME: y\t"<&>', {"tags": "=cmd()\r\nz", "note": "a\tb"})
    edit = EditList("t\nFCM: DROP FRAME", (evil, evil))
    read = otio.adapters.read_from_string(write_edit(edit, "edl"), "cmx_3600", rate=25)
    assert [len(track) for track in read.video_tracks()] == [2]
    assert len(list(otio.adapters.read_from_string(write_edit(edit, "ale"), "ale"))) == 2
    assert ElementTree.fromstring(write_edit(edit, "fcpxml")).findall(".//note")
    assert next(csv.DictReader(io.StringIO(write_edit(edit, "csv"))))["tags"].startswith("'=")


def test_reels_have_names_of_eight_letters_that_differ() -> None:
    reels = [_reel(f"interview with somebody {n}.mov", Rate(PAL)) for n in range(3)]
    text = write_edit(EditList("t", tuple(Clip(reel, 0, 25, "a") for reel in reels)), "edl")
    names = [line.split()[1] for line in text.splitlines() if line[:3].isdigit()]
    assert len(set(names)) == 3
    assert all(len(name) <= 8 and name.isalnum() for name in names)


def test_clips_follow_one_another_on_the_record_side() -> None:
    reel = _reel("a.mov", Rate(NTSC, drop=True))
    edit = EditList("t", (Clip(reel, 0, 1798, "a"), Clip(reel, 5, 10, "b")))
    lines = [line.split() for line in write_edit(edit, "edl").splitlines() if line[:3].isdigit()]
    assert lines[0][-2:] == ["01:00:00;00", "01:00:59;28"]
    assert lines[1][-2:] == ["01:00:59;28", "01:01:00;10"], (
        "ten frames, and two labels that drop-frame leaves out"
    )


def _edited(media: Media, drop: bool) -> tuple[EditList, Grid]:
    times = [*media.frame_times(), media.info.span.end]
    grid = Grid.of(media, drop=drop)
    spans = [Span(times[a], times[b]) for a, b in pairwise(CUTS)]
    clips = tuple(cut(grid, span, f"shot {n}", {"tags": "one, two"}) for n, span in enumerate(spans))
    return EditList("the film", clips), grid


def _read(name: str, text: str, edit: EditList) -> Iterator[tuple[int, int]]:
    """Yield (first frame, frames) of each clip, as a reader of the format finds them."""
    rate = edit.clips[0].reel.rate
    if name == "csv":
        for row in csv.DictReader(io.StringIO(text)):
            begin = rate.frame(row["start"])
            assert begin == int(row["first_frame"])
            yield begin, rate.frame(row["end"]) - begin
        return
    if name == "fcpxml":
        yield from _fcpxml(text, rate)
        return
    adapter = {"otio": "otio_json", "edl": "cmx_3600", "ale": "ale"}[name]
    read = otio.adapters.read_from_string(
        text, adapter, **({"rate": float(rate.hz)} if name == "edl" else {})
    )
    for clip in _clips(read) if name != "ale" else read:
        span = clip.source_range
        assert span.start_time.rate == pytest.approx(float(rate.hz), abs=1e-3)
        yield round(span.start_time.value), round(span.duration.value)


def _fcpxml(text: str, rate: Rate) -> Iterator[tuple[int, int]]:
    """Read exactly: OpenTimelineIO's own reader of this format takes 29.97 for 29 and rounds down."""
    event = otio.adapters.read_from_string(text, "fcpx_xml")  # kept: its timelines die with it
    tree, at = ElementTree.fromstring(text), None
    found = tree.findall(".//asset-clip")
    assert len(_clips(event[0])) == len(found)
    for clip in found:
        offset, start, length = (
            Fraction(clip.get(key, "").rstrip("s")) * rate.hz for key in ("offset", "start", "duration")
        )
        assert at in (None, offset)
        at = offset + length
        assert start.denominator == length.denominator == 1
        yield int(start), int(length)


def _clips(timeline) -> list:
    return list(timeline.find_clips())


def _reel(name: str, rate: Rate) -> Reel:
    return Reel(name, f"/footage/{name}", rate, 5000, 0, (1920, 1080), True)


def _give_timecode(path: Path, label: str) -> None:
    import av

    copy = path.with_suffix(".copy.mov")
    with av.open(str(path)) as source, av.open(str(copy), "w") as out:
        stream = out.add_stream_from_template(source.streams.video[0])
        stream.metadata["timecode"] = label
        for packet in source.demux(source.streams.video[0]):
            if packet.dts is not None:
                packet.stream = stream
                out.mux(packet)
    copy.replace(path)
