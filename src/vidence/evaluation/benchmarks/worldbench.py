"""WorldBench: our own benchmark of generated videos, from a minute to three hours."""

from __future__ import annotations

from pathlib import Path

from vidence.evaluation.item import Benchmark, Frames, Item
from vidence.evaluation.made import read_items


def load(folder: Path, split: str) -> list[Item]:
    """Read what `vidence bench make worldbench` wrote."""
    del split
    return read_items(folder, "worldbench")


BENCHMARK = Benchmark(
    name="worldbench",
    title="WorldBench",
    form="choice",
    splits=("all",),
    metric="accuracy by task, length and depth",
    frames=Frames(fps=4, max_frames=2048),
    licence="Apache-2.0, as this package; the videos are made on your machine",
    source="vidence bench make worldbench --out DIR",
    load=load,
    note="Made from seeds, so that no training can have seen it; runs compare where lengths, worlds and seed are the "
    "same. Always answering that no banner is shown gets every 'unseen' question and no needle: read the two together.",
)
