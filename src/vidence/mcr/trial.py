"""The trial that a judge stands before its word counts: two statements about a sign, one plainly true, one false."""

from __future__ import annotations

from collections.abc import Callable

SIGN = "EXIT 4"
TRUE, FALSE = "“EXIT 4” is written there.", "A dog barks at a cat on a beach."


def stands(verdict_of: Callable[[str], str]) -> bool:
    """Tell whether a judge that is shown the sign supports the true statement, and not the false one.

    One that supports anything tells nothing; nor does one that supports nothing.
    """
    return verdict_of(TRUE) == "supported" and verdict_of(FALSE) != "supported"
