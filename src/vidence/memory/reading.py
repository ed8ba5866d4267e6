"""What is read from the memory file: observations, segments, failures."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from vidence.memory.coverage import Coverage, Failure, Perceived
from vidence.memory.database import Database
from vidence.memory.rows import PAYLOAD, parse, unpack
from vidence.memory.writing import BY_PRODUCER, identity
from vidence.senses.observation import Observation, Producer
from vidence.timeline import Span, total, union

_PAYLOAD = ", ".join(f"o.{column.strip()}" for column in PAYLOAD.split(","))
_SELECT = (
    f"SELECT o.id, o.medium_id, p.sense, p.version, p.weights, p.parameters, {_PAYLOAD} FROM observation o "
    "JOIN medium m ON m.id = o.medium_id JOIN producer p ON p.id = o.producer_id "
)


def observations(
    database: Database,
    medium: str,
    *,
    senses: Collection[str] | None = None,
    span: Span | None = None,
    ids: Collection[int] | None = None,
) -> list[Observation]:
    """Return the visible observations of a medium in time order (see `Memory.observations`)."""
    where, values = ["o.hidden = 0", "m.hash = ?"], [medium]
    if senses is not None:
        where.append("p.sense IN (SELECT value FROM json_each(?))")
        values.append(json.dumps(sorted(senses)))
    if span is not None:
        where.append("o.start_s <= ? AND o.end_s >= ?")  # a microsecond wide of it; exactly below
        values += [float(span.end) + 1e-6, float(span.start) - 1e-6]
    if ids is not None:
        where.append(
            "o.id IN (SELECT coalesce(part_of, id) FROM observation WHERE id IN (SELECT value FROM json_each(?)))"
        )
        values.append(json.dumps(sorted(ids)))
    rows = database.read(f"{_SELECT} WHERE {' AND '.join(where)} ORDER BY o.start_s, o.end_s, o.id", values)
    return [seen for _, seen in _unpacked(rows) if span is None or seen.span.overlaps(span)]


def by_ids(database: Database, ids: Sequence[int]) -> dict[int, tuple[int, Observation]]:
    """Return observations of any media: id → (medium id, observation)."""
    rows = database.read(
        f"{_SELECT} WHERE o.id IN (SELECT value FROM json_each(?))", (json.dumps(list(ids)),)
    )
    return {seen.id: (medium_id, seen) for medium_id, seen in _unpacked(rows) if seen.id is not None}


def _unpacked(rows: list[tuple[Any, ...]]) -> Iterator[tuple[int, Observation]]:
    producers: dict[tuple[Any, ...], Producer] = {}
    for row in rows:
        who = row[2:6]
        if who not in producers:
            producers[who] = Producer(*who)
        yield row[1], unpack(row[6:], producers[who], row[0])


def segments(database: Database, medium: str, producer: Producer) -> dict[Span, bool]:
    """Return the segments that a producer has perceived, and whether each is superseded by another version."""
    rows = database.read(
        'SELECT s.start, s."end", s.superseded FROM segment s JOIN medium m ON m.id = s.medium_id '
        f"JOIN producer p ON p.id = s.producer_id WHERE m.hash = ? AND {BY_PRODUCER}",
        (medium, *identity(producer)),
    )
    return {Span(parse(start), parse(end)): bool(superseded) for start, end, superseded in rows}


def attempts(database: Database, medium: str, producer: Producer) -> dict[Span, int]:
    """Return the segments at which a producer failed, with the number of attempts that count."""
    rows = database.read(
        'SELECT f.start, f."end", f.attempts FROM failure f JOIN medium m ON m.id = f.medium_id '
        f"JOIN producer p ON p.id = f.producer_id WHERE m.hash = ? AND {BY_PRODUCER}",
        (medium, *identity(producer)),
    )
    return {Span(parse(start), parse(end)): count for start, end, count in rows}


def coverage(database: Database, medium: str, whole: Span) -> Coverage:
    """Return what was perceived of a medium, and what failed."""
    rows = database.read(
        'SELECT p.sense, p.version, p.weights, p.parameters, s.rate_hz, s.max_side, s.start, s."end" '
        "FROM segment s JOIN medium m ON m.id = s.medium_id JOIN producer p ON p.id = s.producer_id "
        "WHERE m.hash = ? AND s.superseded = 0 ORDER BY p.sense, s.start_s",
        (medium,),
    )
    spans: dict[tuple[Any, ...], list[Span]] = {}
    for *who, start, end in rows:
        spans.setdefault(tuple(who), []).append(Span(parse(start), parse(end)))
    perceived = (Perceived(Producer(*who[:4]), tuple(union(found)), *who[4:]) for who, found in spans.items())
    return Coverage(medium, whole, tuple(perceived), tuple(_failures(database, medium)))


def shares(database: Database, spans: Mapping[str, Span]) -> dict[str, dict[str, float]]:
    """Return of each medium, whose span is given by its hash, the share (0 to 1) that each sense has perceived."""
    rows = database.read(
        'SELECT m.hash, p.sense, s.start, s."end" FROM segment s JOIN medium m ON m.id = s.medium_id '
        "JOIN producer p ON p.id = s.producer_id WHERE s.superseded = 0 "
        "AND m.hash IN (SELECT value FROM json_each(?)) ORDER BY p.sense",
        (json.dumps([*spans]),),
    )
    seen: dict[str, dict[str, list[Span]]] = {hash: {} for hash in spans}
    for hash, sense, start, end in rows:
        seen[hash].setdefault(sense, []).append(Span(parse(start), parse(end)))
    return {
        hash: {
            sense: float(total(part.clipped(spans[hash]) for part in parts) / spans[hash].duration)
            if spans[hash].duration
            else 1.0
            for sense, parts in senses.items()
        }
        for hash, senses in seen.items()
    }


def _failures(database: Database, medium: str) -> Iterator[Failure]:
    rows = database.read(
        'SELECT p.sense, f.reason, f.start, f."end" FROM failure f JOIN medium m ON m.id = f.medium_id '
        "JOIN producer p ON p.id = f.producer_id WHERE m.hash = ?",
        (medium,),
    )
    spans: dict[tuple[str, str], list[Span]] = {}
    for sense, reason, start, end in rows:
        spans.setdefault((sense, reason), []).append(Span(parse(start), parse(end)))
    for (sense, reason), found in sorted(spans.items()):
        yield from (Failure(sense, span, reason) for span in union(found))
