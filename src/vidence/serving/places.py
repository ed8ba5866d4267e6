"""How many jobs come before one: as the keeper takes them, round robin over libraries."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from vidence.serving.jobs import Job, line_of
from vidence.serving.library import Library


@dataclass(frozen=True, slots=True)
class Places:
    """What waits now, by (line, library), oldest first."""

    waiting: Mapping[tuple[str, str], Sequence[int]]

    @classmethod
    def now(cls, libraries: Iterable[Library]) -> Places:
        """Look at the queues."""
        waiting: dict[tuple[str, str], list[int]] = {}
        for library in libraries:
            for kind, id in library.queue.queued():
                waiting.setdefault((line_of(kind), library.name), []).append(id)
        return cls(waiting)

    def of(self, library: Library, job: Job) -> int | None:
        """Return a job's place in the line, were none added to it; 0: it is running; None: it has ended."""
        if job.state != "queued":
            return 0 if job.state == "running" else None
        here = line_of(job.kind)
        own = self.waiting.get((here, library.name), ())
        rank = own.index(job.id) + 1 if job.id in own else 1
        others = (
            len(ids) for (line, name), ids in self.waiting.items() if line == here and name != library.name
        )
        return rank + sum(min(rank, count) for count in others)
