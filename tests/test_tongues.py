"""The language decides who hears; what cannot be understood is never written as if it were."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import pytest

from conftest import MakeVideo
from vidence.catalogue import shelf, weights
from vidence.errors import UsageError, WeightsError
from vidence.media import open_media
from vidence.senses.speech import Speech
from vidence.senses.speech.recogniser import RATE_HZ
from vidence.senses.speech.tongues import Tongues, spoken_language


@cache
def english() -> np.ndarray:
    with open_media(weights("demo-two-cities")) as media:
        return media.audio()[1][: 9 * RATE_HZ]


def scrambled() -> np.ndarray:
    """150 ms pieces of speech in another order: a voice, certainly, and no sentence of any language."""
    sound = english()[RATE_HZ:]
    order = np.random.default_rng(0).permutation(len(sound) // 2400)
    return np.concatenate([sound[at * 2400 :][:2400] for at in order])


def write(make_video: MakeVideo, name: str, sound: np.ndarray) -> Path:
    return make_video(name, frames=0, sound=sound, sound_rate=RATE_HZ, sound_codec="pcm_s16le")


@pytest.mark.parametrize(
    ("written", "meant"),
    [("auto", "auto"), ("EN", "en"), ("deu", "de"), ("pt-BR", "pt"), ("haw", "haw"), ("zh_Hans", "zh")],
)
def test_languages_are_read_as_people_and_containers_write_them(written: str, meant: str) -> None:
    assert spoken_language(written) == meant


def test_a_language_that_nobody_knows_is_refused_before_any_work() -> None:
    with pytest.raises(UsageError, match="klingon"):
        Speech("klingon")


def test_work_of_different_languages_and_recognisers_is_kept_apart() -> None:
    senses = [
        Speech(),
        Speech("en"),
        Speech("es"),
        Speech("fr"),
        Speech("es", "whisper-small"),
        Speech("auto", "whisper-small"),
    ]
    assert len({sense.producer for sense in senses}) == len(senses)


def test_english_needs_no_whisper(make_video: MakeVideo, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    real = shelf.weights

    def watched(name: str, *rest: object) -> Path:
        asked.append(name)
        return real(name)

    monkeypatch.setattr("vidence.senses.speech.whisper.weights", watched)
    tongues = Tongues("auto", "whisper-base")
    with open_media(write(make_video, "a.mkv", english())) as media:
        heard, who = tongues.transcribe(media, english())
        assert tongues.main_language(media) == "en"
    assert who is tongues.english
    assert heard.language == "en"
    assert asked == []


def test_a_language_named_goes_to_whisper_alone() -> None:
    tongues = Tongues("es", "whisper-base")
    assert tongues.english is None
    assert tongues.other is not None
    assert tongues.other.language == "es"
    assert Tongues("en", "whisper-base").other is None


def test_where_whisper_cannot_be_had_the_unclear_is_a_failure_with_its_reason(
    make_video: MakeVideo, monkeypatch: pytest.MonkeyPatch
) -> None:
    def offline(name: str) -> Path:
        raise WeightsError(f"weights {name!r} are not on this machine")

    monkeypatch.setattr("vidence.senses.speech.whisper.weights", offline)
    with open_media(write(make_video, "a.mkv", scrambled())) as media:
        with pytest.raises(WeightsError, match="seems not to be English, and weights 'whisper-base"):
            Speech().hear(media, media.info.span)
        with pytest.raises(WeightsError, match="whisper-base"):
            Speech("es").hear(media, media.info.span)
    both = np.concatenate([english(), np.zeros(3 * RATE_HZ, np.float32), scrambled()])
    with open_media(write(make_video, "b.mkv", both)) as media:
        found = Speech().hear(media, media.info.span)  # what is plainly English is still written
    assert found[0].text == "It was the best of times."
    assert found[-1].text == "[speech, not understood]"


def test_what_neither_understands_is_told_so(make_video: MakeVideo) -> None:
    with open_media(write(make_video, "a.mkv", scrambled())) as media:
        found = Speech().hear(media, media.info.span)
    assert {one.text for one in found} == {"[speech, not understood]"}
    assert all("99 languages" in one.data["doubt"] or "English only" in one.data["doubt"] for one in found)
