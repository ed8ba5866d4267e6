"""The tables of the memory file, as a list of migrations applied by name.

A migration that has been released is never edited: a change is a new function at the end of `MIGRATIONS`. Exact times
are text ("1001/30000"), since a sum of odd time bases may not fit 64 bits; beside each stands a float for indices.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable

from vidence.errors import StoreError

APPLICATION_ID = 0x5649444E  # "VIDN": tells our files from other SQLite files

_TABLES = """
CREATE TABLE medium(
    id INTEGER PRIMARY KEY, hash TEXT NOT NULL UNIQUE, path TEXT NOT NULL, info TEXT NOT NULL,
    added REAL NOT NULL, problems TEXT NOT NULL DEFAULT '[]', revision INTEGER NOT NULL DEFAULT 0);
CREATE TABLE producer(
    id INTEGER PRIMARY KEY, sense TEXT NOT NULL, version TEXT NOT NULL, weights TEXT NOT NULL,
    parameters TEXT NOT NULL, UNIQUE(sense, version, weights, parameters));
CREATE TABLE segment(
    id INTEGER PRIMARY KEY, medium_id INTEGER NOT NULL REFERENCES medium ON DELETE CASCADE,
    producer_id INTEGER NOT NULL REFERENCES producer, start TEXT NOT NULL, "end" TEXT NOT NULL,
    start_s REAL NOT NULL, superseded INTEGER NOT NULL DEFAULT 0, rate_hz REAL, max_side INTEGER,
    UNIQUE(medium_id, producer_id, start, "end"));
CREATE TABLE observation(
    id INTEGER PRIMARY KEY AUTOINCREMENT, medium_id INTEGER NOT NULL REFERENCES medium ON DELETE CASCADE,
    producer_id INTEGER NOT NULL REFERENCES producer, segment_id INTEGER NOT NULL REFERENCES segment ON DELETE CASCADE,
    start TEXT NOT NULL, "end" TEXT NOT NULL, start_s REAL NOT NULL, end_s REAL NOT NULL, modality TEXT NOT NULL,
    text TEXT NOT NULL, confidence REAL NOT NULL, track BLOB, data, vector BLOB, space TEXT,
    hidden INTEGER NOT NULL DEFAULT 0, part_of INTEGER);
CREATE INDEX observation_time ON observation(medium_id, start_s);
CREATE INDEX observation_segment ON observation(segment_id);
CREATE INDEX observation_part ON observation(part_of) WHERE part_of IS NOT NULL;
-- What the first part of a joined observation was before it was joined (same id).
CREATE TABLE fragment(
    id INTEGER PRIMARY KEY REFERENCES observation ON DELETE CASCADE, start TEXT NOT NULL, "end" TEXT NOT NULL,
    start_s REAL NOT NULL, end_s REAL NOT NULL, modality TEXT NOT NULL, text TEXT NOT NULL,
    confidence REAL NOT NULL, track BLOB, data, vector BLOB, space TEXT);
CREATE TABLE failure(
    medium_id INTEGER NOT NULL REFERENCES medium ON DELETE CASCADE, producer_id INTEGER NOT NULL REFERENCES producer,
    start TEXT NOT NULL, "end" TEXT NOT NULL, reason TEXT NOT NULL, attempts INTEGER NOT NULL DEFAULT 1,
    PRIMARY KEY(medium_id, producer_id, start, "end")) WITHOUT ROWID;
CREATE TABLE claim(
    medium_id INTEGER NOT NULL REFERENCES medium ON DELETE CASCADE, producer_id INTEGER NOT NULL REFERENCES producer,
    start TEXT NOT NULL, "end" TEXT NOT NULL, owner TEXT NOT NULL, expires REAL NOT NULL,
    PRIMARY KEY(medium_id, producer_id, start, "end")) WITHOUT ROWID;
-- With row ids: without them a row of more than a quarter page would spill into a page of its own (5.1 KB a text).
CREATE TABLE text_vector(text TEXT PRIMARY KEY, vector BLOB NOT NULL);
CREATE TABLE outline(
    medium_id INTEGER PRIMARY KEY REFERENCES medium ON DELETE CASCADE, revision INTEGER NOT NULL,
    builder TEXT NOT NULL, tree BLOB NOT NULL);
"""

_WORDS = """
CREATE VIEW readable AS SELECT id, text FROM observation WHERE hidden = 0 AND text <> '';
CREATE VIRTUAL TABLE words USING fts5(
    text, content='readable', content_rowid='id', tokenize='porter unicode61 remove_diacritics 2');
CREATE VIRTUAL TABLE pieces USING fts5(text, content='readable', content_rowid='id', tokenize='trigram');
CREATE TRIGGER observation_added AFTER INSERT ON observation WHEN new.hidden = 0 AND new.text <> '' BEGIN
    INSERT INTO words(rowid, text) VALUES (new.id, new.text);
    INSERT INTO pieces(rowid, text) VALUES (new.id, new.text);
