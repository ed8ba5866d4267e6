"""Sound lies where it was recorded: sample k of what is read is at start + k / rate."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from conftest import MakeVideo, tone
from vidence.media import open_media
from vidence.timeline import Span

RATE = 48_000


def clicks(*times_s: float, length_s: float = 4.0) -> np.ndarray:
    """Short bursts of 2 kHz at given times, silence elsewhere."""
    sound = np.zeros(round(length_s * RATE), np.float32)
    burst = tone(2000, 0.02, RATE, level=0.8)
    for time_s in times_s:
        at = round(time_s * RATE)
        sound[at : at + len(burst)] = burst
    return sound


def onsets(samples: np.ndarray, rate_hz: int = 16_000) -> list[float]:
    """Find where bursts begin, in seconds after sample 0."""
    loud = np.flatnonzero(np.abs(samples) > 0.2)
    starts = loud[np.r_[True, np.diff(loud) > rate_hz // 10]] if len(loud) else loud
    return [int(at) / rate_hz for at in starts]


@pytest.mark.parametrize(
    ("name", "codec"),
    [
        ("a.wav", "pcm_s16le"),
        ("a.m4a", "aac"),
        ("a.mp3", "libmp3lame"),
        ("a.ogg", "libopus"),
        ("a.flac", "flac"),
        ("a.mkv", "libopus"),
    ],
)
def test_bursts_are_found_when_they_were_made(make_video: MakeVideo, name: str, codec: str) -> None:
    path = make_video(name, frames=0, sound=clicks(0.5, 1.25, 3.0), sound_codec=codec)
    start, samples = open_media(path).audio()
    # Times run from the first sample that is heard: MP3's clock calls that 0.025 s, after its encoder's delay.
    assert onsets(samples) == pytest.approx([0.5, 1.25, 3.0], abs=0.004)
    assert 0 <= start < Fraction(1, 20)


@pytest.mark.parametrize(
    ("name", "codec"), [("a.mp4", "aac"), ("a.mkv", "libopus"), ("a.ts", "aac"), ("a.avi", "libmp3lame")]
)
def test_a_span_read_alone_is_the_same_sound(make_video: MakeVideo, name: str, codec: str) -> None:
    video = {"codec": "mpeg4"} if name.endswith("avi") else {}
    path = make_video(name, frames=100, sound=clicks(0.5, 1.25, 2.4, 3.0), sound_codec=codec, **video)
    media = open_media(path)
    start, samples = media.audio(Span.of("2.2", "3.3"))
    assert start == Fraction(11, 5)
    assert len(samples) == round(1.1 * 16_000)
    shift = float(
        media.frame_times()[0]
    )  # MPEG-TS begins late by the encoder's delay, picture and sound alike
    tolerance = 0.03 if codec == "libmp3lame" else 0.004  # AVI does not keep MP3's delay
    found = [float(start) + at - shift for at in onsets(samples)]
    assert found == pytest.approx([2.4, 3.0], abs=tolerance)


def test_sound_that_begins_late_is_preceded_by_silence(make_video: MakeVideo) -> None:
    path = make_video(
        "late.mkv",
        frames=100,
        sound=clicks(0.5, length_s=2),
        sound_start=Fraction(3, 2),
        sound_codec="pcm_s16le",
    )
    start, samples = open_media(path).audio()
    assert start == 0
    assert len(samples) == 64_000
    assert onsets(samples) == pytest.approx([2.0], abs=0.002)
    assert not samples[:16_000].any()


def test_gaps_are_filled_so_that_later_sound_stays_in_place(make_video: MakeVideo, tmp_path) -> None:
    import av

    path = tmp_path / "gap.mkv"
    sound = clicks(0.5, 1.25, 2.4, 3.0)
    with av.open(str(path), "w") as out:
        stream = out.add_stream("pcm_s16le", rate=RATE, layout="mono")
        for at in range(0, len(sound), 960):
            if RATE <= at < 2 * RATE:
                continue  # one second was never recorded
            block = av.AudioFrame.from_ndarray(
                (sound[None, at : at + 960] * 32767).astype(np.int16), "s16", "mono"
            )
            block.sample_rate, block.pts, block.time_base = RATE, at, Fraction(1, RATE)
            out.mux(stream.encode(block))
        out.mux(stream.encode(None))
    _, samples = open_media(path).audio()
    assert onsets(samples) == pytest.approx([0.5, 2.4, 3.0], abs=0.002)
    assert not samples[17_000:31_000].any()


@pytest.mark.parametrize("window_s", [0.7, 1, 30])
def test_windows_join_to_the_whole(make_video: MakeVideo, window_s: float) -> None:
    path = make_video("a.mp4", frames=90, sound=clicks(0.5, 1.25, 3.0))
    media = open_media(path)
    start, whole = media.audio()
    pieces = list(media.audio_windows(window_s=window_s))
    assert np.array_equal(np.concatenate([samples for _, samples in pieces]), whole)
    at = start
    for time, samples in pieces:
        assert time == at
        at += Fraction(len(samples), 16_000)


def test_stereo_is_mixed_and_level_kept(make_video: MakeVideo) -> None:
    path = make_video("a.wav", frames=0, sound=tone(440, 1, RATE, level=0.5), sound_codec="pcm_s16le")
    _, samples = open_media(path).audio(rate_hz=22_050)
    assert len(samples) == 22_050
    assert samples.dtype == np.float32
    assert float(np.abs(samples).max()) == pytest.approx(0.5, abs=0.02)
    spectrum = np.abs(np.fft.rfft(samples))
    assert int(spectrum.argmax()) == 440


def test_a_silent_film_has_no_samples(make_video: MakeVideo) -> None:
    media = open_media(make_video("a.mp4", frames=10))
    start, samples = media.audio()
    assert (start, len(samples), list(media.audio_windows())) == (0, 0, [])


def test_both_channels_are_read_in_windows(tmp_path: Path) -> None:
    import av

    place, rate_hz = tmp_path / "both.mkv", 48_000
    left, right = tone(440, 2.5, rate_hz), tone(880, 2.5, rate_hz, level=0.1)
    with av.open(str(place), "w") as out:
        stream = out.add_stream("flac", rate=rate_hz, layout="stereo")
        samples = (np.stack([left, right], axis=1).reshape(1, -1) * 32767).astype(np.int16)
        frame = av.AudioFrame.from_ndarray(samples, "s16", layout="stereo")
        frame.sample_rate, frame.pts = rate_hz, 0
        out.mux([*stream.encode(frame), *stream.encode(None)])
    with open_media(place) as media:
        read = [window for _, window in media.audio_windows(window_s=1, rate_hz=rate_hz, layout="stereo")]
    assert [window.shape for window in read] == [(48_000, 2), (48_000, 2), (24_000, 2)]
    both = np.concatenate(read)
    assert np.abs(both[:, 0] - left).max() < 0.01
    assert np.abs(both[:, 1] - right).max() < 0.01
