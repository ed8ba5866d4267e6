"""Subtitles come from inside the medium, or else from files beside it, with their times and language."""

from __future__ import annotations

from fractions import Fraction

import pytest

from conftest import MakeVideo
from vidence.media import open_media
from vidence.timeline import Span

LINES = [(0.2, 0.8, "Good morning."), (1.0, 1.5, "{\\i1}Two{\\i0}\\Nlines")]


@pytest.mark.parametrize(("name", "codec"), [("a.mp4", "mov_text"), ("a.mkv", "subrip"), ("b.mkv", "ass")])
def test_embedded_cues(make_video: MakeVideo, name: str, codec: str) -> None:
    cues = open_media(make_video(name, cues=LINES, cue_codec=codec)).cues()
    assert [cue.text for cue in cues] == ["Good morning.", "Two\nlines"]
    assert [cue.span for cue in cues] == [Span.of("0.2", "0.8"), Span.of(1, "1.5")]
    assert {cue.language for cue in cues} == {"eng"}
    assert codec[:3] in cues[0].source or "stream 1" in cues[0].source


SRT = "1\n00:00:00,500 --> 00:00:01,250\nHello <i>there</i>\n\n2\n00:00:02,000 --> 00:00:03,000\nBye\n"
VTT = "WEBVTT\n\n00:00.500 --> 00:01.250\nHello <i>there</i>\n\n00:02.000 --> 00:03.000\nBye\n"
ASS = (
    "[Script Info]\nScriptType: v4.00+\n\n[V4+ Styles]\n\n[Events]\n"
    "Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text\n"
    "Dialogue: 0,0:00:00.50,0:00:01.25,Default,,0,0,0,,Hello {\\b1}there\n"
    "Comment: 0,0:00:00.50,0:00:01.25,Default,,0,0,0,,not shown\n"
    "Dialogue: 0,0:00:02.00,0:00:03.00,Default,,0,0,0,,Bye\n"
)


@pytest.mark.parametrize(
    ("sidecar", "text", "language"),
    [
        ("film.srt", SRT, ""),
        ("film.en.srt", SRT, "en"),
        ("film.pt-BR.forced.vtt", VTT, "pt-BR"),
        ("film_de.ass", ASS, "de"),
        ("film.SRT", SRT, ""),
    ],
)
def test_sidecars(make_video: MakeVideo, sidecar: str, text: str, language: str) -> None:
    path = make_video("film.mp4", frames=5)
    path.with_name(sidecar).write_text(text, encoding="utf-8")
    cues = open_media(path).cues()
    assert [(cue.span, cue.text) for cue in cues] == [
        (Span.of("0.5", "1.25"), "Hello there"),
        (Span.of(2, 3), "Bye"),
    ]
    assert {(cue.language, cue.source) for cue in cues} == {(language, sidecar)}


def test_sidecars_of_other_films_are_left_alone(make_video: MakeVideo) -> None:
    path = make_video("film.mp4", frames=5)
    for name in ("film2.srt", "film.part two.srt", "other.srt"):
        path.with_name(name).write_text(SRT)
    assert open_media(path).cues() == []


def test_sidecar_zero_is_where_the_medium_begins(make_video: MakeVideo) -> None:
    path = make_video("film.mkv", frames=50, start=Fraction(5, 2))
    path.with_name("film.srt").write_text(SRT)
    assert open_media(path).cues()[0].span.start == 3


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "cp1252"])
def test_encodings(make_video: MakeVideo, encoding: str) -> None:
    path = make_video("film.mp4", frames=5)
    path.with_name("film.srt").write_bytes(SRT.replace("Bye", "Größe").encode(encoding))
    assert open_media(path).cues()[1].text == "Größe"


def test_one_track_a_language_and_several_languages(make_video: MakeVideo) -> None:
    path = make_video("film.mp4", frames=5)
    path.with_name("film.en.srt").write_text(SRT)
    path.with_name("film.en.forced.srt").write_text("1\n00:00:00,500 --> 00:00:01,250\nSign\n")
    path.with_name("film.fr.srt").write_text(SRT.replace("Bye", "Adieu"))
    texts = [(cue.language, cue.text) for cue in open_media(path).cues()]
    assert sorted(texts) == [("en", "Bye"), ("en", "Hello there"), ("fr", "Adieu"), ("fr", "Hello there")]


@pytest.mark.parametrize("damage", [b"", b"\x00\xff" * 500, b"nothing with times in it"])
def test_a_damaged_sidecar_is_a_problem_not_a_failure(make_video: MakeVideo, damage: bytes) -> None:
    path = make_video("film.mp4", frames=5)
    path.with_name("film.srt").write_bytes(damage)
    media = open_media(path)
    assert media.cues() == []
    assert any("film.srt" in problem for problem in media.problems)
