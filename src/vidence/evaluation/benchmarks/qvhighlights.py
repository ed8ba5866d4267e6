"""QVHighlights (arXiv 2107.09609): moments of a query in clips of 150 seconds, often several; marked by 2 seconds."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from vidence.evaluation.benchmarks import timelens
from vidence.evaluation.files import find, need, place, rows, span
from vidence.evaluation.item import Benchmark, Item

CLIP = 2
"""Seconds of a clip that annotators marked or not."""


def load(folder: Path, split: str) -> list[Item]:
    """Read the re-annotation, or the original validation split with all moments of a query."""
    if split == "timelens":
        return timelens.items(folder, "qvhighlights")
    path = find(folder, "highlight_val_release.jsonl", "highlight_val*.jsonl")
    found = list[Item]()
    for number, row in enumerate(rows(path)):
        name, query, video = need(row, ["qid", "query", "vid"], path, number)
        windows = row.get("relevant_windows")
        if windows is None:
            windows = joined(need(row, ["relevant_clip_ids"], path, number)[0])
        spans = tuple(span(window, place(path, number)) for window in windows)
        found.append(Item(str(name), video, query.strip(), spans=spans))
    return found


def joined(clips: Iterable[int]) -> list[tuple[int, int]]:
    """Return the stretches, in seconds, that consecutive clips make up."""
    found = list[tuple[int, int]]()
    for clip in sorted(clips):
        start, end = clip * CLIP, (clip + 1) * CLIP
        if found and found[-1][1] == start:
            start = found.pop()[0]
        found.append((start, end))
    return found


BENCHMARK = Benchmark(
    name="qvhighlights",
    title="QVHighlights",
    form="grounding",
    splits=("timelens", "val"),
    metric="mIoU",
    frames=timelens.FRAMES,
    licence="BSD-3-Clause (TimeLens); the original's CC BY-NC-SA 4.0",
    source=f"{timelens.SOURCE}; original: highlight_val_release.jsonl of jayleicn/moment_detr",
    load=load,
    note=f"{timelens.NOTE}A third of the original queries have several moments, and its own metric is a mean average "
    "precision over ranked moments; here one answer is compared with their union.",
)
