"""Loudness, silence and sudden sounds are measured where they are."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from conftest import MakeVideo, tone
from vidence.media import open_media
from vidence.senses.observation import Observation
from vidence.senses.sound import Sound, levels_db, loudness_runs, onsets
from vidence.timeline import Span, windows

RATE = 16_000


def silence(length_s: float) -> np.ndarray:
    return np.zeros(round(length_s * RATE), np.float32)


def hear(path: Path, length: int = 60) -> list[Observation]:
    with open_media(path) as media:
        return [one for part in windows(media.info.span, length) for one in Sound().hear(media, part)]


def write(make_video: MakeVideo, *parts: np.ndarray) -> Path:
    whole = np.concatenate(parts)
    return make_video("a.mkv", frames=0, sound=whole, sound_rate=RATE, sound_codec="pcm_s16le")


def test_the_level_of_a_full_sine_is_three_db_below_full_scale() -> None:
    assert levels_db(tone(440, 1, RATE, level=1.0)) == pytest.approx(-3.01, abs=0.05)
    assert levels_db(silence(1)) == pytest.approx(-100)
    assert len(levels_db(np.zeros(0, np.float32))) == 0


def test_silence_between_two_tones_is_found_to_a_tenth_of_a_second(make_video: MakeVideo) -> None:
    path = write(make_video, tone(440, 2, RATE, 0.2), silence(3), tone(440, 2, RATE, 0.2))
    found = [one for one in hear(path) if one.data["kind"] == "stretch"]
    assert [one.text for one in found] == ["sound", "silence", "sound"]
    assert found[1].span.iou(Span.of(2, 5)) > 0.93
    assert found[0].data["level_db"] == pytest.approx(-17.0, abs=0.3)  # 20 log10(0.2 / sqrt 2)
    assert len(found[1].data["levels_db"]) == 3
    assert all(one.modality == "audio" for one in found)


def test_a_bang_out_of_quiet_is_an_onset_and_steady_noise_is_none(make_video: MakeVideo) -> None:
    noise = np.random.default_rng(1).normal(0, 0.003, 8 * RATE).astype(np.float32)
    assert onsets(levels_db(noise)) == []
    bang = noise.copy()
    bang[5 * RATE : 5 * RATE + 8000] += tone(200, 0.5, RATE, 0.6)
    found = [one for one in hear(write(make_video, bang)) if one.data["kind"] == "onset"]
    assert len(found) == 1
    assert abs(float(found[0].span.start) - 5) <= 0.1
    assert 0.3 <= float(found[0].span.duration) <= 0.8
    assert found[0].data["rise_db"] > 30


def test_a_flicker_of_loudness_does_not_cut_a_stretch() -> None:
    levels = np.full(100, -25.0)
    levels[50:53] = -60.0
    assert loudness_runs(levels) == [(0, 100)]


def test_stretches_over_a_segment_edge_are_joined(make_video: MakeVideo) -> None:
    path = write(make_video, silence(3), tone(440, 6, RATE, 0.3))
    whole, parts = hear(path), hear(path, length=5)
    sense = Sound()
    stretches = [one for one in parts if one.data["kind"] == "stretch"]
    joined = sense.join(stretches[-2], stretches[-1])
    assert joined is not None
    alone = [one for one in whole if one.data["kind"] == "stretch"][-1]
    assert joined.span == alone.span
    assert joined.data["level_db"] == pytest.approx(alone.data["level_db"], abs=0.2)
    assert len(joined.data["levels_db"]) == 6
    assert sense.join(stretches[0], stretches[1]) is None


def test_an_onset_at_a_segments_edge_is_told_once(make_video: MakeVideo) -> None:
    path = write(make_video, silence(5), tone(440, 3, RATE, 0.3))
    told = [one for one in hear(path, length=5) if one.data["kind"] == "onset"]
    assert [abs(float(one.span.start) - 5) <= 0.1 for one in told] == [True]


def test_a_silent_film_has_no_sound_to_report(make_video: MakeVideo) -> None:
    assert hear(make_video("mute.mp4", frames=25)) == []


def test_spans_stay_inside_the_segment(make_video: MakeVideo) -> None:
    path = write(make_video, tone(300, 2.345, RATE, 0.2))
    with open_media(path) as media:
        part = Span(Fraction(1, 2), Fraction(2))
        assert all(
            part.start <= one.span.start <= one.span.end <= part.end for one in Sound().hear(media, part)
        )
