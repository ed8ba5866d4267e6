"""Uploads that go on after a break: the core of tus 1.0 with creation and termination (https://tus.io).

Written here: `tuspyserver` 4.4.3 writes a PATCH's body before it asks who sent it, waits for a file's lock on the event
loop, cannot leave out concatenation, and cannot tell from its hook what an answer should bear.

An upload is two files, named by us: what has come, whose size is the offset, and what was said of it at the start. So
nothing is lost when the server is killed.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import json
import time
import uuid
from dataclasses import dataclass
from pathlib import Path

from vidence.serving.names import clean_name
from vidence.serving.refusing import Refused, busy

VERSION = "1.0.0"
KEPT_S = 24 * 3600.0  # an upload that nobody goes on with


@dataclass(frozen=True, slots=True)
class Upload:
    """One upload: `length` bytes are to come in all."""

    id: str
    name: str
    length: int
    file: Path

    @property
    def offset(self) -> int:
        """How much has come."""
        return self.file.stat().st_size

    def remove(self) -> None:
        """Forget it."""
        self.file.unlink(missing_ok=True)
        self.file.with_suffix(".json").unlink(missing_ok=True)


class Uploads:
    """The uploads of one library."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._locks: dict[str, asyncio.Lock] = {}

    def begin(self, name: str, length: int, most_open: int) -> Upload:
        """Begin an upload.

        Raises:
            Refused: 429, `most_open` are begun already.
        """
        if len(self._swept()) >= most_open:
            raise busy(f"{most_open} uploads are begun in this library; end or remove one", 60)
        upload = Upload(id := uuid.uuid4().hex, name, length, self._folder / f"{id}.upload")
        upload.file.touch()
        upload.file.with_suffix(".json").write_text(json.dumps({"name": name, "length": length}))
        return upload

    def get(self, id: str) -> Upload:
        """Return an upload; `id` is 32 hex digits.

        Raises:
            Refused: 404.
        """
        file = self._folder / f"{id}.upload"
        try:
            said = json.loads(file.with_suffix(".json").read_text())
            file.stat()
        except (OSError, ValueError):
            raise Refused(404, "there is no such upload; begin it anew") from None
        return Upload(id, said["name"], said["length"], file)

    def lock(self, id: str) -> asyncio.Lock:
        """Return the lock of an upload: one request at a time writes to it."""
        self._locks = {key: lock for key, lock in self._locks.items() if lock.locked()}
        return self._locks.setdefault(id, asyncio.Lock())

    def _swept(self) -> list[Path]:
        """Return the uploads that are begun, without those that nobody has gone on with."""
        kept = []
        for file in self._folder.glob("*.upload"):
            if time.time() - file.stat().st_mtime > KEPT_S:
                Upload(file.stem, "", 0, file).remove()
            else:
                kept.append(file)
        return kept


def read_name(metadata: str | None) -> str:
    """Read the filename from an Upload-Metadata header: "key base64, key base64".

    Raises:
        Refused: 400, it is not of that form.
    """
    for pair in (metadata or "").split(","):
        key, _, value = pair.strip().partition(" ")
        if key not in ("filename", "name"):
            continue
        try:
            return clean_name(base64.b64decode(value.strip(), validate=True).decode())
        except (binascii.Error, UnicodeDecodeError):
            raise Refused(400, f"Upload-Metadata: {key} is not text in base64") from None
    return "video"
