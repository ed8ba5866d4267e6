"""VSI-Bench (arXiv 2412.14171): over 5,000 questions of space on walks through scanned rooms; sizes, counts, routes."""

from __future__ import annotations

from pathlib import Path

from vidence.errors import UsageError
from vidence.evaluation.files import find, need, place, rows
from vidence.evaluation.item import Benchmark, Frames, Item
from vidence.evaluation.official import mean_of
from vidence.evaluation.options import bare, index_of

NUMBERS = ("object_abs_distance", "object_counting", "object_size_estimation", "room_size_estimation")
"""The tasks that are answered by a number; the others by a letter."""


def load(folder: Path, split: str) -> list[Item]:
    """Read the hub's file; items of four tasks have a number, those of the others options."""
    path = find(folder, "test.jsonl", "test-00000-of-00001.parquet", "test.parquet")
    found = list[Item]()
    for number, row in enumerate(rows(path)):
        wanted = ["dataset", "scene_name", "question_type", "question", "ground_truth"]
        source, scene, task, question, truth = need(row, wanted, path, number)
        name, video = str(row.get("id", number)), f"{source}/{scene}.mp4"
        # The levels of direction count as one task.
        groups = {"task": task.removesuffix("_easy").removesuffix("_medium").removesuffix("_hard")}
        groups |= {"type": task, "dataset": source}
        if task in NUMBERS:
            try:
                found.append(Item(name, video, question, number=float(truth), groups=groups))
            except ValueError as fault:
                raise UsageError(f"{place(path, number)}: {truth!r} is no number") from fault
        else:
            options = bare(need(row, ["options"], path, number)[0])
            right = index_of(truth, options, place(path, number))
            found.append(Item(name, video, question, options, right, groups=groups))
    return found


BENCHMARK = Benchmark(
    name="vsi-bench",
    title="VSI-Bench",
    form="number",
    splits=("test",),
    metric="mean over tasks of accuracy (letters) and mean relative accuracy (numbers)",
    frames=Frames(fps=4, max_frames=256, min_pixels=1024 * 1024, max_pixels=1024 * 1024),
    licence="Apache-2.0; the videos are under ScanNet's, ScanNet++'s and ARKitScenes' terms",
    source="the dataset nyu-visionx/VSI-Bench on the hub: test.jsonl, and scannet, scannetpp and arkitscenes unpacked",
    load=load,
    official=mean_of("task", "type"),
    note="The official score is the mean of eight tasks, one of them object_rel_direction, itself the mean of its "
    "three levels. Items with options are asked as choices. A debiased file is published beside this one; the "
    "paper has the full one.",
)
