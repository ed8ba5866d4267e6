"""Perceive a medium, telling how far each sense has come."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

from vidence.errors import WeightsError
from vidence.memory import Memory
from vidence.memory import index as perceive
from vidence.serving.duties.opening import opened, senses_of
from vidence.timeline import Span

if TYPE_CHECKING:
    from vidence.serving.worker import Task, Tell


def prepare(task: Task, tell: Tell) -> None:
    """Fetch the weights that are not here yet; one that cannot be had is told by its sense, in the coverage."""
    from vidence.catalogue import rows, weights

    del tell
    for row in rows():
        if row.path is None and (row.default or task["tier"] == row.tier == "standard"):
            with contextlib.suppress(WeightsError):
                weights(row.name)


def index(task: Task, tell: Tell) -> dict[str, Any]:
    """Index a medium, and build its outline so that the server does not have to."""
    senses = senses_of(task)
    with Memory.open(task["memory"]) as memory, opened(task) as media:

        def progress(segment: Span, sense: str, done_s: float, total_s: float) -> None:
            del segment
            tell({"progress": {sense: [round(done_s, 3), round(total_s, 3)]}})

        length = round(float(media.info.duration), 3)
        tell({"progress": {sense.name: [0.0, length] for sense in senses}})
        report = perceive(media, memory, senses, progress=progress)
        whole = {sense.name: [length, length] for sense in senses}
        failed = {failure.sense: failure.reason for failure in report.failed}
        tell({"progress": {name: done for name, done in whole.items() if name not in failed}})
        memory.scenes(media.hash)
    return {"failed": failed}
