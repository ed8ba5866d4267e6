"""Ugly outputs are read as people would read them, and as strictly as was asked."""

from __future__ import annotations

import pytest

from vidence.evaluation.parsing import interval, lenient_letter, number, strict_letter
from vidence.timeline import Span

OPTIONS = ("The cat", "The cat and the dog", "A dog", "Neither")


@pytest.mark.parametrize(
    ("text", "strict", "lenient"),
    [
        ("B", 1, 1),
        (" (C) ", 2, 2),
        ("D.", 3, 3),
        ("A)", 0, 0),
        ("B. The cat and the dog", None, 1),
        ("The answer is C.", None, 2),
        ("the correct option is (d)", None, 3),
        ("**Answer: B**", None, 1),
        ("Answer: **B**. Because the dog is there.", None, 1),
        ("<think>It could be A or B.</think>C", None, 2),
        ("It could be A or B.</think>\n\nC", None, 2),
        ("<answer>B</answer>", None, 1),
        ("<answer>The cat</answer>", None, 0),
        ("\\boxed{C}", None, 2),
        ("$\\boxed{\\text{D}}$", None, 3),
        ("First I thought the answer is A, but the answer is D", None, 3),
        ("I see a cat and a dog, so B", None, 1),
        ("The cat and the dog", None, 1),
        ("It is the cat.", None, 0),
        ("neither of them", None, 3),
        ("A dog barks at the cat", None, None),
        ("A or B", None, None),
        ("E", None, None),
        ("Answer: Z", None, None),
        ("I cannot tell from the video.", None, None),
        ("", None, None),
        ("B\nC", None, None),
    ],
)
def test_a_letter_is_read(text: str, strict: int | None, lenient: int | None) -> None:
    assert strict_letter(text, len(OPTIONS)) == strict
    assert lenient_letter(text, OPTIONS) == lenient


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("12", 12.0),
        ("about 3.5 metres", 3.5),
        ("1,204 boxes", 1204.0),
        ("first 3, no, 4", 4.0),
        ("-2 degrees", -2.0),
        ("<think>7</think> none", None),
        ("many", None),
    ],
)
def test_a_number_is_read(text: str, found: float | None) -> None:
    assert number(text) == found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("From 3.2 to 7.9 seconds.", (3.2, 7.9)),
        ("12.0 - 15.5 seconds", (12.0, 15.5)),
        ("01:05 to 01:09", (65.0, 69.0)),
        ("1:02:03.5–1:02:10", (3723.5, 3730.0)),
        ("[4, 9]", (4.0, 9.0)),
        ("<think>maybe 1 to 2</think> 5 to 6", (5.0, 6.0)),
        ("9 to 4", None),
        ("at 5 seconds", None),
        ("never", None),
    ],
)
def test_an_interval_is_read(text: str, found: tuple[float, float] | None) -> None:
    assert interval(text) == (found and Span.of(*map(str, found)))
