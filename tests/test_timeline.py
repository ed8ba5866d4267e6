"""Spans are widened to what is asked, and never beyond what there is."""

from hypothesis import given
from hypothesis import strategies as st

from vidence.timeline import Span

WHOLE = Span.of(0, 8)


def test_a_short_span_is_widened_evenly_and_at_an_edge_to_the_other_side() -> None:
    assert Span.of(3, 4).widened(4, WHOLE) == Span.of("1.5", "5.5")
    assert Span.of(0, 1).widened(4, WHOLE) == Span.of(0, 4)
    assert Span.of(7, 8).widened(4, WHOLE) == Span.of(4, 8)
    assert Span.of(1, 7).widened(4, WHOLE) == Span.of(1, 7)
    assert Span.of(3, 4).widened(20, WHOLE) == WHOLE


@given(st.fractions(0, 8), st.fractions(0, 8), st.fractions(0, 12))
def test_a_widened_span_holds_the_span_and_is_long_enough_or_all(
    one: float, other: float, least: float
) -> None:
    span = Span(min(one, other), max(one, other))  # type: ignore[type-var]
    wide = span.widened(least, WHOLE)
    assert wide.hull(span) == wide == wide.clipped(WHOLE)
    assert wide.duration == max(span.duration, min(least, WHOLE.duration))
