"""A server in operation: its libraries, who may use them, and the workers."""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

from vidence.errors import UsageError
from vidence.memory.claims import new_owner
from vidence.serving.guarding.tokens import Sessions, Tokens
from vidence.serving.jobs import Kind
from vidence.serving.library import Libraries, Library
from vidence.serving.metrics import Metrics
from vidence.serving.refusing import Refused
from vidence.serving.settings import Settings
from vidence.serving.workers import Pool

if TYPE_CHECKING:
    from vidence.memory import Medium


@dataclass(frozen=True, slots=True)
class Model:
    """A model that answers chats at /v1, and decides when it is named as the policy of a question."""

    name: str
    address: str
    key: str = ""  # with which workers ask it; none: that of the server's own workers
    policy: str = "chat"  # by which it decides


@dataclass(slots=True)
class Site:
    """What every request may need."""

    settings: Settings
    libraries: Libraries
    tokens: Tokens | None
    models: tuple[Model, ...] = ()
    owner: str = field(default_factory=new_owner)  # of the jobs that are worked on
    secret: str = field(default_factory=lambda: secrets.token_urlsafe(32))  # of our own workers
    sessions: Sessions = field(default_factory=Sessions)
    metrics: Metrics = field(default_factory=Metrics)
    pools: dict[str, Pool] = field(init=False)
    asking: dict[str, int] = field(default_factory=dict)  # questions being answered, by library

    def __post_init__(self) -> None:
        limits, settings = self.settings.limits, self.settings
        shut = {"bytes": limits.worker_bytes, "network": False}
        heavy = shut | {"first": [{"task": "prepare", "tier": settings.tier}]}
        view = shut | {"bytes": limits.view_bytes}
        reach = view | {"network": True}
        self.pools = {
            "index": Pool("index", settings.index_workers, heavy),
            "ask": Pool("ask", limits.asks_overall, heavy | {"network": bool(self.models)}),
            "view": Pool("view", settings.view_workers, view, limits.views_waiting),
            "preview": Pool("preview", 1, view, limits.views_waiting),
            "fetch": Pool("fetch", 2, reach),
        }

    @classmethod
    def open(cls, settings: Settings, models: tuple[Model, ...] = ()) -> Site:
        """Check the settings and read the tokens.

        Raises:
            UsageError: it would be open to others without tokens, or the tokens cannot be read.
        """
        if settings.tokens is None and not settings.local:
            raise UsageError(
                f"--host {settings.host} lets other machines in; make tokens with `vidence token NAME` and give "
                "--tokens FILE, or serve at 127.0.0.1"
            )
        tokens = Tokens(settings.tokens) if settings.tokens else None
        return cls(settings, Libraries.at(settings.root), tokens, models)

    def library_of(self, user: str) -> Library:
        """Return the library of who asks, as the guard names them."""
        return self.libraries.local() if self.tokens is None else self.libraries.of(user)

    def used(self) -> list[Library]:
        """Return the libraries that may hold jobs: the one, or those of the tokens there are."""
        if self.tokens is None:
            return [self.libraries.local()]
        return [self.libraries.of(name) for name in self.tokens.names()]

    def counted(self) -> bytes:
        """Return the metrics, with how many jobs there are in the libraries that are in use."""
        counts = Counter(
            (job.kind, job.state) for library in self.libraries.opened() for job in library.queue.unfinished()
        )
        for kind in get_args(Kind):
            for state in ("queued", "running"):
                self.metrics.jobs.labels(kind, state).set(counts[kind, state])
        for name, pool in self.pools.items():
            self.metrics.died.labels(name).set(pool.died)
        return self.metrics.text()

    async def close(self) -> None:
        """End the workers and close the memory files."""
        for pool in self.pools.values():
            await pool.close()
        self.libraries.close()

    def task_on(self, library: Library, medium: Medium, task: str, **rest: Any) -> dict[str, Any]:
        """Return a worker's task on a medium.

        Raises:
            Refused: 410, its file is no longer there.
        """
        if not available(medium):
            raise Refused(410, "the file of this medium is no longer where it was; add it again")
        return {
            "task": task,
            "memory": str(library.memory.path),
            "path": medium.path,
            "medium": medium.hash,
            "ours": Path(medium.path).parent == library.files,
            "senses": self.settings.senses,
            "tier": self.settings.tier,
            **rest,
        }

    def policy(self, name: str | None) -> Mapping[str, str]:
        """Return what a worker opens a policy with.

        Raises:
            Refused: 400, there is none of that name.
        """
        if name in (None, "rules"):
            return {"name": "rules"}
        for model in self.models:
            if model.name == name:
                return {
                    "name": model.policy,
                    "model": model.name,
                    "api_base": model.address,
                    "key": model.key or self.secret,
                }
        known = ", ".join(["rules", *(model.name for model in self.models)])
        raise Refused(400, f"there is no policy {name!r} here; there are {known}")


def available(medium: Medium) -> bool:
    """Say whether the file of a medium is still there, by its size."""
    try:
        return Path(medium.path).stat().st_size == medium.info.bytes
    except (OSError, ValueError):
        return False
