"""Options: who reads the questions without looking at the video does no better than chance."""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from collections.abc import Callable

import pytest

from vidence.worlds import Question, Setting, make_world

Guess = Callable[[Question], int]
SEEDS = 300


@pytest.fixture(scope="module", params=[0, 2])
def asked(request: pytest.FixtureRequest) -> list[Question]:
    """Questions with options of many worlds."""
    setting = Setting(level=request.param)
    questions = [question for seed in range(SEEDS) for question in make_world(seed, setting).questions()]
    return [question for question in questions if question.correct is not None]


def lead(asked: list[Question], guess: Guess) -> float:
    """By how many standard deviations a guesser is better than chance."""
    right = sum(guess(question) == question.correct for question in asked)
    chances = [1 / len(question.options) for question in asked]
    return (right - sum(chances)) / math.sqrt(sum(chance * (1 - chance) for chance in chances))


def test_the_right_option_is_anywhere(asked: list[Question]) -> None:
    for count in (2, 3, 4):
        some = [question for question in asked if len(question.options) == count]
        places = Counter(question.correct for question in some)
        for place in range(count):
            expected = len(some) / count
            assert abs(places[place] - expected) < 5 * math.sqrt(expected), (count, places)


@pytest.mark.parametrize("choose", [max, min])
def test_neither_the_longest_nor_the_shortest_option_is_right(
    asked: list[Question], choose: Callable
) -> None:
    def guess(question: Question) -> int:
        lengths = [len(option) for option in question.options]
        return lengths.index(choose(lengths))

    gained = sum(guess(one) == one.correct for one in asked) / len(asked)
    chance = sum(1 / len(one.options) for one in asked) / len(asked)
    assert gained < chance + 0.05


def test_words_of_the_question_do_not_point_at_an_option(asked: list[Question]) -> None:
    def guess(question: Question) -> int:
        words = set(re.findall(r"\w+", question.text.lower()))
        shared = [len(words & set(re.findall(r"\w+", option.lower()))) for option in question.options]
        return shared.index(max(shared))

    gained = sum(guess(one) == one.correct for one in asked) / len(asked)
    assert gained < sum(1 / len(one.options) for one in asked) / len(asked) + 0.03


def test_no_option_is_often_right_of_itself(asked: list[Question]) -> None:
    """Learn from half of the worlds how often each option and its words are right; guess the other half by that."""
    half = len(asked) // 2
    shown: Counter[tuple[str, str]] = Counter()
    right: Counter[tuple[str, str]] = Counter()
    for question in asked[:half]:
        for number, option in enumerate(question.options):
            for word in (option, *set(re.findall(r"\w+", option))):
                shown[question.kind, word] += 1
                right[question.kind, word] += number == question.correct

    def score(kind: str, option: str) -> float:
        words = (option, *set(re.findall(r"\w+", option)))
        return sum(math.log((right[kind, word] + 1) / (shown[kind, word] + 4)) for word in words) / len(words)

    def guess(question: Question) -> int:
        scores = [score(question.kind, option) for option in question.options]
        return scores.index(max(scores))

    tested = asked[half:]
    gained = sum(guess(one) == one.correct for one in tested) / len(tested)
    chance = sum(1 / len(one.options) for one in tested) / len(tested)
    assert gained < chance + 0.06


def test_answers_of_a_form_are_spread(asked: list[Question]) -> None:
    answers: dict[str, Counter[str]] = defaultdict(Counter)
    for question in asked:
        answers[question.kind][question.answer] += 1
    for kind, counted in answers.items():
        total = sum(counted.values())
        if total >= 200 and len(counted) > 6:
            assert counted.most_common(1)[0][1] / total < 0.34, (kind, counted.most_common(3))
