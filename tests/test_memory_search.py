"""Search finds by words, fragments, meaning and looks, and says why."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from conftest import write_video
from test_memory import SPEECH, add, said
from vidence.errors import UsageError, WeightsError
from vidence.memory import Memory
from vidence.memory.search import fuse
from vidence.memory.words import word_query
from vidence.senses.language import embed
from vidence.senses.observation import Observation, Producer
from vidence.timeline import Span

SENTENCES = [
    "The astronauts are walking on the moon.",
    "She bakes a cake for thirty minutes.",
    "Welcome to Beijing, 北京天安门广场很大。",
    "The dog runs along the beach.",
    "El perro duerme en la cocina.",
    "Taxes will rise next year, the minister said.",
]


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Memory, str]]:
    folder = tmp_path_factory.mktemp("search")
    with Memory.open(folder / "m.sqlite") as memory:
        medium = add(memory, write_video(folder / "a.mp4", frames=3))
        spoken = [said(10 * n, 10 * n + 4, text) for n, text in enumerate(SENTENCES)]
        memory.write(medium, SPEECH, Span.of(0, 60), spoken)
        sign = Producer("text", "1")
        memory.write(medium, sign, Span.of(0, 60), [Observation(Span.of(2, 8), "text", sign, "MOONBASE 7")])
        looks = Producer("looks", "1")
        views = [
            Observation(Span.of(t, t + 1), "visual", looks, label, vector=embed([label])[0])
            for t, label in enumerate(["horse", "horse, pony", "horse", "volcano", "horse"])
        ]
        memory.write(medium, looks, Span.of(0, 60), views)
        yield memory, medium


def first(memory: Memory, query: str, **how: object) -> str:
    return memory.search(query, **how)[0].observation.text  # pyright: ignore[reportArgumentType]


def test_words_in_another_form_are_found(filled: tuple[Memory, str]) -> None:
    hit = filled[0].search("astronaut walked")[0]
    assert hit.observation.text == SENTENCES[0]
    assert hit.why["words_rank"] == 1.0
    assert 0 < hit.score <= 1


@pytest.mark.parametrize(
    ("query", "place"),
    [
        ("天安门", 2),  # a trigram
        ("广场", 2),  # two letters: shorter than a trigram
        ('"next year"', 5),  # a phrase
        ("un chien au bord de la mer", 3),  # meaning, in a language that nobody speaks here
        ("perros", 4),  # another form of a word, not English
        ("How long is it in the oven?", 1),  # no word in common
    ],
)
def test_finds_across_scripts_and_languages(filled: tuple[Memory, str], query: str, place: int) -> None:
    assert first(filled[0], query, senses=["speech"]) == SENTENCES[place]


def test_a_fragment_of_a_word_is_found(filled: tuple[Memory, str]) -> None:
    hits = {hit.observation.text: hit for hit in filled[0].search("onbas")}
    assert "pieces_rank" in hits["MOONBASE 7"].why


def test_filters_by_time_sense_and_medium(filled: tuple[Memory, str]) -> None:
    memory, medium = filled
    assert {h.observation.sense for h in memory.search("moon", senses=["text"])} == {"text"}
    assert all(
        h.observation.span.overlaps(Span.of(0, 9)) for h in memory.search("dog moon", span=Span.of(0, 9))
    )
    assert memory.search("moon", media=["another"]) == []
    assert memory.search("moon", media=[medium])


def test_what_is_seen_is_found_by_its_vector_and_neighbours_are_one_hit(filled: tuple[Memory, str]) -> None:
    hits = filled[0].search("pferd", senses=["looks"])
    assert hits[0].span == Span.of(0, 5)
    assert len(hits[0].others) == 4
    assert "looks_score" in hits[0].why


def test_without_the_encoder_words_still_find(filled: tuple[Memory, str]) -> None:
    def missing(texts: object) -> np.ndarray:
        raise WeightsError("no weights here")

    with Memory.open(filled[0].path, encoders={"language": missing}) as memory:
        (hit,) = memory.search("minister")
        assert set(hit.why) == {"words_rank", "words_score", "pieces_rank", "pieces_score"}


def test_an_empty_query_is_an_error_and_nonsense_finds_nothing_by_words(filled: tuple[Memory, str]) -> None:
    with pytest.raises(UsageError):
        filled[0].search("  ")
    for strange in ('"', "'; DROP TABLE medium; --", "NEAR(", "*", "a AND", "???", "\u0000x", "col:moon"):
        assert isinstance(filled[0].search(strange), list)
    assert filled[0].media()


def test_equal_scores_share_a_rank() -> None:
    fused = fuse({"words": [(1, 2.0), (2, 2.0), (3, 1.0)]})
    assert fused[0][1] == fused[1][1] > fused[2][1]
    assert fused[2][2] == {"words_rank": 3.0, "words_score": 1.0}


def test_stop_words_count_only_where_there_is_nothing_else() -> None:
    assert word_query("What is the colour of the taxi?").words == '"colour" OR "taxi"'
    assert word_query("who is it").words == '"who" OR "is" OR "it"'
