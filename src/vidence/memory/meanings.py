"""The vectors of texts: each text is encoded once and kept, whichever medium says it again."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence

import numpy as np

from vidence.errors import VidenceError
from vidence.memory.database import Database

Encoder = Callable[[Sequence[str]], np.ndarray]
"""Turns N texts into unit rows, shape (N, D); rows of zeros for texts without meaning."""

LANGUAGE_SPACE = "language"
"""The space of `senses.language.embed`, in which texts of any language, and looks, can be compared."""

_BATCH = 64


def encode(texts: Sequence[str]) -> np.ndarray:
    """Encode with the embedded multilingual encoder; loaded at the first text."""
    from vidence.senses.language import embed

    return embed(texts)


class Meanings:
    """Keeps the vectors of all texts up to date. Without its encoder's weights, search goes by words alone."""

    def __init__(self, database: Database, encoder: Encoder = encode) -> None:
        self._database, self._encoder = database, encoder
        self._complete: dict[int, int] = {}  # medium id → the revision at which nothing was missing

    def keep(self, texts: Iterable[str]) -> int:
        """Encode those of the texts that are new; return how many."""
        wanted = sorted({text for text in texts if text})
        if not wanted or self._database.read_only:
            return 0
        known = self._database.read(
            "SELECT text FROM text_vector WHERE text IN (SELECT value FROM json_each(?))",
            (json.dumps(wanted),),
        )
        return self._encode(sorted(set(wanted) - {text for (text,) in known}))

    def complete(self, medium_id: int, least: int = 1, revision: int | None = None) -> int:
        """Encode what texts of a medium have no vector yet (labels, joined ones); return how many.

        Fewer than `least` are left for the next search, which needs the encoder anyway. `revision` is the medium's,
        where it was just read.
        """
        sql = "SELECT revision FROM medium WHERE id = ?"
        now: int = self._database.value(sql, (medium_id,)) if revision is None else revision
        if self._database.read_only or self._complete.get(medium_id) == now:
            return 0
        rows = self._database.read(
            "SELECT DISTINCT o.text FROM observation o LEFT JOIN text_vector v ON v.text = o.text "
            "WHERE o.medium_id = ? AND o.hidden = 0 AND o.text <> '' AND v.text IS NULL",
            (medium_id,),
        )
        if not rows:
            self._complete[medium_id] = now
        if len(rows) < least:
            return 0
        if count := self._encode([text for (text,) in rows]):
            with self._database.transaction() as db:
                db.execute("UPDATE medium SET revision = revision + 1 WHERE id = ?", (medium_id,))
        return count

    def _encode(self, texts: list[str]) -> int:
        for start in range(0, len(texts), _BATCH):
            batch = texts[start : start + _BATCH]
            try:
                rows = self._encoder(batch).astype(np.float16)
            except VidenceError:
                return start
            with self._database.transaction() as db:
                db.executemany(
                    "INSERT OR IGNORE INTO text_vector VALUES (?, ?)",
                    [(text, row.tobytes()) for text, row in zip(batch, rows, strict=True)],
                )
        return len(texts)
