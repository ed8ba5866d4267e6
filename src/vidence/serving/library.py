"""One user's videos: a folder with the memory file, the files that were sent or fetched, and what is made of them."""

from __future__ import annotations

import os
import threading
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from vidence.apps.kept import Kept
from vidence.errors import UsageError
from vidence.memory import Memory, default_path
from vidence.memory.database import Database
from vidence.senses import query_encoders
from vidence.serving.bell import Bell
from vidence.serving.jobs import Queue
from vidence.serving.names import clean_name
from vidence.serving.refusing import Refused
from vidence.serving.uploads import Uploads

if TYPE_CHECKING:
    from vidence.memory import Medium

PREFIX = "sha256-sampled:"
LOCAL = "local"


class Library:
    """A library, open. Safe from any thread; its folders bear names that are ours alone."""

    def __init__(self, name: str, memory: Path) -> None:
        self.name, self.folder = name, memory.parent
        self.memory = Memory.open(memory, encoders=query_encoders())
        self._database = Database(memory)  # of its own: a search must not hold up the queue
        self.queue = Queue(self._database)
        self.bell = Bell()  # rung when a job changes
        self.files, self.incoming, self.made = (self.folder / part for part in ("media", "incoming", "made"))
        for folder in (self.files, self.incoming, self.made):
            folder.mkdir(parents=True, exist_ok=True)
        self.uploads = Uploads(self.incoming)

    def close(self) -> None:
        """Close the memory file."""
        self.memory.close()
        self._database.close()

    def new_file(self) -> Path:
        """Return a path for what is about to come in."""
        return self.incoming / uuid.uuid4().hex

    def medium(self, id: str) -> Medium:
        """Return a medium by its id, 64 hex digits.

        Raises:
            Refused: 404.
        """
        try:
            return self.memory.medium(PREFIX + id)
        except UsageError:
            raise Refused(404, f"there is no medium {id[:64]!r} in this library") from None

    def names(self) -> dict[str, str]:
        """Return the names that were given to media, by content hash."""
        return dict(
            self._database.read("SELECT hash, name FROM label JOIN medium ON medium.id = label.medium_id")
        )

    def name_of(self, medium: Medium) -> str:
        """Return what a medium is called."""
        given = self._database.value(
            "SELECT name FROM label JOIN medium ON medium.id = medium_id WHERE hash = ?", (medium.hash,)
        )
        return given or clean_name(medium.path)

    def rename(self, hash: str, name: str) -> None:
        """Call a medium by another name."""
        with self._database.transaction() as db:
            db.execute(
                "INSERT OR REPLACE INTO label SELECT id, ? FROM medium WHERE hash = ?",
                (clean_name(name), hash),
            )

    def forget(self, medium: Medium) -> None:
        """Remove a medium, what is made of it, and its file where that is ours."""
        self.memory.forget(medium.hash)
        self.queue.forget(medium.hash)
        Kept.beside(self.memory.path).forget(medium.hash)
        for path in self.made.glob(f"{id_of(medium.hash)}.*"):
            path.unlink(missing_ok=True)
        if Path(medium.path).parent == self.files:
            Path(medium.path).unlink(missing_ok=True)


@dataclass(slots=True)
class Libraries:
    """The libraries of a server, opened when first used."""

    root: Path | None  # None: the user's own memory
    _open: dict[str, Library]
    _lock: threading.Lock

    @classmethod
    def at(cls, root: Path | None) -> Libraries:
        """Return those of a folder."""
        return cls(root, {}, threading.Lock())

    def local(self) -> Library:
        """Return the one library of a server without tokens."""
        return self._get(LOCAL, self.root / "memory.sqlite" if self.root else default_path())

    def of(self, name: str) -> Library:
        """Return the library of a token's name."""
        return self._get(name, (self.root or default_path().parent / "libraries") / name / "memory.sqlite")

    def opened(self) -> list[Library]:
        """Return those in use."""
        with self._lock:
            return list(self._open.values())

    def close(self) -> None:
        """Close all."""
        for library in self.opened():
            library.close()

    def _get(self, name: str, memory: Path) -> Library:
        with self._lock:
            if name not in self._open:
                os.makedirs(memory.parent, mode=0o700, exist_ok=True)
                self._open[name] = Library(name, memory.absolute())
            return self._open[name]


def id_of(hash: str) -> str:
    """Return the id under which a medium is known: its content hash in hex digits."""
    return hash.removeprefix(PREFIX)
