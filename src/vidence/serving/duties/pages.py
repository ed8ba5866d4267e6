"""Pages with pictures, which have to be decoded: the report of a medium, and the page of a run."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from vidence.memory import Memory
from vidence.serving.duties.opening import opened

if TYPE_CHECKING:
    from vidence.serving.worker import Task, Tell


def report(task: Task, tell: Tell) -> str:
    """Return the report of a medium as HTML."""
    from vidence.exports.report import gather, render

    del tell
    with Memory.open(task["memory"]) as memory, opened(task) as media:
        return render(replace(gather(media, memory), name=task["name"]))


def run_page(task: Task, tell: Tell) -> str:
    """Return a run as HTML."""
    from vidence.exports.run import render_run

    del tell
    with Memory.open(task["memory"]) as memory:
        return render_run(memory.runs.get(task["run"]), name=task["name"])
