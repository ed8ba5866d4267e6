"""What is written together: one segment of one producer, inside one transaction of the caller's."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Any

from vidence.memory.claims import WHERE as KEY
from vidence.memory.claims import Key
from vidence.memory.joining import Joiner, dissolve, join_around
from vidence.memory.rows import PAYLOAD, exact, pack, parse
from vidence.senses.observation import Observation, Producer
from vidence.timeline import Span

BY_PRODUCER = "p.sense = ? AND p.version = ? AND p.weights = ? AND p.parameters = ?"


def identity(producer: Producer) -> tuple[str, str, str, str]:
    """Return the values for `BY_PRODUCER`."""
    return producer.sense, producer.version, producer.weights, producer.parameters


def key_of(db: sqlite3.Connection, medium_id: int, producer: Producer, segment: Span) -> Key:
    """Return the key under which work is kept; a producer not yet known gets its number."""
    find = f"SELECT id FROM producer p WHERE {BY_PRODUCER}"
    row = db.execute(find, identity(producer)).fetchone()
    if row is None:
        db.execute(
            "INSERT INTO producer(sense, version, weights, parameters) VALUES (?, ?, ?, ?)",
            identity(producer),
        )
        row = db.execute(find, identity(producer)).fetchone()
    return medium_id, row[0], exact(segment.start), exact(segment.end)


def known(db: sqlite3.Connection, key: Key) -> bool:
    """Say whether the work of a key is kept already."""
    return db.execute(f"SELECT 1 FROM segment WHERE {KEY}", key).fetchone() is not None


def write_segment(
    db: sqlite3.Connection,
    key: Key,
    producer: Producer,
    observations: Sequence[Observation],
    *,
    rate_hz: float | None,
    max_side: int | None,
    space: str,
    joiner: Joiner | None,
) -> None:
    """Write a segment that is not known yet, hide what another version perceived in it, and join over its edges."""
    supersede(db, key, producer.sense)
    segment_id = db.execute(
        'INSERT INTO segment(medium_id, producer_id, start, "end", start_s, rate_hz, max_side) '
        "VALUES (?, ?, ?, ?, ?, ?, ?)",
        (*key, float(parse(key[2])), rate_hz, max_side),
    ).lastrowid
    db.executemany(
        f"INSERT INTO observation(medium_id, producer_id, segment_id, {PAYLOAD}) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [(*key[:2], segment_id, *pack(seen, space)) for seen in sorted(observations, key=_order)],
    )
    if joiner is not None:
        join_around(db, key, producer, joiner)
    changed(db, key[0])


def revive(db: sqlite3.Connection, key: Key, producer: Producer, joiner: Joiner | None) -> None:
    """Show again what another version had hidden, and hide that one."""
    supersede(db, key, producer.sense)
    db.execute(f"UPDATE segment SET superseded = 0 WHERE {KEY}", key)
    db.execute(
        "UPDATE observation SET hidden = 0 WHERE part_of IS NULL "
        f"AND segment_id = (SELECT id FROM segment WHERE {KEY})",
        key,
    )
    if joiner is not None:
        join_around(db, key, producer, joiner)
    changed(db, key[0])


def supersede(db: sqlite3.Connection, key: Key, sense: str) -> None:
    """Hide what other producers of the same sense perceived in the very same segment; it stays stored."""
    medium_id, producer_id, start, end = key
    others = db.execute(
        "SELECT s.id FROM segment s JOIN producer p ON p.id = s.producer_id WHERE s.medium_id = ? "
        'AND s.start = ? AND s."end" = ? AND p.sense = ? AND s.producer_id <> ? AND s.superseded = 0',
        (medium_id, start, end, sense, producer_id),
    ).fetchall()
    for (id,) in others:
        dissolve(db, id)
        db.execute("UPDATE segment SET superseded = 1 WHERE id = ?", (id,))
        db.execute("UPDATE observation SET hidden = 1 WHERE segment_id = ?", (id,))


def settle(db: sqlite3.Connection, key: Key) -> None:
    """Drop the claim and the failure of a segment whose fate is now known."""
    db.execute(f"DELETE FROM claim WHERE {KEY}", key)
    db.execute(f"DELETE FROM failure WHERE {KEY}", key)


def write_failure(db: sqlite3.Connection, key: Key, reason: str, *, counts: bool) -> None:
    """Note why a segment could not be perceived; `counts`: towards the attempts after which it is left alone."""
    before = db.execute(f"SELECT attempts FROM failure WHERE {KEY}", key).fetchone()
    settle(db, key)
    db.execute(
        "INSERT INTO failure VALUES (?, ?, ?, ?, ?, ?)", (*key, reason, (before[0] if before else 0) + counts)
    )


def changed(db: sqlite3.Connection, medium_id: int) -> None:
    """Tell whoever keeps something derived from a medium's observations that it is out of date."""
    db.execute("UPDATE medium SET revision = revision + 1 WHERE id = ?", (medium_id,))


def _order(seen: Observation) -> tuple[Any, ...]:
    return seen.span, seen.text
