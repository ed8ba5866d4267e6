"""Whisper hears what is said: features as its authors define them, rules of times, languages, words in time.

The tests of real recognition fetch its weights at the first run (31 MB as a tarball, 79 MB of files).
"""

from __future__ import annotations

import itertools
import json
import re
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vidence.catalogue import weights
from vidence.errors import WeightsError
from vidence.media import open_media
from vidence.senses.byte_level import encode, letters, to_bytes
from vidence.senses.speech.mel import filters, log_mel
from vidence.senses.speech.moonshine import Moonshine
from vidence.senses.speech.recogniser import RATE_HZ
from vidence.senses.speech.whisper import LANGUAGES, Whisper
from vidence.senses.speech.whisper_text import LATEST_FIRST, Vocabulary, allowed, read_tokenizer
from vidence.senses.speech.whisper_words import word_runs

END, START, ENGLISH, TRANSLATE, TRANSCRIBE, WITHOUT = 8, 9, 10, 11, 12, 13
FIRST = WITHOUT + 1
TEXTS = {
    0: b" ",
    1: b" a",
    2: b"b",
    3: b" [",
    4: "日".encode(),
    5: "本".encode()[:2],
    6: "本".encode()[2:],
    7: b"!",
}
SPECIAL = {
    "<|endoftext|>": END, "<|startoftranscript|>": START, "<|en|>": ENGLISH, "<|translate|>": TRANSLATE,
    "<|transcribe|>": TRANSCRIBE, "<|notimestamps|>": WITHOUT,
}  # fmt: skip
SMALL = Vocabulary(TEXTS, SPECIAL)
SIZE = FIRST + 1501


@cache
def two_cities() -> np.ndarray:
    with open_media(weights("demo-two-cities")) as media:
        return media.audio()[1][: 9 * RATE_HZ]


@cache
def whisper() -> Whisper:
    return Whisper()


def test_features_of_a_tone_are_those_of_the_reference() -> None:
    # From the feature extractor of transformers 5.23: half a second into 5 s of a sine of 440 Hz
    t = np.arange(5 * RATE_HZ) / RATE_HZ
    found = log_mel((np.sin(2 * np.pi * 440 * t) * 0.5).astype(np.float32))
    assert found.shape == (80, 3000)
    assert found[:, 100].argmax() == 11
    reference = [
        [1.348738, 1.348738, 0.3566802],
        [1.4382038, 1.4382038, 0.35105264],
        [1.2935234, 1.2935234, 0.34292215],
    ]
    assert found[10:13, 495:503:3] == pytest.approx(np.array(reference), abs=1e-4)
    assert found[0, 100] == pytest.approx(-0.5617962, abs=1e-4)


def test_every_band_has_its_place_and_equal_area() -> None:
    bands = filters()
    assert bands.shape == (201, 80)
    assert (bands >= 0).all()
    assert (np.diff(bands.argmax(axis=0)) >= 0).all()
    high = bands[:, 40:].sum(axis=0) * RATE_HZ / 400  # wide enough that 40 Hz steps sample them well
    assert high == pytest.approx(np.ones(40), abs=0.15)


def test_sound_shorter_and_longer_than_half_a_minute_gives_the_same_shape() -> None:
    assert (
        log_mel(np.zeros(0, np.float32)).shape
        == log_mel(np.ones(40 * RATE_HZ, np.float32)).shape
        == (80, 3000)
    )


def test_every_byte_has_a_letter_and_comes_back() -> None:
    assert len(set(letters())) == 256
    assert to_bytes("".join(letters())) == bytes(range(256))
    assert letters()[ord(" ")] == "Ġ"  # known from every file of this kind


def test_pairs_are_merged_in_the_order_of_training() -> None:
    vocabulary = {name: at for at, name in enumerate(["l", "o", "w", "Ġ", "lo", "low", "Ġlow", "ow", "Ġl"])}
    assert encode("low low", vocabulary, [("l", "o"), ("lo", "w"), ("Ġ", "low")]) == [5, 6]
    assert encode("low", vocabulary, [("o", "w"), ("l", "o")]) == [0, 7]


def choices(written: list[int], likely: int) -> set[int]:
    logits = np.zeros(SIZE)
    logits[likely] = 20.0
    return set(np.flatnonzero(np.isfinite(allowed(logits, written, SMALL))).tolist())


def test_a_transcript_begins_with_a_time_within_its_first_second() -> None:
    assert choices([], 1) == set(range(FIRST, FIRST + LATEST_FIRST + 1))


