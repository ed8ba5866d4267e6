"""The memory: one file that keeps what was perceived of every medium, and finds it again."""

from __future__ import annotations

import json
import os
import sqlite3
import time
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vidence.errors import StoreError, UsageError
from vidence.memory import claims
from vidence.memory.coverage import Coverage, Failure, Perceived
from vidence.memory.database import Database
from vidence.memory.joining import Joiner, join_around
from vidence.memory.medium import Medium, read_info, write_info
from vidence.memory.rows import PAYLOAD, exact, pack, parse, unpack
from vidence.senses.observation import Observation, Producer
from vidence.timeline import Span, union

if TYPE_CHECKING:
    from vidence.media import Media

LANGUAGE_SPACE = "language"
"""The space of `senses.language.embed`, in which texts of any language and looks can be compared."""


def default_path() -> Path:
    """Return where the memory lies: $VIDENCE_HOME, else the platform's folder for user data."""
    if home := os.environ.get("VIDENCE_HOME"):
        return Path(home).expanduser() / "memory.sqlite"
    from platformdirs import user_data_path

    return user_data_path("vidence", appauthor=False) / "memory.sqlite"


class Memory:
    """What was perceived of any number of media, in one SQLite file. Threads may share it; processes too."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @classmethod
    def open(cls, path: Path | str | None = None) -> Memory:
        """Open the memory file, made if there is none (default: see `default_path`).

        Raises:
            StoreError: the file is damaged, not permitted, on a full disk, or of another program.
        """
        return cls(Database(Path(path).expanduser() if path is not None else default_path()))

    @property
    def path(self) -> Path:
        """The file."""
        return self._database.path

    def close(self) -> None:
        """Close the file; what was written stays."""
        self._database.close()

    def __enter__(self) -> Memory:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # Media

    def add(self, media: Media) -> None:
        """Register a medium, or note where it lies now."""
        row = (media.hash, str(media.path), write_info(media.info), time.time())
        if self._database.read("SELECT 1 FROM medium WHERE hash = ? AND path = ? AND info = ?", row[:3]):
            return  # nothing new: an index run that has nothing to do shall not write at all
        with self._database.transaction() as db:
            db.execute(
                "INSERT INTO medium(hash, path, info, added) VALUES (?, ?, ?, ?) "
                "ON CONFLICT(hash) DO UPDATE SET path = excluded.path, info = excluded.info",
                row,
            )

    def media(self) -> list[Medium]:
        """Return every known medium, the newest last."""
        rows = self._database.read("SELECT hash, path, info, added, problems FROM medium ORDER BY added, id")
        return [
            Medium(h, path, read_info(info), added, tuple(json.loads(p))) for h, path, info, added, p in rows
        ]

    def medium(self, hash: str) -> Medium:
        """Return one medium by its hash, or by the first characters of it.

        Raises:
            UsageError: none or several begin so.
        """
        found = [medium for medium in self.media() if medium.hash.startswith(hash)]
        if len(found) != 1:
            raise UsageError(
                f"{len(found)} media in the memory begin with {hash!r}; `vidence show` lists them"
            )
        return found[0]

    def note_problems(self, medium: str, problems: Sequence[str]) -> None:
        """Keep what could not be decoded."""
        text = json.dumps(list(problems), ensure_ascii=False)
        if self._database.value("SELECT problems FROM medium WHERE hash = ?", (medium,)) != text:
            with self._database.transaction() as db:
                db.execute("UPDATE medium SET problems = ? WHERE hash = ?", (text, medium))

    def forget(self, medium: str) -> None:
        """Remove a medium and all that was perceived of it; the file itself is not touched."""
        with self._database.transaction() as db:
            key = (self._medium_id(db, medium),)
            for table in ("observation", "segment", "failure", "claim", "outline"):
                db.execute(f"DELETE FROM {table} WHERE medium_id = ?", key)
            db.execute("DELETE FROM medium WHERE id = ?", key)

    def vacuum(self) -> None:
        """Drop work that newer versions of a sense have replaced, vectors of texts no longer there, and the free space."""
        with self._database.transaction() as db:
            db.execute(
                "DELETE FROM observation WHERE segment_id IN (SELECT id FROM segment WHERE superseded = 1)"
            )
            db.execute("DELETE FROM segment WHERE superseded = 1")
            db.execute(
                "DELETE FROM text_vector WHERE text NOT IN (SELECT text FROM observation WHERE hidden = 0)"
            )
            db.execute("DELETE FROM claim WHERE expires < ?", (time.time(),))
        self._database.vacuum()

    # Writing

    def write(
        self,
        medium: str,
        producer: Producer,
        segment: Span,
        observations: Sequence[Observation],
        *,
        rate_hz: float | None = None,
        max_side: int | None = None,
        space: str = LANGUAGE_SPACE,
        joiner: Joiner | None = None,
    ) -> int:
        """Keep what one producer perceived in one segment, all or nothing, and say that the segment was seen.

        Work already kept under the same (medium, producer, segment) stays as it is, and 0 is returned, else the number
        written. Another version of the same sense on the same segment is hidden. `joiner` joins over the edges.
        """
        with self._database.transaction() as db:
            medium_id, producer_id = self._medium_id(db, medium), _producer_id(db, producer)
            key = (medium_id, producer_id, exact(segment.start), exact(segment.end))
            _settle(db, key)
            if db.execute(f"SELECT 1 FROM segment WHERE {_KEY}", key).fetchone():
                return 0
            _supersede(db, key, producer.sense)
            segment_id = db.execute(
                'INSERT INTO segment(medium_id, producer_id, start, "end", start_s, rate_hz, max_side) '
                "VALUES (?, ?, ?, ?, ?, ?, ?)",
                (*key, float(segment.start), rate_hz, max_side),
            ).lastrowid
            db.executemany(
                f"INSERT INTO observation(medium_id, producer_id, segment_id, {PAYLOAD}) VALUES ({_marks(14)})",
                [
                    (medium_id, producer_id, segment_id, *pack(seen, space))
                    for seen in sorted(observations, key=_order)
                ],
            )
            if joiner is not None:
                join_around(db, medium_id, producer_id, producer, segment, joiner)
            _changed(db, medium_id)
        return len(observations)

    def fail(
        self, medium: str, producer: Producer, segment: Span, reason: str, *, again: bool = False
    ) -> None:
        """Note that a segment could not be perceived, and why. `again`: the attempt does not count, a later run tries again."""
        with self._database.transaction() as db:
            key = (
                self._medium_id(db, medium),
                _producer_id(db, producer),
                exact(segment.start),
                exact(segment.end),
            )
            attempts = db.execute(f"SELECT attempts FROM failure WHERE {_KEY}", key).fetchone()
            _settle(db, key)
            count = (attempts[0] if attempts else 0) + (not again)
            db.execute("INSERT INTO failure VALUES (?, ?, ?, ?, ?, ?)", (*key, reason, count))

    def claim(self, medium: str, producers: Sequence[Producer], segment: Span, owner: str) -> list[Producer]:
        """Reserve a segment, and return those of the producers that got it: nobody else works on it, nor has done it."""
        with self._database.transaction() as db:
            medium_id, got = self._medium_id(db, medium), []
            for producer in producers:
                key = (medium_id, _producer_id(db, producer), exact(segment.start), exact(segment.end))
                if not db.execute(f"SELECT 1 FROM segment WHERE {_KEY}", key).fetchone() and claims.take(
                    db, key, owner
                ):
                    got.append(producer)
        return got

    def renew(self, owner: str) -> None:
        """Put off the expiry of a run's claims."""
        with self._database.transaction() as db:
            claims.renew(db, owner)

    def release(self, owner: str) -> None:
        """Give back a run's claims."""
        with self._database.transaction() as db:
            claims.release(db, owner)

    def done(self, medium: str, producer: Producer) -> set[Span]:
        """Return the segments that a producer has perceived; work hidden by another version is shown again."""
        rows = self._database.read(
            'SELECT s.id, s.start, s."end", s.superseded FROM segment s JOIN medium m ON m.id = s.medium_id '
            f"JOIN producer p ON p.id = s.producer_id WHERE m.hash = ? AND {_PRODUCER}",
            (medium, *_identity(producer)),
        )
        for id, start, end, superseded in rows:
            if superseded:
                self._revive(medium, producer, id, start, end)
        return {Span(parse(start), parse(end)) for _, start, end, _ in rows}

    def failures(self, medium: str, producer: Producer) -> dict[Span, int]:
        """Return the segments at which a producer failed, with the number of attempts."""
        rows = self._database.read(
            'SELECT f.start, f."end", f.attempts FROM failure f JOIN medium m ON m.id = f.medium_id '
            f"JOIN producer p ON p.id = f.producer_id WHERE m.hash = ? AND {_PRODUCER}",
            (medium, *_identity(producer)),
        )
        return {Span(parse(start), parse(end)): attempts for start, end, attempts in rows}

    def _revive(self, medium: str, producer: Producer, segment_id: int, start: str, end: str) -> None:
        with self._database.transaction() as db:
            medium_id = self._medium_id(db, medium)
            _supersede(db, (medium_id, _producer_id(db, producer), start, end), producer.sense)
            db.execute("UPDATE segment SET superseded = 0 WHERE id = ?", (segment_id,))
            db.execute(
                "UPDATE observation SET hidden = 0 WHERE segment_id = ? AND part_of IS NULL", (segment_id,)
            )
            _changed(db, medium_id)

    # Reading

    def observations(
        self,
        medium: str,
        *,
        senses: Collection[str] | None = None,
        span: Span | None = None,
        ids: Collection[int] | None = None,
    ) -> list[Observation]:
        """Return what was perceived, in time order, joined over segment boundaries.

        `senses`, `span` (whatever overlaps it) and `ids` narrow the choice. The id of a part finds the joined whole.
        """
        where, values = ["o.hidden = 0", "m.hash = ?"], [medium]
        if senses is not None:
            where.append(f"p.sense IN ({_marks(len(senses))})")
            values += senses
        if span is not None:
            where.append("o.start_s <= ? AND o.end_s >= ?")
            values += [float(span.end) + 1e-6, float(span.start) - 1e-6]
        if ids is not None:
            where.append(
                "o.id IN (SELECT coalesce(part_of, id) FROM observation WHERE id IN (SELECT value FROM json_each(?)))"
            )
            values.append(json.dumps(sorted(ids)))
        rows = self._database.read(
            f"SELECT o.id, p.sense, p.version, p.weights, p.parameters, {_PAYLOAD_OF_O} FROM observation o "
            "JOIN medium m ON m.id = o.medium_id JOIN producer p ON p.id = o.producer_id "
            f"WHERE {' AND '.join(where)} ORDER BY o.start_s, o.end_s, o.id",
            values,
        )
        producers: dict[tuple[Any, ...], Producer] = {}
        found = (unpack(row[5:], producers.setdefault(row[1:5], Producer(*row[1:5])), row[0]) for row in rows)
        return [seen for seen in found if span is None or seen.span.overlaps(span)]

    def coverage(self, medium: str) -> Coverage:
        """Return which spans were perceived by which sense, at which rate and size, and what failed."""
        whole = self.medium(medium).info.span
        rows = self._database.read(
            'SELECT p.sense, p.version, p.weights, p.parameters, s.rate_hz, s.max_side, s.start, s."end" FROM segment s '
            "JOIN medium m ON m.id = s.medium_id JOIN producer p ON p.id = s.producer_id "
            "WHERE m.hash = ? AND s.superseded = 0 ORDER BY p.sense, s.start_s",
            (medium,),
        )
        spans: dict[tuple[Any, ...], list[Span]] = {}
        for *who, start, end in rows:
            spans.setdefault(tuple(who), []).append(Span(parse(start), parse(end)))
        perceived = [Perceived(Producer(*who[:4]), tuple(union(spans[who])), who[4], who[5]) for who in spans]
        return Coverage(medium, whole, tuple(perceived), tuple(self._failures(medium)))

    def _failures(self, medium: str) -> Iterable[Failure]:
        rows = self._database.read(
            'SELECT p.sense, f.reason, f.start, f."end" FROM failure f JOIN medium m ON m.id = f.medium_id '
            "JOIN producer p ON p.id = f.producer_id WHERE m.hash = ?",
            (medium,),
        )
        by_reason: dict[tuple[str, str], list[Span]] = {}
        for sense, reason, start, end in rows:
            by_reason.setdefault((sense, reason), []).append(Span(parse(start), parse(end)))
        for (sense, reason), spans in sorted(by_reason.items()):
            yield from (Failure(sense, span, reason) for span in union(spans))

    def _medium_id(self, db: sqlite3.Connection, medium: str) -> int:
        row = db.execute("SELECT id FROM medium WHERE hash = ?", (medium,)).fetchone()
        if row is None:
            raise StoreError(
                f"medium {medium[:24]} is not in the memory {self.path} (forgotten meanwhile?); add it first"
            )
        return row[0]


