"""How a server is set up, and what it lets its users do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from vidence.errors import UsageError

LOOPBACK = ("127.0.0.1", "::1", "localhost")
MB, GB = 1 << 20, 1 << 30


@dataclass(frozen=True, slots=True)
class Limits:
    """What one library, and all of them together, may ask for. More is refused with the HTTP status that says so."""

    upload_bytes: int = 8 * GB
    spare_bytes: int = 1 * GB  # of the disk, that uploads leave free
    duration_s: float = 12 * 3600.0
    pixels: int = 8192 * 4320  # of one picture
    body_bytes: int = 1 * MB  # of a request that is no upload
    chat_bytes: int = 256 * MB  # of a chat, whose pictures come with it
    queued_jobs: int = 100
    queued_jobs_overall: int = 1000
    open_uploads: int = 20
    asks: int = 2
    asks_overall: int = 4
    views_waiting: int = 128
    media_of_one_question: int = 16
    requests_per_s: float = 100.0
    requests_at_once: int = 1000  # before that rate holds
    failed_logins_per_minute: float = 20.0

    idle_s: float = 60.0  # that a client may take between two pieces of a body
    fetch_s: float = 6 * 3600.0
    view_s: float = 60.0  # for a frame, or to see what an upload is
    ask_s: float = 1800.0
    index_s: float = 900.0  # and as much again for every minute of video
    worker_bytes: int = 8 * GB  # of address space; indexing a small video with all senses takes 1.3 GB
    view_bytes: int = 3 * GB
    crashes: int = 2  # of its worker, after which a job is given up


def read_limits(given: Sequence[str]) -> Limits:
    """Read limits from "NAME=VALUE" texts; what is not named keeps its default.

    Raises:
        UsageError: there is no limit of a name, or the value is no number from 0 on.
    """
    kinds = {one.name: type(one.default) for one in fields(Limits)}
    found: dict[str, Any] = {}
    for text in given:
        name, _, value = text.partition("=")
        if name not in kinds:
            raise UsageError(f"--limit {text}: there is no limit {name!r}; there are {', '.join(kinds)}")
        try:
            found[name] = kinds[name](value)
        except ValueError:
            raise UsageError(
                f"--limit {text}: give a number, such as {name}={getattr(Limits(), name):g}"
            ) from None
        if not found[name] >= 0:
            raise UsageError(f"--limit {text}: a limit is not below zero")
    return Limits(**found)


@dataclass(frozen=True, slots=True)
class Settings:
    """One server. Without `tokens` it serves the library at `root`, or the user's own where none is named."""

    host: str = "127.0.0.1"
    port: int = 8000
    root: Path | None = None
    tokens: Path | None = None
    names: tuple[str, ...] = ()  # under which the server may be called, besides `host`
    fetch_from: tuple[str, ...] = ()  # networks as CIDR from which may be fetched though they are not public
    senses: tuple[str, ...] | None = None  # what is perceived of a new video; None: all
    tier: str | None = None
    index_workers: int = 1
    view_workers: int = 2
    limits: Limits = field(default_factory=Limits)

    @property
    def local(self) -> bool:
        """Say whether only this machine can reach it."""
        return self.host in LOOPBACK
