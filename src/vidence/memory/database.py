"""One SQLite file: opened safely, written in short transactions, its errors told in words a user can act on."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from vidence.errors import StoreError
from vidence.memory.schema import migrate

BUSY_S = 30.0  # how long a writer waits for another; one transaction takes milliseconds


class Database:
    """A connection that threads may share: one lock, because SQLite would serialise them anyway."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.read_only = False
        self._lock = threading.RLock()
        with self._told():
            self._connection = self._open()

    def _open(self) -> sqlite3.Connection:
        if self.path.is_dir():
            raise StoreError(f"{self.path} is a folder; the memory needs a file: name one with --memory")
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StoreError(f"cannot make the folder {self.path.parent} for the memory: {error}") from error
        try:
            return self._ready(self._connect(f"{self.path.resolve().as_uri()}"))
        except sqlite3.OperationalError as error:
            if not self.path.is_file() or error.sqlite_errorcode & 0xFF not in _READ_ONLY:
                raise
        self.read_only = True
        return self._open_to_read()

    def _open_to_read(self) -> sqlite3.Connection:
        try:
            return self._ready(self._connect(f"{self.path.resolve().as_uri()}?mode=ro"))
        except sqlite3.OperationalError:
            # WAL needs its side files; where they cannot be made nobody else can be writing either
            return self._ready(self._connect(f"{self.path.resolve().as_uri()}?immutable=1"))

    def _connect(self, uri: str) -> sqlite3.Connection:
        return sqlite3.connect(uri, uri=True, timeout=BUSY_S, isolation_level=None, check_same_thread=False)

    def _ready(self, db: sqlite3.Connection) -> sqlite3.Connection:
        try:
            db.execute("PRAGMA foreign_keys = ON")
            if not self.read_only:
                db.execute("PRAGMA journal_mode = WAL")
                db.execute(
                    "PRAGMA synchronous = NORMAL"
                )  # a killed process loses nothing; a power cut the last moments
            migrate(db, str(self.path))
        except BaseException:
            db.close()
            raise
        return db

    def close(self) -> None:
        """Close the file; what was committed stays."""
        with self._lock:
            self._connection.close()

    def read(self, sql: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Return all rows of a query."""
        with self._lock, self._told():
            return self._connection.execute(sql, values).fetchall()

    def value(self, sql: str, values: Sequence[Any] = ()) -> Any:
        """Return the first column of the first row, or None."""
        rows = self.read(sql, values)
        return rows[0][0] if rows else None

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Write all or nothing; the lock is taken at once: what is read inside cannot change before the commit."""
        with self._lock, self._told():
            if self.read_only:
                raise StoreError(
                    f"the memory {self.path} is read-only; give write permission or name another with --memory"
                )
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
                self._connection.execute("COMMIT")
            except BaseException:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise

    def vacuum(self) -> None:
        """Give the space of what was deleted back to the file system."""
        with self._lock, self._told():
            self._connection.execute("VACUUM")
            self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.DatabaseError as error:
            raise StoreError(_explain(error, self.path)) from error


_READ_ONLY = {sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM}
_ADVICE = {
    sqlite3.SQLITE_FULL: "the disk is full; free some space and run again: what was stored before is kept",
    sqlite3.SQLITE_IOERR: "the disk refused to write or read (full, over a quota, or failing); "
    "what was stored before is kept: make room and run again",
    sqlite3.SQLITE_READONLY: "it is read-only; give write permission or name another file with --memory",
    sqlite3.SQLITE_CANTOPEN: "it cannot be opened; check the path and its permissions, or name another with --memory",
    sqlite3.SQLITE_PERM: "access is not permitted; check its permissions, or name another file with --memory",
    sqlite3.SQLITE_BUSY: f"another process has held it for more than {BUSY_S:.0f} s; wait for it to end, and run again",
    sqlite3.SQLITE_CORRUPT: "it is damaged and was left as it is; move it away (Vidence then starts a new one), "
    'or try "sqlite3 FILE .recover"',
    sqlite3.SQLITE_NOTADB: "it is not a memory file, or its head is damaged; it was left as it is: move it away "
    "(Vidence then starts a new one) or name another file with --memory",
}


def _explain(error: sqlite3.Error, path: Path) -> str:
    code = getattr(error, "sqlite_errorcode", None)
    advice = _ADVICE.get(code & 0xFF) if code is not None else None
    return f"memory {path}: {advice} (SQLite: {error})" if advice else f"memory {path}: SQLite says: {error}"
