"""Who is working on what: two processes that index the same medium share the work instead of doing it twice.

A claim names (medium, producer, segment), its owner, and when it expires. The owner renews it while it works;
a claim whose process on this machine has ended is free at once, one from elsewhere when it expires.
"""

from __future__ import annotations

import os
import socket
import sqlite3
import time
import uuid

WHERE = 'medium_id = ? AND producer_id = ? AND start = ? AND "end" = ?'
"""The condition that a `Key` fills."""

EXPIRY_S = 60.0
RENEW_EVERY_S = 10.0

Key = tuple[int, int, str, str]
"""(medium id, producer id, exact start, exact end)."""


def new_owner() -> str:
    """Name this run: machine, process, and a random part, since process ids come round again."""
    return f"{socket.gethostname()} {os.getpid()} {uuid.uuid4().hex[:12]}"


def take(db: sqlite3.Connection, key: Key, owner: str) -> bool:
    """Claim a segment; False when a living owner holds it."""
    held = db.execute(f"SELECT owner, expires FROM claim WHERE {WHERE}", key).fetchone()
    if held is not None and held[0] != owner and held[1] > time.time() and may_live(held[0]):
        return False
    db.execute(
        "INSERT OR REPLACE INTO claim VALUES (?, ?, ?, ?, ?, ?)", (*key, owner, time.time() + EXPIRY_S)
    )
    return True


def renew(db: sqlite3.Connection, owner: str) -> None:
    """Put off the expiry of all that a run holds."""
    db.execute("UPDATE claim SET expires = ? WHERE owner = ?", (time.time() + EXPIRY_S, owner))


def release(db: sqlite3.Connection, owner: str) -> None:
    """Give back all that a run holds."""
    db.execute("DELETE FROM claim WHERE owner = ?", (owner,))


def may_live(owner: str) -> bool:
    """Say whether an owner's process may still be there; of other machines that cannot be known."""
    host, pid, _ = owner.split(" ")
    if (
        host != socket.gethostname() or os.name != "posix"
    ):  # elsewhere signal 0 is not a question but an interrupt
        return True
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
