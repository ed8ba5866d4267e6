"""TOMATO (arXiv 2410.23266): 1,484 questions that need many frames in order: counts, directions, rotations, speeds."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from vidence.evaluation.files import find, need, place, rows, table
from vidence.evaluation.item import Benchmark, Frames, Item
from vidence.evaluation.options import numbered

TASKS = {
    "count": "count",
    "direction": "direction",
    "rotation": "rotation",
    "shape_trend": "shape&trend",
    "velocity_frequency": "velocity&frequency",
    "visual_cues": "visual_cues",
}
"""The tasks as the hub names their files, and as the authors do."""


def load(folder: Path, split: str) -> list[Item]:
    """Read the six files, one a task: the authors' JSON, or the hub's Parquet."""
    found = list[Item]()
    for task, original in TASKS.items():
        path = find(folder, f"{original}.json", f"{task}.json", f"{task}-*.parquet")
        for number, (name, row) in enumerate(_rows(path)):
            wanted = ["question", "options", "answer", "key", "demonstration_type"]
            question, given, answer, key, kind = need(row, wanted, path, number)
            options = tuple(str(option).strip() for option in given)
            right = numbered(answer, options, place(path, number))
            groups = {"task": task, "demonstration": kind}
            found.append(Item(f"{task}-{name}", f"{kind}/{key}.mp4", question, options, right, groups=groups))
    return found


def _rows(path: Path) -> Iterable[tuple[object, dict[str, Any]]]:
    return table(path).items() if path.suffix == ".json" else enumerate(rows(path))


BENCHMARK = Benchmark(
    name="tomato",
    title="TOMATO",
    form="choice",
    splits=("test",),
    metric="accuracy",
    # The paper's script names no most frames; 768 is the processor's own.
    frames=Frames(fps=4, max_frames=768, min_pixels=1024 * 1024, max_pixels=1024 * 1024),
    licence="CC BY-SA 4.0",
    source="the repository yale-nlp/TOMATO: data/*.json, and the archive of videos linked there: videos/ with human, "
    "object and simulated in it",
    load=load,
    note="The authors ask with 16 frames a video; the paper's script shows 4 a second.",
)