END;
CREATE TRIGGER observation_gone AFTER DELETE ON observation WHEN old.hidden = 0 AND old.text <> '' BEGIN
    INSERT INTO words(words, rowid, text) VALUES ('delete', old.id, old.text);
    INSERT INTO pieces(pieces, rowid, text) VALUES ('delete', old.id, old.text);
END;
CREATE TRIGGER observation_changed AFTER UPDATE OF text, hidden ON observation BEGIN
    INSERT INTO words(words, rowid, text) SELECT 'delete', old.id, old.text WHERE old.hidden = 0 AND old.text <> '';
    INSERT INTO pieces(pieces, rowid, text) SELECT 'delete', old.id, old.text WHERE old.hidden = 0 AND old.text <> '';
    INSERT INTO words(rowid, text) SELECT new.id, new.text WHERE new.hidden = 0 AND new.text <> '';
    INSERT INTO pieces(rowid, text) SELECT new.id, new.text WHERE new.hidden = 0 AND new.text <> '';
END;
"""

_RUNS = """
CREATE TABLE run(
    id INTEGER PRIMARY KEY AUTOINCREMENT, medium_id INTEGER NOT NULL REFERENCES medium ON DELETE CASCADE,
    question TEXT NOT NULL, choices TEXT NOT NULL, policy TEXT NOT NULL, budget TEXT NOT NULL, asked REAL NOT NULL,
    answer TEXT);
CREATE INDEX run_medium ON run(medium_id);
CREATE TABLE step(
    run_id INTEGER NOT NULL REFERENCES run ON DELETE CASCADE, "index" INTEGER NOT NULL, kind TEXT NOT NULL,
    content TEXT NOT NULL, data TEXT NOT NULL, PRIMARY KEY(run_id, "index")) WITHOUT ROWID;
"""

_JOBS = """
CREATE TABLE label(medium_id INTEGER PRIMARY KEY REFERENCES medium ON DELETE CASCADE, name TEXT NOT NULL);
CREATE TABLE job(
    id INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT NOT NULL, state TEXT NOT NULL DEFAULT 'queued', medium TEXT,
    name TEXT NOT NULL, request TEXT NOT NULL, created REAL NOT NULL, started REAL, finished REAL,
    owner TEXT, expires REAL, attempts INTEGER NOT NULL DEFAULT 0, crashes INTEGER NOT NULL DEFAULT 0,
    progress TEXT NOT NULL DEFAULT '{}', done_bytes INTEGER, total_bytes INTEGER, error TEXT);
CREATE INDEX job_state ON job(state, id);
"""


def _statements(script: str) -> list[str]:
    """Cut a script into statements: `executescript` would commit the transaction that a migration runs in."""
    found, rest = [], ""
    for line in script.splitlines(keepends=True):
        rest += line
        if sqlite3.complete_statement(rest):
            found.append(rest)
            rest = ""
    return found


def tables(db: sqlite3.Connection) -> None:
    """Make the tables of the first release."""
    for statement in _statements(_TABLES):
        db.execute(statement)


def word_search(db: sqlite3.Connection) -> None:
    """Make the full-text indices and the triggers that keep them equal to what is visible."""
    for statement in _statements(_WORDS):
        db.execute(statement)


def runs(db: sqlite3.Connection) -> None:
    """Make the tables of what was asked, and of the steps to its answers."""
    for statement in _statements(_RUNS):
        db.execute(statement)


def jobs(db: sqlite3.Connection) -> None:
    """Make the tables of what a server is to do, and of the names that people give to media."""
    for statement in _statements(_JOBS):
        db.execute(statement)


MIGRATIONS: list[Callable[[sqlite3.Connection], None]] = [tables, word_search, runs, jobs]


def migrate(db: sqlite3.Connection, path: str) -> None:
    """Bring the file to the newest schema; a no-op that only reads when it is.

    Raises:
        StoreError: the file is another program's database, or a newer Vidence has changed it.
    """
    done = _applied(db, path)
    if done == [step.__name__ for step in MIGRATIONS]:
        return
    db.execute("BEGIN IMMEDIATE")
    try:
        done = _applied(db, path)  # another process may have migrated while this one waited
        db.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        db.execute("CREATE TABLE IF NOT EXISTS migration(name TEXT PRIMARY KEY, at REAL NOT NULL)")
        for step in MIGRATIONS:
            if step.__name__ not in done:
                step(db)
                db.execute("INSERT INTO migration VALUES (?, ?)", (step.__name__, time.time()))
        db.execute("COMMIT")
    except BaseException:
        db.execute("ROLLBACK")
        raise


def _applied(db: sqlite3.Connection, path: str) -> list[str]:
    tables = {name for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    if "migration" not in tables:
        if tables or db.execute("PRAGMA application_id").fetchone()[0] not in (0, APPLICATION_ID):
            raise StoreError(f"{path} is the database of another program; name another file with --memory")
        return []
    names = [name for (name,) in db.execute("SELECT name FROM migration ORDER BY rowid")]
    if unknown := set(names) - {step.__name__ for step in MIGRATIONS}:
        raise StoreError(
            f"{path} was written by a newer Vidence (it has {', '.join(sorted(unknown))}); "
            "upgrade Vidence, or name another file with --memory"
        )
    return names
