"""Spans, rates and the cost rule: which frames are given, and what reaching them costs."""

from __future__ import annotations

import threading
from fractions import Fraction

import pytest

from conftest import MakeVideo, number_picture, read_number
from vidence.errors import MediaError
from vidence.media import Media, open_media
from vidence.timeline import Instant, Span, windows


def picks(media: Media, span: Span | None, rate_hz: float | None) -> list[Instant]:
    return [frame.time for frame in media.frames(span, rate_hz=rate_hz, max_side=32)]


def test_span_begins_with_the_frame_on_screen(make_video: MakeVideo) -> None:
    media = open_media(make_video("a.mp4", frames=50))
    frames = list(media.frames(Span.of("0.41", "0.52")))
    assert [read_number(f.image) for f in frames] == [10, 11, 12]
    assert frames[0].time == Fraction(10, 25)


def test_an_instant_gives_the_frame_on_screen(make_video: MakeVideo) -> None:
    media = open_media(make_video("a.mp4", frames=50))
    for rate_hz in (None, 2):
        assert [read_number(f.image) for f in media.frames(Span.of("0.41", "0.41"), rate_hz=rate_hz)] == [10]


@pytest.mark.parametrize("rate_hz", [1, 2.5, 7, 30])
@pytest.mark.parametrize("length", [Fraction(1), Fraction(7, 10), Fraction(61, 100)])
def test_cut_spans_pick_the_same_frames_as_one_run(
    make_video: MakeVideo, rate_hz: float, length: Fraction
) -> None:
    media = open_media(make_video("a.mp4", fps=Fraction(30000, 1001), frames=120, b_frames=2, gop=30))
    whole = picks(media, None, rate_hz)
    cut: list[Instant] = []
    for span in windows(media.info.span, length):
        cut += [time for time in picks(media, span, rate_hz) if time in span]
    # A short window that holds no picked frame still shows what is on screen; those begin on no grid point.
    assert [time for time in cut if time in set(whole)] == whole
    if length >= 1 / Fraction(rate_hz) + Fraction(1, 29):
        assert cut == whole


def test_rate_picks_the_first_frame_at_or_after_each_grid_point(make_video: MakeVideo) -> None:
    media = open_media(make_video("a.mp4", fps=24, frames=72))
    times = media.frame_times()
    grid = [Fraction(k, 5) for k in range(15)]
    assert picks(media, None, 5) == [
        min(t for t in times if t >= point) for point in grid if point <= times[-1]
    ]


def test_a_standing_slide_is_shown_in_a_span_that_begins_later(make_video: MakeVideo) -> None:
    media = open_media(make_video("slides.mp4", times=[Fraction(0), Fraction(10), Fraction(20)], gop=1))
    (frame,) = media.frames(Span.of(13, 17), rate_hz=1)
    assert read_number(frame.image) == 1
    assert frame.span == Span.of(10, 20)


def test_largest_side_is_bounded_and_shape_kept(make_video: MakeVideo) -> None:
    media = open_media(make_video("a.mp4", size=(320, 180), frames=2))
    assert next(iter(media.frames(max_side=100))).image.shape == (56, 100, 3)
    assert next(iter(media.frames(max_side=1000))).image.shape == (180, 320, 3)


def test_far_frames_are_sought_and_near_ones_decoded(make_video: MakeVideo) -> None:
    media = open_media(make_video("a.mp4", frames=500, gop=50))
    media.frames_at([Fraction(n, 25) for n in (3, 4, 8, 30)])
    (cursor,) = media._parked
    assert (cursor.seeks, cursor.decoded < 60) == (1, True)
    media.frames_at([Fraction(n, 25) for n in (101, 301, 451)])
    assert cursor.seeks == 4
    assert cursor.decoded < 130  # decoding through would have been over 450


def test_segment_after_segment_costs_no_seek(make_video: MakeVideo) -> None:
    media = open_media(make_video("a.mp4", frames=250, gop=100))
    for span in windows(media.info.span, 2):
        picks(media, span, 5)
    (cursor,) = media._parked
    assert cursor.seeks <= 1
    assert cursor.decoded == 250


def test_key_frame_mode_decodes_one_packet_each(make_video: MakeVideo) -> None:
    media = open_media(make_video("a.mp4", frames=300, gop=100, b_frames=2))
    frames = media.frames_at([Fraction(n, 25) for n in (5, 150, 299, 120)], mode="keyframe")
    assert [read_number(f.image) for f in frames] == [0, 100, 200, 100]
    assert not media._parked  # no sequential decoder was started


def test_threads_share_one_medium(make_video: MakeVideo) -> None:
    media = open_media(make_video("a.mp4", frames=100))
    wrong: list[int] = []

    def look(offset: int) -> None:
        for n in range(offset, 100, 7):
            if read_number(media.frames_at([Fraction(n, 25)])[0].image) != n:
                wrong.append(n)

    threads = [threading.Thread(target=look, args=(k,)) for k in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_an_abandoned_iterator_does_not_spoil_the_next(make_video: MakeVideo) -> None:
    media = open_media(make_video("a.mp4", frames=60))
    for frame in media.frames():
        if read_number(frame.image) == 20:
            break
    assert [read_number(f.image) for f in media.frames(Span.of(0, "0.1"))] == [0, 1, 2]


def test_several_iterators_run_at_once(make_video: MakeVideo) -> None:
    media = open_media(make_video("a.mp4", frames=40))
    for left, right in zip(media.frames(), media.frames(), strict=True):
        assert left.time == right.time
        assert read_number(left.image) == read_number(right.image)


def test_a_closed_medium_opens_again(make_video: MakeVideo) -> None:
    with open_media(make_video("a.mp4", frames=10)) as media:
        list(media.frames())
    assert read_number(media.frames_at([Fraction(9, 25)])[0].image) == 9


def test_sound_alone_has_no_frames(make_video: MakeVideo) -> None:
    media = open_media(make_video("a.m4a", frames=0, tone_hz=300))
    assert media.info.video is None
    for call in (
        lambda: next(iter(media.frames())),
        lambda: media.frames_at([Fraction(0)]),
        media.frame_times,
    ):
        with pytest.raises(MediaError, match="no video"):
            call()


def test_cover_art_is_not_a_video(make_video: MakeVideo) -> None:
    media = open_media(make_video("a.mp4", frames=0, tone_hz=300, cover=True))
    assert media.info.video is None
    film = open_media(make_video("b.mp4", frames=5, cover=True))
    assert film.info.video is not None
    assert film.info.video.width == 160


def test_numbers_are_painted_and_read() -> None:
    assert [read_number(number_picture(n, 64, 48)) for n in (0, 1, 999, 65535)] == [0, 1, 999, 65535]
