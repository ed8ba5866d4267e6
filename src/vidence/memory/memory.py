"""The memory: one file that keeps what was perceived of every medium, and finds it again."""

from __future__ import annotations

import json
import os
import sqlite3
import time
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from vidence.errors import StoreError, UsageError
from vidence.memory import claims, reading, writing
from vidence.memory.coverage import Coverage
from vidence.memory.database import Database
from vidence.memory.joining import Joiner
from vidence.memory.meanings import LANGUAGE_SPACE, Encoder, Meanings, encode
from vidence.memory.medium import Medium, read_info, write_info
from vidence.memory.outline import Scene
from vidence.memory.runs import Runs
from vidence.memory.search import Filter, Hit, Searcher, merge
from vidence.memory.vectors import Vectors
from vidence.senses.observation import Observation, Producer
from vidence.timeline import Span

if TYPE_CHECKING:
    from vidence.media import Media


WORTH_LOADING = 20  # texts: loading the encoder takes 2 s, as long as encoding 400 labels


def default_path() -> Path:
    """Return where the memory lies: $VIDENCE_HOME, else the platform's folder for user data."""
    if home := os.environ.get("VIDENCE_HOME"):
        return Path(home).expanduser() / "memory.sqlite"
    from platformdirs import user_data_path

    return user_data_path("vidence", appauthor=False) / "memory.sqlite"


def seen_folder(memory: Path | None = None) -> Path:
    """Return where models keep what they saw, beside a memory file (default: the user's)."""
    return (memory or default_path()).expanduser().parent / "seen"


