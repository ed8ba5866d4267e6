"""ActivityNet Captions (arXiv 1705.00754): moments of a sentence in YouTube videos of two minutes."""

from __future__ import annotations

from pathlib import Path

from vidence.errors import UsageError
from vidence.evaluation.benchmarks import timelens
from vidence.evaluation.files import find, need, place, span, table
from vidence.evaluation.item import Benchmark, Frames, Item


def load(folder: Path, split: str) -> list[Item]:
    """Read the re-annotation, or one of the two original validation files."""
    if split == "timelens":
        return timelens.items(folder, "activitynet")
    path = find(folder, f"{split}.json", *(["val.json"] if split == "val_1" else []))
    found = list[Item]()
    for number, (video, row) in enumerate(table(path).items()):
        times, sentences = need(row, ["timestamps", "sentences"], path, number)
        where = place(path, number)
        if len(times) != len(sentences):
            raise UsageError(f"{where} has {len(sentences)} sentences and {len(times)} timestamps")
        for at, (interval, sentence) in enumerate(zip(times, sentences, strict=True)):
            found.append(Item(f"{video}-{at + 1}", video, sentence.strip(), spans=(span(interval, where),)))
    return found


BENCHMARK = Benchmark(
    name="activitynet",
    title="ActivityNet Captions",
    form="grounding",
    splits=("timelens", "val_1", "val_2"),
    metric="mIoU",
    # The paper's script names no most frames; 768 is the processor's own.
    frames=Frames(fps=4, max_frames=768, min_pixels=128 * 1024, max_pixels=512 * 1024),
    licence="BSD-3-Clause (TimeLens), the original's not stated; the videos are YouTube's",
    source=f"{timelens.SOURCE}; original: val_1.json and val_2.json of ActivityNet Captions",
    load=load,
    note=f"{timelens.NOTE}Papers on the original annotations mostly test on val_2 and validate on val_1 "
    "(17,505 sentences).",
)
