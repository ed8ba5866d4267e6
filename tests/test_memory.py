"""The memory keeps exactly what it was given, finds it, and says what was not seen."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from conftest import MakeVideo
from vidence.errors import StoreError, UsageError
from vidence.media import open_media
from vidence.memory import Memory
from vidence.memory.joining import Joiner
from vidence.senses.observation import Box, Observation, Producer
from vidence.timeline import Span

SPEECH = Producer("speech", "1", "abc", "window=30")
LEVEL = Producer("level", "1")


@pytest.fixture
def memory(tmp_path: Path) -> Iterator[Memory]:
    with Memory.open(tmp_path / "m.sqlite") as opened:
        yield opened


@pytest.fixture
def medium(memory: Memory, make_video: MakeVideo) -> str:
    return add(memory, make_video("a.mp4", frames=10))


def add(memory: Memory, path: Path) -> str:
    with open_media(path) as media:
        memory.add(media)
        return media.hash


def said(start: float, end: float, text: str, **more: object) -> Observation:
    return Observation(Span.of(start, end), "speech", SPEECH, text, **more)  # pyright: ignore[reportArgumentType]


def no_meaning(texts: Sequence[str]) -> np.ndarray:
    """Stand in for the text encoder where its load time would only slow a test of something else."""
    return np.zeros((len(texts), 4), np.float32)


def content(found: Sequence[Observation]) -> list[tuple[object, ...]]:
    return [(s.span, s.sense, s.text, s.confidence, s.track, dict(s.data)) for s in found]


def test_times_tracks_vectors_and_data_come_back_exactly(memory: Memory, medium: str) -> None:
    odd = Span(Fraction(-1001, 30000), Fraction(10**20 + 7, 3 * 10**19))
    track = ((odd.start, Box(0.0, 0.25, 0.5, 1.0)), (Fraction(17, 44100), Box(0.1, 0.2, 0.3, 0.4)))
    vector = np.random.default_rng(1).normal(size=512).astype(np.float32)
    vector /= np.linalg.norm(vector)
    data = {"words": [[0.0, 0.5, "Grüß"], [0.5, 1.0, "Gott"]] * 20, "language": "de", "none": None}
    given_ = Observation(odd, "speech", SPEECH, "Grüß Gott", 0.75, track, vector, data)
    memory.write(medium, SPEECH, Span.of(0, 60), [given_])
    (kept,) = memory.observations(medium)
    assert (kept.span, kept.modality, kept.producer, kept.text) == (odd, "speech", SPEECH, "Grüß Gott")
    assert kept.confidence == 0.75
    assert kept.data == data
    assert [time for time, _ in kept.track] == [time for time, _ in track]
    for (_, a), (_, b) in zip(kept.track, track, strict=True):
        assert np.allclose([a.x, a.y, a.w, a.h], [b.x, b.y, b.w, b.h], atol=1e-5)
    assert kept.vector is not None
    assert float(kept.vector @ vector) > 0.99999  # half precision
    assert kept.id is not None


def test_media_are_listed_with_their_probe_and_found_by_a_prefix(
    memory: Memory, make_video: MakeVideo
) -> None:
    path = make_video("b.mp4", fps=Fraction(30000, 1001), frames=12, tone_hz=440)
    hash = add(memory, path)
    with open_media(path) as media:
        assert memory.medium(hash[:30]).info == media.info
    assert [m.path for m in memory.media()] == [str(path)]
    with pytest.raises(UsageError):
        memory.medium("no such")


def test_the_same_work_is_kept_once(memory: Memory, medium: str) -> None:
    assert memory.write(medium, SPEECH, Span.of(0, 60), [said(1, 2, "first")]) == 1
    assert memory.write(medium, SPEECH, Span.of(0, 60), [said(1, 2, "second")]) == 0
    assert [s.text for s in memory.observations(medium)] == ["first"]


def test_a_new_version_of_a_sense_replaces_the_old_and_the_old_can_come_back(
    memory: Memory, medium: str
) -> None:
    newer = replace(SPEECH, version="2")
    memory.write(medium, SPEECH, Span.of(0, 60), [said(1, 2, "old hearing")])
    memory.write(medium, newer, Span.of(0, 60), [replace(said(1, 2, "new hearing"), producer=newer)])
    assert [s.text for s in memory.observations(medium)] == ["new hearing"]
    assert not [hit for hit in memory.search("old") if hit.observation.text == "old hearing"]
    assert memory.done(medium, SPEECH) == {
        Span.of(0, 60)
    }  # asked for again: shown again, not perceived again
    assert [s.text for s in memory.observations(medium)] == ["old hearing"]
    memory.vacuum()
    assert memory.done(medium, newer) == set()
    assert [s.text for s in memory.observations(medium)] == ["old hearing"]


def test_choice_by_sense_span_and_id(memory: Memory, medium: str) -> None:
    sign = Observation(Span.of(5, 9), "text", Producer("text", "1"), "EXIT")
    memory.write(medium, SPEECH, Span.of(0, 60), [said(1, 2, "one"), said(4, 6, "two"), said(8, 9, "three")])
    memory.write(medium, sign.producer, Span.of(0, 60), [sign])
    assert [s.text for s in memory.observations(medium)] == ["one", "two", "EXIT", "three"]
    assert [s.text for s in memory.observations(medium, senses=["speech"], span=Span.of(2, 8))] == ["two"]
    last = memory.observations(medium)[-1]
    assert last.id is not None
    assert [s.text for s in memory.observations(medium, ids=[last.id])] == ["three"]
    assert memory.observations(medium, ids=[10**6]) == []


# Joining over boundaries

MARKS = (0, 10, 20, 30, 40)


def level(start: float, end: float, value: str) -> Observation:
    return Observation(Span.of(start, end), "visual", LEVEL, value, 1 / (1 + start), data={"parts": [start]})


def join_levels(left: Observation, right: Observation) -> Observation | None:
    """Not associative on purpose: confidence is a running mean, so a wrong order of folding would show."""
    if left.text != right.text or left.span.end != right.span.start:
        return None
    parts = [*left.data["parts"], *right.data["parts"]]
    mean = (left.confidence + right.confidence) / 2
    return replace(left, span=left.span.hull(right.span), confidence=mean, data={"parts": parts})


JOINER = Joiner(join_levels, 0.25)
PIECES = {  # "a" runs over three segments, "b" over one edge, two "c" of the same words lie at one edge
    0: [level(0, 4, "x"), level(4, 10, "a"), level(6, 10, "c")],
    10: [level(10, 20, "a"), level(10, 12, "c"), level(15, 20, "b")],
    20: [level(20, 25, "a"), level(20, 23, "b")],
    30: [level(30, 40, "a")],
}


def written(path: Path, hash_of: str, order: Sequence[int], video: Path) -> list[tuple[object, ...]]:
    with Memory.open(path / f"{'-'.join(map(str, order))}.sqlite") as memory:
        add(memory, video)
        for start in order:
            memory.write(hash_of, LEVEL, Span.of(start, start + 10), PIECES[start], joiner=JOINER)
        return content(memory.observations(hash_of))


@settings(max_examples=24, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(order=st.permutations(sorted(PIECES)))
def test_joined_content_does_not_depend_on_the_order_of_segments(
    order: list[int], tmp_path_factory: pytest.TempPathFactory, still: tuple[str, Path]
) -> None:
    expected = [
        ("x", 0, 4, [0]),
        ("a", 4, 25, [4, 10, 20]),
        ("c", 6, 12, [6, 10]),
        ("b", 15, 23, [15, 20]),
        ("a", 30, 40, [30]),
    ]
    found = written(tmp_path_factory.mktemp("order"), still[0], order, still[1])
    assert [(s[2], s[0].start, s[0].end, s[5]["parts"]) for s in found] == expected  # pyright: ignore
    assert found == written(tmp_path_factory.mktemp("sorted"), still[0], sorted(PIECES), still[1])


@pytest.fixture(scope="module")
def still(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    from conftest import write_video

    path = write_video(tmp_path_factory.mktemp("still") / "s.mp4", frames=3)
    with open_media(path) as media:
        return media.hash, path


def test_the_id_of_a_part_finds_the_whole(memory: Memory, medium: str) -> None:
    memory.write(medium, LEVEL, Span.of(10, 20), PIECES[10][:1], joiner=JOINER)
    (part,) = memory.observations(medium)
    memory.write(medium, LEVEL, Span.of(0, 10), PIECES[0][1:2], joiner=JOINER)
    assert part.id is not None
    (whole,) = memory.observations(medium, ids=[part.id])
    assert whole.span == Span.of(4, 20)


def test_a_new_version_takes_a_joined_whole_apart(memory: Memory, medium: str) -> None:
    for start in (0, 10, 20):
        memory.write(medium, LEVEL, Span.of(start, start + 10), PIECES[start], joiner=JOINER)
    newer = replace(LEVEL, version="2")
    memory.write(
        medium, newer, Span.of(10, 20), [replace(level(10, 20, "new"), producer=newer)], joiner=JOINER
    )
    found = [(s.text, float(s.span.start), float(s.span.end)) for s in memory.observations(medium)]
    assert found == [
        ("x", 0, 4), ("a", 4, 10), ("c", 6, 10), ("new", 10, 20), ("b", 20, 23), ("a", 20, 25),
    ]  # fmt: skip
    assert memory.done(medium, LEVEL, JOINER) == {Span.of(a, b) for a, b in pairwise(MARKS[:4])}
    assert ("a", Span.of(4, 25)) in [(s.text, s.span) for s in memory.observations(medium)]


# Coverage


def test_coverage_tells_seen_unseen_and_failed(memory: Memory, medium: str) -> None:
    memory.write(medium, LEVEL, Span.of(0, 60), [], rate_hz=2.0, max_side=320)
    memory.write(medium, LEVEL, Span.of(60, 90), [], rate_hz=2.0, max_side=320)
    memory.fail(medium, LEVEL, Span.of(90, 120), "ValueError: a broken picture")
    coverage = memory.coverage(medium)
    assert coverage.seen(Span.of(0, 90), "level") == 1.0
    assert coverage.seen(Span.of(60, 120), "level") == 0.5
    shares = memory.shares(memory.media())[medium]
    assert shares == {sense: coverage.seen(coverage.whole, sense) for sense in coverage.senses}
    assert coverage.seen(Span.of(0, 90), "speech") == 0.0
    assert coverage.unseen(Span.of(80, 120), "level") == [Span.of(90, 120)]
    assert coverage.rate_hz(Span.of(10, 10), "level") == 2.0
    assert coverage.rate_hz(Span.of(100, 100), "level") == 0.0
    assert [(f.sense, f.span, f.reason) for f in coverage.failures] == [
        ("level", Span.of(90, 120), "ValueError: a broken picture")
    ]
    memory.write(medium, LEVEL, Span.of(90, 120), [])
    assert memory.coverage(medium).failures == ()
    assert coverage.to_json()["perceived"][0]["max_side"] == 320


def test_forgetting_leaves_nothing_and_unknown_media_are_an_error(
    memory: Memory, make_video: MakeVideo
) -> None:
    one, two = add(memory, make_video("1.mp4", frames=5)), add(memory, make_video("2.mp4", frames=6))
    memory.write(one, SPEECH, Span.of(0, 60), [said(1, 2, "a walrus sings")])
    memory.write(two, SPEECH, Span.of(0, 60), [said(1, 2, "a walrus sleeps")])
    memory.forget(one)
    memory.vacuum()
    assert [hit.medium for hit in memory.search("walrus")] == [two]
    assert [m.hash for m in memory.media()] == [two]
    with pytest.raises(StoreError, match="not in the memory"):
        memory.write(one, SPEECH, Span.of(60, 120), [])