class Memory:
    """What was perceived of any number of media, in one SQLite file. Threads may share it; processes too.

    `encoders` turn a query into a vector, by the space in which it is compared (see `Sense.space`); "language" is
    also the space of all texts.
    """

    def __init__(self, database: Database, encoders: Mapping[str, Encoder] | None = None) -> None:
        self._database = database
        self._encoders = {LANGUAGE_SPACE: encode, **(encoders or {})}
        self._meanings = Meanings(database, self._encoders[LANGUAGE_SPACE])
        self._vectors = Vectors(database)
        self.runs = Runs(database)

    @classmethod
    def open(cls, path: Path | str | None = None, *, encoders: Mapping[str, Encoder] | None = None) -> Memory:
        """Open the memory file, made if there is none (default: see `default_path`).

        Raises:
            StoreError: the file is damaged, not permitted, on a full disk, or of another program.
        """
        return cls(Database(Path(path).expanduser() if path is not None else default_path()), encoders)

    @property
    def path(self) -> Path:
        """The file."""
        return self._database.path

    @property
    def seen(self) -> Path:
        """The folder beside it, in which models keep what they saw of a video; files begin with the medium's hash."""
        return seen_folder(self.path)

    def close(self) -> None:
        """Close the file; what was written stays."""
        self._database.close()

    def __enter__(self) -> Memory:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # Media

    def add(self, media: Media) -> None:
        """Register a medium, or note where it lies now; of a file the whole path, the same from any folder."""
        place = Path(media.path)
        row = (media.hash, str(place.absolute() if place.is_file() else media.path), write_info(media.info))
        if self._database.read("SELECT 1 FROM medium WHERE hash = ? AND path = ? AND info = ?", row):
            return  # nothing new: a run that has nothing to do shall not write at all
        with self._database.transaction() as db:
            db.execute(
                "INSERT INTO medium(hash, path, info, added) VALUES (?, ?, ?, ?) "
                "ON CONFLICT(hash) DO UPDATE SET path = excluded.path, info = excluded.info",
                (*row, time.time()),
            )

    def media(self) -> list[Medium]:
        """Return every known medium, the newest last."""
        return self._media("")

    def medium(self, hash: str) -> Medium:
        """Return one medium by its hash, or by the first characters of it.

        Raises:
            UsageError: none or several begin so.
        """
        found = self._media(hash)
        if len(found) != 1:
            raise UsageError(
                f"{len(found)} media in the memory begin with {hash!r}; `vidence show` lists them"
            )
        return found[0]

    def _media(self, begins: str) -> list[Medium]:
        rows = self._database.read(
            "SELECT hash, path, info, added, problems FROM medium WHERE substr(hash, 1, ?) = ? ORDER BY added, id",
            (len(begins), begins),
        )
        return [
            Medium(h, path, read_info(info), added, tuple(json.loads(p))) for h, path, info, added, p in rows
        ]

    def note_problems(self, medium: str, problems: Sequence[str]) -> None:
        """Keep what could not be decoded."""
        text = json.dumps(list(problems), ensure_ascii=False)
        if self._database.value("SELECT problems FROM medium WHERE hash = ?", (medium,)) != text:
            with self._database.transaction() as db:
                db.execute("UPDATE medium SET problems = ? WHERE hash = ?", (text, medium))

    def forget(self, medium: str) -> None:
        """Remove a medium and all that was perceived of it; the media file itself is not touched."""
        with self._database.transaction() as db:
            key = (self._medium_id(db, medium),)
            for table in ("observation", "segment", "failure", "claim", "outline", "run"):
                db.execute(f"DELETE FROM {table} WHERE medium_id = ?", key)
            db.execute("DELETE FROM medium WHERE id = ?", key)
        for path in self.seen.glob(f"{medium.split(':')[-1]}-*"):
            path.unlink(missing_ok=True)

    def vacuum(self) -> None:
        """Drop work that newer versions of a sense replaced, vectors of texts no longer there, and free space."""
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

        Work already kept under the same (medium, producer, segment) stays as it is and 0 is returned, else the
        number written. What another version of the sense perceived in the very same segment is hidden.
        `space` names what the observations' vectors may be compared with; `joiner` joins over the edges.
        """
        with self._database.transaction() as db:
            key = writing.key_of(db, self._medium_id(db, medium), producer, segment)
            writing.settle(db, key)
            if writing.known(db, key):
                return 0
            writing.write_segment(
                db,
                key,
                producer,
                observations,
                rate_hz=rate_hz,
                max_side=max_side,
                space=space,
                joiner=joiner,
            )
        self._meanings.keep(seen.text for seen in observations if seen.modality in ("speech", "text"))
        return len(observations)

    def complete(self, medium: str) -> None:
        """Give vectors to the texts that have none yet, where there are enough to be worth loading the encoder."""
        medium_id = self._database.value("SELECT id FROM medium WHERE hash = ?", (medium,))
        self._meanings.complete(medium_id, least=WORTH_LOADING)

    def fail(
        self, medium: str, producer: Producer, segment: Span, reason: str, *, counts: bool = True
    ) -> None:
        """Note that a segment could not be perceived, and why; `counts`: as an attempt that was the segment's fault."""
        with self._database.transaction() as db:
            key = writing.key_of(db, self._medium_id(db, medium), producer, segment)
            writing.write_failure(db, key, reason, counts=counts)

    def claim(self, medium: str, producers: Sequence[Producer], segment: Span, owner: str) -> list[Producer]:
        """Reserve a segment; return those producers that got it: nobody else works on it, nor has done it."""
        with self._database.transaction() as db:
            medium_id = self._medium_id(db, medium)
            keys = [(producer, writing.key_of(db, medium_id, producer, segment)) for producer in producers]
            return [p for p, key in keys if not writing.known(db, key) and claims.take(db, key, owner)]

    def renew(self, owner: str) -> None:
        """Put off the expiry of a run's claims."""
        with self._database.transaction() as db:
            claims.renew(db, owner)

    def release(self, owner: str) -> None:
        """Give back a run's claims."""
        with self._database.transaction() as db:
            claims.release(db, owner)

    def done(self, medium: str, producer: Producer, joiner: Joiner | None = None) -> set[Span]:
        """Return the segments that a producer has perceived; what another version had hidden is shown again."""
        segments = reading.segments(self._database, medium, producer)
        for segment in (segment for segment, superseded in segments.items() if superseded):
            with self._database.transaction() as db:
                key = writing.key_of(db, self._medium_id(db, medium), producer, segment)
                writing.revive(db, key, producer, joiner)
        return set(segments)

    def attempts(self, medium: str, producer: Producer) -> dict[Span, int]:
        """Return the segments at which a producer failed, with how often it was the segment's fault."""
        return reading.attempts(self._database, medium, producer)

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

        `senses`, `span` (whatever overlaps it) and `ids` narrow the choice; the id of a part finds the joined whole.
        """
        return reading.observations(self._database, medium, senses=senses, span=span, ids=ids)

    def coverage(self, medium: str) -> Coverage:
        """Return which spans were perceived by which sense, at which rate and size, and what failed."""
        return reading.coverage(self._database, medium, self.medium(medium).info.span)

    def shares(self, media: Iterable[Medium]) -> dict[str, dict[str, float]]:
        """Return of each of some media, by content hash, the share (0 to 1) that each sense has perceived."""
        return reading.shares(self._database, {one.hash: one.info.span for one in media})

    def scenes(self, medium: str) -> list[Scene]:
        """Return the hierarchy: scenes, their shots, and the moments in them; built anew only after a change."""
        from vidence.memory.scenes import outline

        return outline(self._database, self._meanings, medium, self.medium(medium).info.span)

    def search(
        self,
        query: str,
        *,
        media: Collection[str] | None = None,
        senses: Collection[str] | None = None,
        span: Span | None = None,
        limit: int = 20,
    ) -> list[Hit]:
        """Find by words, fragments, meaning in any language, and looks; best first, each hit with its reasons.

        Raises:
            UsageError: the query is empty.
        """
        if not query.strip():
            raise UsageError("the query is empty; say what to look for")
        chosen = self._revisions(media)
        if sum(self._meanings.complete(id, revision=revision) for id, (_, revision) in chosen.items()):
            chosen = self._revisions(media)  # of those that were completed it is another
        names = {id: hash for id, (hash, _) in chosen.items()}
        wanted = {id: revision for id, (_, revision) in chosen.items()}
        within = Filter(wanted, None if senses is None else tuple(senses), span)
        searcher = Searcher(self._database, self._encoders, self._vectors)
        ranked = searcher.rank(query, within)
        found = reading.by_ids(self._database, [id for id, _, _ in ranked])
        hits = [Hit(names[m], seen, s, why, seen.span) for id, s, why in ranked for m, seen in [found[id]]]
        return merge(hits)[:limit]

    def _revisions(self, media: Collection[str] | None) -> dict[int, tuple[str, int]]:
        """Return (content hash, revision) by the id of a medium, of all or of some."""
        rows = self._database.read("SELECT id, hash, revision FROM medium")
        return {id: (hash, revision) for id, hash, revision in rows if media is None or hash in media}

    def _medium_id(self, db: sqlite3.Connection, medium: str) -> int:
        row = db.execute("SELECT id FROM medium WHERE hash = ?", (medium,)).fetchone()
        if row is None:
            raise StoreError(f"medium {medium[:24]} is not in the memory {self.path}; add it first")
        return row[0]
