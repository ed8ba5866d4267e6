"""Join what a segment boundary has cut, so that a resumed run equals an uninterrupted one.

The parts stay stored: the first keeps its id and shows the joined whole (its own content lies in `fragment`), the
others are hidden and point to it. Boundaries are folded from left to right whatever the order in which segments were
finished: a join made before its left neighbour arrived is undone and made again.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from vidence.memory.claims import Key
from vidence.memory.rows import PAYLOAD, pack, unpack
from vidence.senses.observation import Observation, Producer

Join = Callable[[Observation, Observation], Observation | None]

_SET = ", ".join(f"{column.strip()} = ?" for column in PAYLOAD.split(","))


@dataclass(frozen=True, slots=True)
class Joiner:
    """How one sense joins, and how far (`reach_s`) from the boundary a part may end or begin."""

    join: Join
    reach_s: float


@dataclass(frozen=True, slots=True)
class _Row:
    id: int
    space: str | None
    seen: Observation


def join_around(db: sqlite3.Connection, key: Key, producer: Producer, joiner: Joiner) -> None:
    """Join over both edges of a segment that was just written, inside the caller's transaction."""
    medium_id, producer_id, start, end = key
    work = _Boundaries(db, medium_id, producer_id, producer, joiner)
    here = work.segment('start = ? AND "end" = ?', start, end)
    left = work.segment('"end" = ?', start)
    right = work.segment("start = ?", end)
    if here and left:
        work.fold(here)
    elif here and right:
        work.fold(right)


def dissolve(db: sqlite3.Connection, segment_id: int) -> None:
    """Undo every join that has a part in a segment: all its parts are shown as they were perceived."""
    heads = db.execute(
        "SELECT DISTINCT coalesce(o.part_of, o.id) FROM observation o LEFT JOIN fragment f ON f.id = o.id "
        "WHERE o.segment_id = ? AND (o.part_of IS NOT NULL OR f.id IS NOT NULL)",
        (segment_id,),
    ).fetchall()
    for (head,) in heads:
        db.execute(
            f"UPDATE observation SET ({PAYLOAD}) = (SELECT {PAYLOAD} FROM fragment WHERE id = ?1) WHERE id = ?1",
            (head,),
        )
        db.execute("DELETE FROM fragment WHERE id = ?", (head,))
        db.execute("UPDATE observation SET hidden = 0, part_of = NULL WHERE part_of = ?", (head,))


class _Boundaries:
    """The boundaries of one producer on one medium; a segment is (id, start_s, end)."""

    def __init__(
        self, db: sqlite3.Connection, medium_id: int, producer_id: int, producer: Producer, joiner: Joiner
    ) -> None:
        self.db, self.producer, self.joiner = db, producer, joiner
        self.key = (medium_id, producer_id)

    def segment(self, condition: str, *values: Any) -> tuple[int, float, str] | None:
        return self.db.execute(
            'SELECT id, start_s, "end" FROM segment WHERE medium_id = ? AND producer_id = ? AND superseded = 0 '
            f"AND {condition} ORDER BY id LIMIT 1",
            (*self.key, *values),
        ).fetchone()

    def fold(self, right: tuple[int, float, str]) -> None:
        """Join over the left edge of `right`, and over the edges after it that depend on the outcome."""
        self.split(right)
        while True:
            after = self.segment("start = ?", right[2])
            undone = after is not None and self.split(after)
            linked = self.link(right)
            if after is None or not (undone or linked):
                break
            right = after
        if after is not None and not undone:
            self.split(after)
            self.link(after)

    def split(self, right: tuple[int, float, str]) -> bool:
        """Undo the joins that cross the left edge of `right`; what lies left of it stays joined."""
        heads = self.db.execute(
            "SELECT DISTINCT part_of FROM observation WHERE segment_id = ? AND part_of IS NOT NULL",
            (right[0],),
        ).fetchall()
        for (head,) in heads:
            parts = self._rows(
                f"SELECT o.id, {_columns('o')} FROM observation o JOIN segment s ON s.id = o.segment_id "
                "WHERE o.part_of = ? ORDER BY s.start_s, o.start_s, o.id",
                head,
            )
            late = {
                id
                for (id,) in self.db.execute(
                    "SELECT o.id FROM observation o JOIN segment s ON s.id = o.segment_id "
                    "WHERE o.part_of = ? AND s.start_s >= ?",
                    (head, right[1]),
                )
            }
            whole = self._rows(f"SELECT id, {PAYLOAD} FROM fragment WHERE id = ?", head)[0]
            for part in parts:
                if part.id in late:
                    self.db.execute(
                        "UPDATE observation SET hidden = 0, part_of = NULL WHERE id = ?", (part.id,)
                    )
                elif joined := self.joiner.join(whole.seen, part.seen):
                    whole = _Row(head, whole.space, joined)
            self._show(head, whole)
            if len(late) == len(parts):
                self.db.execute("DELETE FROM fragment WHERE id = ?", (head,))
        return bool(heads)

    def link(self, right: tuple[int, float, str]) -> bool:
        """Join the pairs that the sense accepts, likeliest first; each part is used once."""
        edge_s, reach_s = right[1], self.joiner.reach_s
        before = self._rows(
            f"SELECT o.id, {_columns('o')} FROM observation o JOIN segment s ON s.id = o.segment_id "
            "WHERE o.medium_id = ? AND o.producer_id = ? AND o.hidden = 0 AND o.end_s >= ? AND s.start_s < ? "
            "AND s.superseded = 0 ORDER BY o.id",
            *self.key, edge_s - reach_s, edge_s,
        )  # fmt: skip
        after = self._rows(
            f"SELECT id, {PAYLOAD} FROM observation WHERE segment_id = ? AND hidden = 0 AND start_s <= ? ORDER BY id",
            right[0], edge_s + reach_s,
        )  # fmt: skip
        pairs = sorted(
            ((a, b) for a in before for b in after), key=lambda pair: _strangeness(pair[0].seen, pair[1].seen)
        )
        used: set[int] = set()
        for a, b in pairs:
            if a.id in used or b.id in used or (joined := self.joiner.join(a.seen, b.seen)) is None:
                continue
            used |= {a.id, b.id}
            self._absorb(a, b, joined)
        return bool(used)

    def _absorb(self, head: _Row, part: _Row, joined: Observation) -> None:
        self.db.execute(
            f"INSERT OR IGNORE INTO fragment(id, {PAYLOAD}) SELECT id, {PAYLOAD} FROM observation WHERE id = ?",
            (head.id,),
        )
        self.db.execute("UPDATE observation SET hidden = 1, part_of = ? WHERE id = ?", (head.id, part.id))
        self._show(head.id, _Row(head.id, head.space, joined))

    def _show(self, id: int, row: _Row) -> None:
        self.db.execute(f"UPDATE observation SET {_SET} WHERE id = ?", (*pack(row.seen, row.space), id))

    def _rows(self, sql: str, *values: Any) -> list[_Row]:
        return [
            _Row(row[0], row[-1], unpack(row[1:], self.producer, row[0]))
            for row in self.db.execute(sql, values)
        ]


def _columns(table: str) -> str:
    return ", ".join(f"{table}.{column.strip()}" for column in PAYLOAD.split(","))


def _strangeness(left: Observation, right: Observation) -> tuple[Any, ...]:
    """Order pairs: the same words first, then the boxes that lie best on each other, then the smallest gap."""
    overlap = left.track[-1][1].iou(right.track[0][1]) if left.track and right.track else 0.0
    return (left.text != right.text, -overlap, abs(left.span.end - right.span.start), left.span, right.span)
