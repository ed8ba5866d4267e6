"""The parts of the speech sense that need no weights: alignment, loops, sentences, pauses, subtitles."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conftest import MakeVideo
from vidence.media import open_media
from vidence.senses.decoding import fresh_mean, loop_length
from vidence.senses.speech.alignment import onsets
from vidence.senses.speech.cues import lines, plain, two_letters
from vidence.senses.speech.pauses import trimmed
from vidence.senses.speech.recogniser import Word
from vidence.senses.speech.sentences import sentences
from vidence.senses.speech.speech import Speech
from vidence.senses.speech.vad import RATE_HZ, STEP, quietest, stretches, utterances
from vidence.timeline import Span


def words(text: str, step_s: float = 0.4, length_s: float = 0.3) -> list[Word]:
    return [Word(one, at * step_s, at * step_s + length_s, 0.9) for at, one in enumerate(text.split())]


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 5), st.integers(0, 4), st.integers(0, 10_000))
def test_onsets_are_the_best_of_all_ways_to_cut(tokens: int, extra: int, seed: int) -> None:
    attention = np.random.default_rng(seed).random((tokens, tokens + extra))
    found = onsets(attention)

    def worth(cuts: tuple[int, ...]) -> float:
        edges = [0, *cuts, attention.shape[1]]
        return sum(attention[t, a:b].sum() for t, (a, b) in enumerate(itertools.pairwise(edges)))

    best = max(itertools.combinations(range(1, tokens + extra), tokens - 1), key=worth)
    assert found[0] == 0
    assert worth(tuple(found[1:].tolist())) == pytest.approx(worth(best))


def test_more_tokens_than_steps_cannot_be_laid_out() -> None:
    with pytest.raises(ValueError, match="3 tokens"):
        onsets(np.ones((3, 2)))


def test_a_loop_is_seen_and_all_but_one_round_counted() -> None:
    assert loop_length([5, 6, 7] + [1, 2, 3] * 4) == 9
    assert loop_length([1] * 6) == 5
    assert loop_length([1, 2, 3] * 3) == 0  # "no, no, no" and refrains are said by people
    assert loop_length(list(range(60))) == 0


def test_sure_repetition_of_an_unsure_phrase_does_not_make_it_sure() -> None:
    once = fresh_mean([1, 2, 3, 4], [0.2] * 4)
    assert fresh_mean([1, 2, 3, 4] * 3, [0.2] * 4 + [1.0] * 8) < once + 0.3
    assert fresh_mean([], []) == 0


def test_sentences_end_at_stops_but_not_at_titles_or_numbers() -> None:
    found = sentences(words("I saw Mr. Smith at 3.5 miles. He left! Did you? Yes"))
    assert [" ".join(w.text for w in one) for one in found] == [
        "I saw Mr. Smith at 3.5 miles.",
        "He left!",
        "Did you?",
        "Yes",
    ]


def test_a_long_silence_or_a_comma_late_in_a_long_sentence_ends_a_phrase() -> None:
    early, late = words("so it goes"), [Word("on", 5.0, 5.3, 0.9)]
    assert [len(one) for one in sentences([*early, *late])] == [3, 1]
    long = words(" ".join(["word"] * 25) + " then, more words follow")
    assert [len(one) for one in sentences(long)] == [26, 3]


def test_words_lose_the_pauses_and_give_back_what_lies_beyond_them() -> None:
    probabilities = np.zeros(100)
    probabilities[5:20] = probabilities[40:60] = 0.9  # speech at 0.16 to 0.64 s and 1.28 to 1.92 s
    found = trimmed((Word("hope.", 0.0, 1.4, 1.0), Word("It", 1.4, 2.5, 1.0)), probabilities)
    assert [(w.start_s, w.end_s) for w in found] == [pytest.approx((0.16, 0.64)), pytest.approx((1.28, 1.92))]


def test_runs_of_speech_are_joined_over_gaps_and_dropped_when_too_short() -> None:
    p = np.zeros(200)
    p[10:20] = p[22:40] = 0.9  # a gap of two steps, 64 ms
    p[100:103] = 0.9  # 96 ms
    assert [(one.start, one.end) for one in stretches(p)] == [(10 * STEP, 40 * STEP)]


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 10_000))
def test_utterances_never_overlap_nor_grow_long_nor_lose_speech(seed: int) -> None:
    rng = np.random.default_rng(seed)
    p = np.repeat(rng.random(40) > 0.25, rng.integers(3, 90, 40)) * 0.9
    samples = len(p) * STEP
    found = utterances(p, samples)
    for one, following in itertools.pairwise(found):
        assert one.end <= following.start
    assert all(0 <= one.start < one.end <= samples for one in found)
    assert all(one.end - one.start <= 15.5 * RATE_HZ for one in found)
    for run in stretches(p):
        assert (
            sum(max(0, min(run.end, u.end) - max(run.start, u.start)) for u in found) == run.end - run.start
        )


def test_a_cut_falls_into_the_middle_of_the_deepest_pause() -> None:
    p = np.full(200, 0.95)
    p[50:56] = 0.4
    p[120:160] = 0.02
    assert 135 <= quietest(p, 0, 200) <= 145
    assert 50 <= quietest(p, 20, 100) < 56


def test_language_codes_of_containers_become_two_letters() -> None:
    assert [two_letters(code) for code in ("eng", "spa", "ger", "pt-BR", "zh_Hans", "und", "")] == [
        "en", "es", "de", "pt", "zh", "", "",
    ]  # fmt: skip


def test_markup_is_no_speech() -> None:
    assert plain("<i>Hello,</i>\n{\\an8}world") == "Hello, world"


def test_subtitles_are_read_instead_of_heard_and_each_segment_owns_those_that_start_in_it(
    make_video: MakeVideo,
) -> None:
    cues = [(0.5, 2.5, "<b>Good</b> morning."), (3.5, 5.5, "How are you?")]
    path = make_video("a.mp4", fps=10, frames=60, cues=cues, cue_language="spa")
    sense = Speech()
    with open_media(path) as media:
        first, second = sense.hear(media, Span.of(0, 3)), sense.hear(media, Span.of(3, 6))
        assert [one.text for one in first] == ["Good morning."]
        assert [one.text for one in second] == ["How are you?"]
        assert first[0].data == {"words": [], "source": "subtitles", "language": "es"}
        assert first[0].span == Span.of(0.5, 2.5)
        assert sense.join(first[0], second[0]) is None


def test_the_track_of_the_language_asked_for_is_read(make_video: MakeVideo, tmp_path) -> None:
    path = make_video("film.mp4", fps=10, frames=60)
    (tmp_path / "film.de.srt").write_text(
        "1\n00:00:01,000 --> 00:00:02,000\nGuten Morgen, meine Damen und Herren.\n"
    )
    (tmp_path / "film.en.srt").write_text("1\n00:00:01,000 --> 00:00:02,000\nGood morning.\n")
    with open_media(path) as media:
        assert [line.text for line in lines(media, "en")] == ["Good morning."]
        assert lines(media, "auto")[0].language == "de"  # the fuller track where nothing is asked for
