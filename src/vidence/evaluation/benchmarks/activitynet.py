"""ActivityNet Captions (arXiv 1705.00754): moments of a sentence in YouTube videos of two minutes."""

from __future__ import annotations

from pathlib import Path

from vidence.evaluation.benchmarks import timelens
from vidence.evaluation.files import find
from vidence.evaluation.item import Benchmark, Item


def load(folder: Path, split: str) -> list[Item]:
    """Read the re-annotation, or one of the two original validation files."""
    if split == "timelens":
        return timelens.items(folder, "activitynet")
    path = find(folder, f"{split}.json", *(["val.json"] if split == "val_1" else []))
    return timelens.moments(path, "sentences", "timestamps")


BENCHMARK = Benchmark(
    name="activitynet",
    title="ActivityNet Captions",
    form="grounding",
    splits=("timelens", "val_1", "val_2"),
    metric="mIoU",
    frames=timelens.FRAMES,
    licence="BSD-3-Clause (TimeLens), the original's not stated; the videos are YouTube's",
    source=f"{timelens.SOURCE}; original: val_1.json and val_2.json of ActivityNet Captions",
    load=load,
    note=f"{timelens.NOTE}Papers on the original annotations mostly test on val_2 and validate on val_1 "
    "(17,505 sentences).",
)
