"""A question is read as a person would: its kind, its time, its things."""

from fractions import Fraction

import pytest

from vidence.mcr.concepts import mentions, number_in
from vidence.mcr.question import read_question
from vidence.timeline import Span

WHOLE = Span.of(0, 60)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("What is written on the sign?", "written"),
        ("Who presents the film, as the text says?", "written"),
        ("What does the speaker say about the harbour?", "said"),
        ("How many cars pass?", "count"),
        ("When is the dog out of the picture?", "when"),
        ("What colour is the ball?", "colour"),
        ("Which way does the man walk?", "direction"),
        ("Is there a dog?", "yes-no"),
        ("Where is the cup at the end?", "place"),
        ("What animal is it?", "what"),
    ],
)
def test_kind_of_english_questions(text: str, kind: str) -> None:
    assert read_question(text, WHOLE).kind == kind


@pytest.mark.parametrize(
    ("text", "language", "kind"),
    [
        ("¿De qué color es el coche?", "es", "colour"),
        ("Wie viele Autos fahren vorbei?", "de", "count"),
        ("视频里有几辆车？", "zh", "count"),
        ("Quand le chien apparaît-il ?", "fr", "when"),
    ],
)
def test_kind_is_known_in_other_languages(text: str, language: str, kind: str) -> None:
    read = read_question(text, WHOLE)
    assert (read.language, read.kind) == (language, kind)


@pytest.mark.parametrize(
    ("text", "start", "end"),
    [
        ("Who enters at about 42 s?", 41, 43),
        ("What is said between 0:10 and 0:20?", 10, 20),
        ("What happens in the first ten seconds?", 0, 10),
        ("What is shown in the last 5 seconds?", 55, 60),
        ("Where is the ball at the start?", 0, 6),
        ("Where is the ball at the end?", 54, 60),
    ],
)
def test_time_named_in_the_question(text: str, start: int, end: int) -> None:
    assert read_question(text, WHOLE).windows == (Span(Fraction(start), Fraction(end)),)


@pytest.mark.parametrize(
    ("text", "start"),
    [
        ("In minute 3, what is written on the sign?", 120),
        ("What happens in minute number 12?", 660),
        ("Who jumps during the 2nd minute?", 60),
        ("在第3分钟，牌子上写着什么？", 120),
        ("En el minuto 3, ¿qué está escrito?", 120),
    ],
)
def test_a_minute_is_counted_from_one(text: str, start: int) -> None:
    assert read_question(text, Span.of(0, 900)).windows == (Span.of(start, start + 60),)


def test_a_minute_beyond_the_end_is_none() -> None:
    assert read_question("In minute 3, what is written?", Span.of(0, 100)).windows == ()


def test_no_time_named_means_anywhere() -> None:
    assert read_question("What colour is the ball?", WHOLE).windows == ()


def test_choices_tell_the_kind() -> None:
    choices = ("bird, brook, title", "title, bird, brook", "brook, title, bird")
    assert read_question("What is the order?", WHOLE, choices).kind == "order"
    assert read_question("Which colour has it?", WHOLE, ("Red", "Blue", "Green")).kind == "colour"
    assert read_question("How long is the queue?", WHOLE, ("2", "three", "4")).kind == "count"


def test_absence_and_ordinal_are_read() -> None:
    read = read_question("When is the first dog out of the picture?", WHOLE)
    assert read.absent
    assert read.ordinal == 0
    assert read.things == ("dog",)


def test_longer_phrase_hides_the_shorter_in_it() -> None:
    assert [m.concept for m in mentions("a light blue car", "colours")] == ["cyan"]
    assert [m.concept for m in mentions("a blue car", "colours")] == ["blue"]


def test_foreign_words_find_the_same_concepts() -> None:
    assert [m.concept for m in mentions("el coche rojo", "colours", "es")] == ["red"]
    assert [m.concept for m in mentions("红色的车", "colours", "zh")] == ["red"]


@pytest.mark.parametrize(
    ("text", "number"), [("three", 3), ("about 12 cars", 12), ("none", 0), ("cars", None)]
)
def test_number_in_words_or_digits(text: str, number: int | None) -> None:
    assert number_in(text) == number
