"""Timeline lanes: observations of one kind as marks on a line, few enough to draw whatever the length."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from vidence.senses.observation import Observation
from vidence.timeline import Instant, Span, union

MOST_MARKS = 400  # of one lane: finer than a pixel on a wide screen helps nobody
MOST_ROWS = 4  # marks that overlap are put below one another; what finds no room joins the last row
MOST_TEXT = 300  # characters of one mark


@dataclass(frozen=True, slots=True)
class Mark:
    """One mark: its span, what it says, how many observations it stands for; `row` counts from the top."""

    span: Span
    text: str
    count: int = 1
    row: int = 0
    confidence: float = 1.0


@dataclass(frozen=True, slots=True)
class Lane:
    """One line of the timeline. `unseen` was never looked at; `failed` was tried in vain."""

    name: str
    title: str
    marks: tuple[Mark, ...]
    total: int
    unseen: tuple[Span, ...] = ()
    failed: tuple[Span, ...] = ()

    @property
    def rows(self) -> int:
        """Rows of marks, at least one."""
        return max((mark.row for mark in self.marks), default=0) + 1


def make_lane(
    name: str,
    title: str,
    observations: Iterable[Observation],
    whole: Span,
    *,
    unseen: Sequence[Span] = (),
    failed: Sequence[Span] = (),
) -> Lane:
    """Make a lane of observations in time order; see `MOST_MARKS` for what happens to many."""
    marks = [Mark(item.span, _text(item), confidence=item.confidence) for item in observations]
    drawn = stack(thin(marks, whole))
    return Lane(name, title, tuple(drawn), len(marks), tuple(union(unseen)), tuple(union(failed)))


def thin(marks: Sequence[Mark], whole: Span) -> list[Mark]:
    """Join marks that begin in one cell of a grid of `MOST_MARKS` cells, when there are more than that."""
    if len(marks) <= MOST_MARKS:
        return list(marks)
    cell = whole.duration / MOST_MARKS
    joined: dict[int, Mark] = {}
    for mark in marks:
        key = int((mark.span.start - whole.start) / cell)
        known = joined.get(key)
        joined[key] = _join(known, mark) if known else mark
    return list(joined.values())


def stack(marks: Sequence[Mark]) -> list[Mark]:
    """Give each mark the topmost row that is free at its start; past `MOST_ROWS` they share the last."""
    ends: list[Instant | None] = [None] * MOST_ROWS
    placed = []
    for mark in sorted(marks, key=lambda mark: (mark.span.start, -mark.span.duration)):
        free = (row for row, end in enumerate(ends) if end is None or end <= mark.span.start)
        row = next(free, MOST_ROWS - 1)
        ends[row] = mark.span.end
        placed.append(replace(mark, row=row))
    return placed


def _join(left: Mark, right: Mark) -> Mark:
    texts = dict.fromkeys([*left.text.split(" · "), right.text])
    return Mark(
        left.span.hull(right.span),
        _cut(" · ".join(texts)),
        left.count + right.count,
        confidence=max(left.confidence, right.confidence),
    )


def _text(item: Observation) -> str:
    return _cut(" ".join(item.text.split()) or item.sense)


def _cut(text: str) -> str:
    return text if len(text) <= MOST_TEXT else text[: MOST_TEXT - 1].rstrip() + "…"
