"""Needle films: a user's own clips, joined at known offsets into long films among generated scenes."""

from __future__ import annotations

from pathlib import Path

from vidence.evaluation.item import Benchmark, Frames, Item
from vidence.evaluation.made import read_items


def load(folder: Path, split: str) -> list[Item]:
    """Read what `vidence bench make needle-films` wrote."""
    del split
    return read_items(folder, "needle-films")


BENCHMARK = Benchmark(
    name="needle-films",
    title="Needle films",
    form="words",
    splits=("all",),
    metric="accuracy, overlap of intervals, and words by length and depth",
    frames=Frames(fps=4, max_frames=2048),
    licence="that of the clips",
    source="vidence bench make needle-films --clips DIR --out DIR; DIR holds clips and a questions.json",
    load=load,
    note="Choices are scored by accuracy, intervals by their overlap (IoU), counts by relative accuracy, words where "
    "the answer holds them; read them by type.",
)
