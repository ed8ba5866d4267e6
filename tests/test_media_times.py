"""Time is exact: each picture has the presentation time it was written with, however it is reached."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from typing import Any

import pytest

from conftest import MakeVideo, read_number
from vidence.media import Media, open_media
from vidence.timeline import Instant, Span

VARIABLE = [Fraction(ms, 1000) for ms in (0, 40, 100, 101, 300, 777, 1500, 1540, 1580, 3000, 3033, 4100)]
CASES: dict[str, dict[str, Any]] = {
    "plain.mp4": {},
    "reordered.mp4": {"b_frames": 3},
    "ntsc.mp4": {"fps": Fraction(30000, 1001), "b_frames": 2},
    "one_fps.mp4": {"fps": 1, "frames": 20},
    "fast.mp4": {"fps": 240, "frames": 120},
    "variable.mp4": {"times": VARIABLE, "time_base": Fraction(1, 1000), "b_frames": 2, "gop": 4},
    "variable.mkv": {"times": VARIABLE, "time_base": Fraction(1, 1000), "b_frames": 2, "gop": 4},
    "late.mp4": {"start": Fraction(5, 2), "tone_hz": 440},
    "late.mkv": {"start": Fraction(5, 2), "b_frames": 2},
    "stream.ts": {"b_frames": 2, "tone_hz": 440},
    "mpeg2.ts": {"codec": "mpeg2video", "b_frames": 2},
    "program.mpg": {"codec": "mpeg2video", "b_frames": 2},
    "divx.avi": {"codec": "mpeg4"},
    "divx_reordered.avi": {"codec": "mpeg4", "b_frames": 2},
    "h264_reordered.avi": {"b_frames": 2},
    "raw.h264": {"b_frames": 2},
    "hidden.webm": {"codec": "libvpx", "options": {"auto-alt-ref": "1", "lag-in-frames": "16"}},
    "vp9.webm": {"codec": "libvpx-vp9", "options": {"deadline": "realtime", "cpu-used": "8"}},
    "flash.flv": {"codec": "flv"},
    "windows.asf": {"codec": "wmv2"},
    "intra.mkv": {"codec": "ffv1"},
    "gif.gif": {"codec": "gif", "pixel_format": "rgb8", "frames": 20},
    "open_gop.mkv": {"b_frames": 3, "options": {"x264-params": "open-gop=1:scenecut=0", "preset": "medium"}},
}


@pytest.fixture(params=CASES)
def medium(request: pytest.FixtureRequest, make_video: MakeVideo):
    with open_media(make_video(request.param, **CASES[request.param])) as media:
        yield media


def sequence(media: Media) -> list[tuple[Instant, int]]:
    """Decode everything in order: (time, number painted)."""
    return [(frame.time, read_number(frame.image)) for frame in media.frames()]


def on_screen(shown: list[tuple[Instant, int]], time: Instant) -> tuple[Instant, int]:
    """Return what a player would show at a time."""
    return max((entry for entry in shown if entry[0] <= time), default=shown[0])


def test_sequence_holds_every_picture_once_and_in_order(medium: Media) -> None:
    shown = sequence(medium)
    assert [number for _, number in shown] == list(range(len(shown)))
    assert len(shown) >= 11
    assert all(a[0] < b[0] for a, b in pairwise(shown))
    assert not medium.problems


def test_packets_and_decoder_agree_on_times(medium: Media) -> None:
    assert medium.frame_times() == [time for time, _ in sequence(medium)]


def test_exact_frames_are_those_on_screen(medium: Media) -> None:
    shown = sequence(medium)
    begins = [time for time, _ in shown]
    asked = (
        begins[::3]
        + [time + Fraction(1, 10_000) for time in begins[::4]]
        + [time - Fraction(1, 10_000) for time in begins[::5]]
    )
    asked.reverse()
    frames = medium.frames_at(asked, mode="exact")
    assert [(f.time, read_number(f.image)) for f in frames] == [on_screen(shown, time) for time in asked]


def test_each_frame_alone_is_exact(medium: Media) -> None:
    shown = sequence(medium)
    medium.close()
    for time, number in shown[:: max(1, len(shown) // 7)]:
        with open_media(medium.path) as fresh:
            frame = fresh.frames_at([time])[0]
        assert (frame.time, read_number(frame.image)) == (time, number)


def test_span_covers_the_pictures(medium: Media) -> None:
    shown = sequence(medium)
    span = medium.info.span
    assert span.start <= shown[0][0] < shown[-1][0] < span.end
    assert span.end - shown[-1][0] <= Fraction(11, 10)


def test_durations_tile_the_screen_time(medium: Media) -> None:
    frames = list(medium.frames(max_side=16))
    assert all(a.time + a.duration == b.time for a, b in pairwise(frames))
    assert frames[-1].duration > 0


@pytest.mark.parametrize(
    "name", ["reordered.mp4", "variable.mkv", "late.mkv", "stream.ts", "vp9.webm", "open_gop.mkv"]
)
def test_key_frames_are_the_nearest_before(name: str, make_video: MakeVideo) -> None:
    media = open_media(make_video(name, **CASES[name]))
    keys, shown = media.keyframe_times(), dict(sequence(media))
    asked = [*shown, media.info.span.end]
    frames = media.frames_at(asked, mode="keyframe")
    assert [f.time for f in frames] == [max(k for k in keys if k <= time) for time in asked]
    assert all(f.key and read_number(f.image) == shown[f.time] for f in frames)


def test_written_times_come_back_exactly(make_video: MakeVideo) -> None:
    media = open_media(make_video("v.mkv", **CASES["variable.mkv"]))
    assert [time for time, _ in sequence(media)] == VARIABLE
    ntsc = open_media(make_video("n.mp4", fps=Fraction(30000, 1001), frames=40))
    assert ntsc.frame_times() == [Fraction(1001 * n, 30000) for n in range(40)]


def test_edit_list_cuts_what_lies_before_zero(make_video: MakeVideo) -> None:
    media = open_media(make_video("cut.mp4", start=Fraction(-1, 2), frames=50))
    shown = sequence(media)
    assert shown[0][0] == 0
    assert shown[0][1] in (12, 13)  # 12.5 frames lie before zero
    assert media.frame_times() == [time for time, _ in shown]
    assert read_number(media.frames_at([Fraction(1, 25)])[0].image) == shown[1][1]


def test_negative_times_are_kept(make_video: MakeVideo) -> None:
    path = make_video(
        "negative.ts", start=Fraction(-1, 2), frames=30, container_options={"avoid_negative_ts": "disabled"}
    )
    media = open_media(path)
    times = [time for time, _ in sequence(media)]
    assert times[0] == Fraction(-1, 2) == media.info.span.start
    assert read_number(media.frames_at([Fraction(-1, 4)])[0].image) == 6


def test_times_outside_are_clamped(make_video: MakeVideo) -> None:
    media = open_media(make_video("a.mp4", frames=25))
    first, last = media.frames_at([Fraction(-9), Fraction(99)])
    assert (read_number(first.image), read_number(last.image)) == (0, 24)


def test_frame_times_of_a_span_are_half_open(make_video: MakeVideo) -> None:
    media = open_media(make_video("a.mp4", frames=25))
    assert media.frame_times(Span.of("0.2", "0.4")) == [Fraction(n, 25) for n in range(5, 10)]


def test_no_picture_is_lost_where_stamps_run_backwards(make_video: MakeVideo) -> None:
    """FFmpeg stamps stretches of this program stream two pictures early, twice: 19 stamps are wrong, 4 repeated."""
    media = open_media(make_video("program.mpg", codec="mpeg2video", frames=200, b_frames=2))
    first = media.info.span.start
    written = [(first + Fraction(n, 25), n) for n in range(200)]
    assert sequence(media) == written
    assert media.frame_times() == [time for time, _ in written]


def test_joined_recordings_play_on_where_the_clock_starts_anew(make_video: MakeVideo) -> None:
    first, second = make_video("1.ts", frames=100), make_video("2.ts", frames=100)
    first.write_bytes(first.read_bytes() + second.read_bytes())
    media = open_media(first)
    shown = sequence(media)
    assert [number for _, number in shown] == [*range(100), *range(100)]
    assert sum("starts anew" in problem for problem in media.problems) == 1
    assert all(a[0] < b[0] for a, b in pairwise(shown))