_KEY = 'medium_id = ? AND producer_id = ? AND start = ? AND "end" = ?'
_PRODUCER = "p.sense = ? AND p.version = ? AND p.weights = ? AND p.parameters = ?"
_PAYLOAD_OF_O = ", ".join(f"o.{column.strip()}" for column in PAYLOAD.split(","))


def _marks(count: int) -> str:
    return ", ".join("?" * count)


def _order(seen: Observation) -> tuple[Any, ...]:
    return (seen.span, seen.text)


def _identity(producer: Producer) -> tuple[str, str, str, str]:
    return producer.sense, producer.version, producer.weights, producer.parameters


def _producer_id(db: sqlite3.Connection, producer: Producer) -> int:
    find = f"SELECT id FROM producer p WHERE {_PRODUCER}"
    if row := db.execute(find, _identity(producer)).fetchone():
        return row[0]
    db.execute(
        "INSERT INTO producer(sense, version, weights, parameters) VALUES (?, ?, ?, ?)", _identity(producer)
    )
    return db.execute(find, _identity(producer)).fetchone()[0]


def _settle(db: sqlite3.Connection, key: tuple[int, int, str, str]) -> None:
    """Drop the claim and the failure of a segment whose fate is now known."""
    db.execute(f"DELETE FROM claim WHERE {_KEY}", key)
    db.execute(f"DELETE FROM failure WHERE {_KEY}", key)


def _supersede(db: sqlite3.Connection, key: tuple[int, int, str, str], sense: str) -> None:
    """Hide what other producers of the same sense perceived in the very same segment."""
    medium_id, producer_id, start, end = key
    others = [
        id
        for (id,) in db.execute(
            "SELECT s.id FROM segment s JOIN producer p ON p.id = s.producer_id WHERE s.medium_id = ? AND s.start = ? "
            'AND s."end" = ? AND p.sense = ? AND s.producer_id <> ? AND s.superseded = 0',
            (medium_id, start, end, sense, producer_id),
        )
    ]
    for id in others:
        db.execute("UPDATE segment SET superseded = 1 WHERE id = ?", (id,))
        db.execute("UPDATE observation SET hidden = 1 WHERE segment_id = ?", (id,))


def _changed(db: sqlite3.Connection, medium_id: int) -> None:
    db.execute("UPDATE medium SET revision = revision + 1 WHERE id = ?", (medium_id,))