def test_a_phrase_needs_words_and_does_not_begin_with_a_space_or_a_bracket() -> None:
    assert choices([FIRST], 1) == {1, 2, 4, 5, 6, 7, END}


def test_after_the_end_of_a_phrase_comes_another_or_nothing() -> None:
    found = choices([FIRST, 1, FIRST + 50], END)
    assert found == {
        END,
        *range(FIRST + 50, SIZE),
    }  # the next may begin where the last ended, never before it


def test_times_never_run_backwards_and_come_when_together_they_are_likelier_than_any_word() -> None:
    assert min(t for t in choices([FIRST + 10, 1], 1) if t >= FIRST) == FIRST + 11
    assert choices([FIRST + 10, 1], 1) & {1, 2}
    even = np.zeros(SIZE)  # 1,490 times at the same height as each word
    assert np.isinf(allowed(even, [FIRST + 10, 1], SMALL)[:FIRST]).all()


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 10_000))
def test_whatever_the_model_prefers_times_come_in_rising_pairs(seed: int) -> None:
    rng, written = np.random.default_rng(seed), list[int]()
    while len(written) < 30:
        token = int(allowed(rng.normal(0, 4, SIZE), written, SMALL).argmax())
        if token == END:
            break
        written.append(token)
    times = [token for token in written if token >= FIRST]
    assert times == sorted(times)
    assert all(start < end for start, end in zip(times[::2], times[1::2], strict=False))
    assert not set(written) & {3, START, ENGLISH, TRANSLATE, TRANSCRIBE, WITHOUT}


def test_words_end_at_spaces_or_where_there_are_none_at_whole_characters() -> None:
    one_phrase = [(0.0, 5.0)] * 6
    assert word_runs(SMALL, [1, 2, 7, 1, 2], "en", one_phrase) == [range(3), range(3, 5)]
    assert word_runs(SMALL, [4, 5, 6, 7, 4], "ja", one_phrase) == [range(1), range(1, 4), range(4, 5)]
    assert word_runs(SMALL, [2, 2], "en", [(0.0, 1.0), (2.0, 3.0)]) == [range(1), range(1, 2)]


def test_a_vocabulary_of_another_kind_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "tokenizer.json"
    path.write_text(
        json.dumps({"added_tokens": [{"content": "<|endoftext|>", "id": 3}], "model": {"vocab": {}}})
    )
    with pytest.raises(WeightsError, match="startoftranscript"):
        read_tokenizer(path)


def test_the_real_vocabulary_has_all_languages_and_reads_back_what_it_says() -> None:
    known = read_tokenizer(weights("whisper-base-tokenizer"))
    assert set(known.languages) == LANGUAGES
    assert len(LANGUAGES) == 99
    assert known.first_time == 50364
    assert known.text([50257 - 1, 1002]) == known.texts[1002].decode()
    assert {known.texts[int(t)].decode().strip() for t in known.never if int(t) in known.texts} >= {
        "[",
        "(",
        "♪",
        "#",
    }


def test_a_read_passage_is_heard_in_its_language_and_timed_as_the_other_recogniser_times_it() -> None:
    heard = whisper().transcribe(two_cities())
    assert heard.language == "en"
    assert heard.confidence > 0.7
    assert not heard.looped
    assert re.findall(r"[a-z]+", heard.text.lower())[:12] == [
        "it",
        "was",
        "the",
        "best",
        "of",
        "times",
        "it",
        "was",
        "the",
        "worst",
        "of",
        "times",
    ]
    part = two_cities()[RATE_HZ : 3 * RATE_HZ]  # one phrase without a pause
    pairs = list(zip(whisper().transcribe(part).words, Moonshine().transcribe(part).words, strict=True))
    assert len(pairs) == 6
    assert all(a.text.strip(".,") == b.text.strip(".,") for a, b in pairs)
    assert max(abs(a.start_s - b.start_s) for a, b in pairs[1:]) < 0.15
    assert all(a.start_s <= a.end_s <= b.end_s for a, b in itertools.pairwise(heard.words))


def test_the_language_is_told_from_the_sound_and_obeyed_when_given() -> None:
    guess = whisper().detect(two_cities())
    assert guess.language == "en"
    assert guess.probability > 0.8
    as_german = whisper().transcribe(two_cities(), "de")
    assert as_german.language == "de"
    assert as_german.text != whisper().transcribe(two_cities(), "en").text


def test_silence_is_not_turned_into_words_that_are_believed() -> None:
    heard = whisper().transcribe(np.zeros(5 * RATE_HZ, np.float32), "en")
    assert not heard.words or heard.confidence < whisper().understood
