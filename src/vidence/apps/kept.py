"""What checking found, kept beside the memory file, so that no evidence is opened twice for the same question."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vidence.errors import StoreError
from vidence.mcr.evidence import Evidence, Verdict

if TYPE_CHECKING:
    from vidence.senses.observation import Observation

WAIT_S = 30
_SCHEMA = """
CREATE TABLE IF NOT EXISTS opened (key TEXT PRIMARY KEY, medium TEXT NOT NULL, verdict TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS review (
    medium TEXT NOT NULL, rule TEXT NOT NULL, start_s REAL NOT NULL, end_s REAL NOT NULL, decision TEXT NOT NULL,
    changes TEXT NOT NULL, note TEXT NOT NULL, reviewer TEXT NOT NULL, made REAL NOT NULL
);
"""


class Kept:
    """A small SQLite file: verdicts of the check, and the decisions of reviewers."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @classmethod
    def beside(cls, memory: Path) -> Kept:
        """Return the file of a memory file: NAME-apps.sqlite."""
        return cls(memory.with_name(f"{memory.stem}-apps.sqlite"))

    @contextmanager
    def database(self) -> Iterator[sqlite3.Connection]:
        """Open it for one transaction.

        Raises:
            StoreError: it cannot be read or written.
        """
        try:
            with closing(sqlite3.connect(self.path, timeout=WAIT_S)) as db, db:
                db.executescript(_SCHEMA)
                yield db
        except sqlite3.Error as error:
            raise StoreError(
                f"{self.path}: {error}; what reviewers decided and checks found is kept there"
            ) from error

    def opened(self, key: str) -> tuple[Verdict, str | None] | None:
        """Return what opening found before, and the hash of the frame."""
        if not self.path.exists():
            return None
        with self.database() as db:
            row = db.execute("SELECT verdict FROM opened WHERE key = ?", (key,)).fetchone()
        if row is None:
            return None
        value = json.loads(row[0])
        return Verdict(value["kind"], value["score"], value["checked_by"]), value["frame_hash"]

    def keep(self, key: str, medium: str, verdict: Verdict, frame_hash: str | None) -> None:
        """Keep what opening found."""
        value: dict[str, Any] = {
            "kind": verdict.kind, "score": verdict.score, "checked_by": verdict.checked_by, "frame_hash": frame_hash
        }  # fmt: skip
        with self.database() as db:
            db.execute(
                "INSERT OR REPLACE INTO opened VALUES (?, ?, ?)",
                (key, medium, json.dumps(value, ensure_ascii=False)),
            )

    def forget(self, medium: str) -> None:
        """Remove what is kept of a medium."""
        if not self.path.exists():
            return
        with self.database() as db:
            for table in ("opened", "review"):
                db.execute(f"DELETE FROM {table} WHERE medium = ?", (medium,))


def key_of(claim: str, evidence: Evidence, source: Observation | None, checker: str) -> str:
    """Name one opening: who checks, which claim, and exactly what stands behind the evidence."""
    producer = source.producer if source else None
    span = source.span if source else evidence.span
    told = (
        checker, claim if checker != "rules" else "", evidence.medium, evidence.sense, evidence.absent,
        str(span.start), str(span.end), source.text if source else evidence.quote, repr(producer),
    )  # fmt: skip
    return hashlib.sha256(json.dumps(told, ensure_ascii=False).encode()).hexdigest()
