"""Real speech is heard, timed, cut at pauses, and never invented. Weights are fetched at the first run (60 MB)."""

from __future__ import annotations

import itertools
import re
import wave
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from conftest import MakeVideo
from vidence.catalogue import weights
from vidence.media import open_media
from vidence.senses.observation import Observation
from vidence.senses.speech import Speech
from vidence.senses.speech.recogniser import RATE_HZ
from vidence.senses.speech.speech import cut_near
from vidence.senses.speech.vad import speech_probabilities
from vidence.timeline import Span, windows

BEST = "it was the best of times it was the worst of times it was the age of wisdom it was the age of foolishness"


@cache
def sense() -> Speech:
    return Speech()


@cache
def two_cities() -> np.ndarray:
    """44 s of a man reading; the first words begin at 1.2 s."""
    with open_media(weights("demo-two-cities")) as media:
        return media.audio()[1]


def write(make_video: MakeVideo, sound: np.ndarray) -> Path:
    return make_video("speech.mkv", frames=0, sound=sound, sound_rate=RATE_HZ, sound_codec="pcm_s16le")


def hear(path: Path, segment_s: int = 60) -> list[Observation]:
    with open_media(path) as media:
        return [one for part in windows(media.info.span, segment_s) for one in sense().hear(media, part)]


def plain(found: list[Observation]) -> list[str]:
    return re.findall(r"[a-z']+", " ".join(one.text for one in found).lower())


def test_a_read_passage_is_written_down_word_by_word_with_times(make_video: MakeVideo) -> None:
    found = hear(write(make_video, two_cities()[: 9 * RATE_HZ]))
    assert plain(found)[: len(BEST.split())][:18] == BEST.split()[:18]
    assert [one.text for one in found[:2]] == ["It was the best of times.", "it was the worst of times."]
    assert abs(float(found[0].span.start) - 1.2) < 0.2
    timed = [word for one in found for word in one.data["words"]]
    assert all(a[0] <= a[1] <= b[0] + 1e-6 for a, b in itertools.pairwise(timed))
    assert all(one.span.start * RATE_HZ % 1 == 0 for one in found)  # on the sample grid
    assert all(
        one.confidence > 0.8 and one.data["source"] == "asr" and one.data["language"] == "en" for one in found
    )


def test_speech_that_starts_late_is_timed_late(make_video: MakeVideo) -> None:
    part = two_cities()[: 5 * RATE_HZ]
    early = hear(write(make_video, part))
    late = hear(write(make_video, np.concatenate([np.zeros(7 * RATE_HZ, np.float32), part])))
    assert plain(late) == plain(early)
    # By the word: whether a comma or a full stop is heard, and so how many sentences, may differ with the processor.
    starts = [[word[0] for one in found for word in one.data["words"]] for found in (early, late)]
    shifts = [b - a for a, b in zip(*starts, strict=True)]
    assert shifts == pytest.approx([7.0] * len(shifts), abs=0.1)
    assert float(late[0].span.start - early[0].span.start) == pytest.approx(7.0, abs=0.1)


def test_segments_neither_cut_nor_lose_nor_repeat_a_word(make_video: MakeVideo) -> None:
    path = write(make_video, two_cities()[: int(26.4 * RATE_HZ)])
    whole = plain(hear(path))
    assert len(whole) > 60
    assert plain(hear(path, segment_s=10)) == whole


def test_both_sides_of_an_edge_find_the_same_pause_and_it_is_one(make_video: MakeVideo) -> None:
    path = write(make_video, two_cities()[: 20 * RATE_HZ])
    with open_media(path) as media:
        edge = Span.of(0, 10).end
        cut = cut_near(media, edge)
        assert cut == cut_near(media, edge)
        assert abs(cut - edge) <= 5
        around = media.audio(Span(cut - 1, cut + 1))[1]
        assert speech_probabilities(around)[29:34].max() < 0.5
        assert cut_near(media, media.info.span.start) == media.info.span.start


def test_silence_tone_music_and_noise_say_nothing(make_video: MakeVideo) -> None:
    rng = np.random.default_rng(3)
    t = np.arange(4 * RATE_HZ) / RATE_HZ
    chords = (
        sum(np.sin(2 * np.pi * f * t) * np.exp(-((t % 0.5) * 4)) for f in (220, 277.2, 329.6, 440)) * 0.15
    )
    parts = [np.zeros(2 * RATE_HZ), np.sin(2 * np.pi * 440 * t) * 0.3, chords, rng.normal(0, 0.1, len(t))]
    assert hear(write(make_video, np.concatenate(parts).astype(np.float32))) == []


def test_what_is_not_understood_is_not_written_as_fact(make_video: MakeVideo) -> None:
    # 150 ms pieces of speech in another order: a voice, certainly, and no sentence of English
    sound = two_cities()[RATE_HZ : 9 * RATE_HZ]
    order = np.random.default_rng(0).permutation(len(sound) // 2400)
    found = hear(write(make_video, np.concatenate([sound[at * 2400 :][:2400] for at in order])))
    assert [one.text for one in found] == ["[speech, not understood]"]
    assert found[0].data["language"] == "und"
    assert found[0].data["guess"]
    assert found[0].confidence < 0.6


def test_what_subtitles_leave_out_is_heard(make_video: MakeVideo) -> None:
    sound = two_cities()[: 9 * RATE_HZ]
    cues = [(1.2, 3.0, "IT WAS THE BEST OF TIMES")]
    path = make_video(
        "s.mkv",
        fps=5,
        frames=45,
        sound=sound,
        sound_rate=RATE_HZ,
        sound_codec="pcm_s16le",
        cues=cues,
        cue_codec="srt",
    )
    found = hear(path)
    assert found[0].data["source"] == "subtitles"
    assert any("wisdom" in one.text for one in found if one.data["source"] == "asr")


def test_a_sentence_cut_by_an_edge_is_joined(make_video: MakeVideo) -> None:
    found = hear(write(make_video, two_cities()[: 9 * RATE_HZ]))
    first = found[0]
    half = len(first.data["words"]) // 2
    edge = Span.of(0, first.data["words"][half][0]).end

    def part(span: Span, words: list[list[object]]) -> Observation:
        text = " ".join(str(word[2]) for word in words)
        return Observation(span, "speech", first.producer, text, 0.9, data={**first.data, "words": words})

    left = part(Span(first.span.start, edge), first.data["words"][:half])
    right = part(Span(edge, first.span.end), first.data["words"][half:])
    joined = sense().join(left, right)
    assert joined is not None
    assert joined.text == first.text
    assert joined.span == first.span
    assert sense().join(found[0], found[1]) is None


def test_a_film_without_sound_says_nothing(make_video: MakeVideo) -> None:
    assert hear(make_video("mute.mp4", frames=10)) == []


def test_a_wav_of_any_rate_is_heard(tmp_path: Path) -> None:
    sound = np.repeat(two_cities()[RATE_HZ : 4 * RATE_HZ], 3)  # 48 kHz
    with wave.open(str(tmp_path / "a.wav"), "wb") as out:
        out.setparams((1, 2, 48_000, 0, "NONE", "NONE"))
        out.writeframes((sound * 32767).astype(np.int16).tobytes())
    assert plain(hear(tmp_path / "a.wav"))[:6] == BEST.split()[:6]
