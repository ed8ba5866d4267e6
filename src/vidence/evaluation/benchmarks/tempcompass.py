"""TempCompass (arXiv 2403.00476): five aspects of time on 410 short clips, edited so that a frame says nothing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from vidence.errors import UsageError
from vidence.evaluation.files import find, need, place, rows, table
from vidence.evaluation.item import Benchmark, Frames, Item
from vidence.evaluation.options import divided, index_of


def load(folder: Path, split: str) -> list[Item]:
    """Read the authors' multi-choice.json, or the hub's Parquet file."""
    path = find(folder, "multi-choice.json", "multi-choice/*.parquet", "test-00000-of-00001.parquet")
    found = list[Item]()
    for number, (video, aspect, text, answer) in enumerate(_rows(path)):
        question, options = divided(text)
        right = index_of(answer, options, place(path, number))
        found.append(Item(f"{video}-{number + 1}", video, question, options, right, groups={"task": aspect}))
    return found


def _rows(path: Path) -> Iterator[tuple[str, str, str, str]]:
    if path.suffix != ".json":
        for number, row in enumerate(rows(path)):
            video, aspect, question, answer = need(
                row, ["video_id", "dim", "question", "answer"], path, number
            )
            yield str(video), aspect, question, answer
        return
    number = 0
    for video, aspects in table(path).items():
        if not isinstance(aspects, dict):
            raise UsageError(f"{path}: video {video} has no questions by aspect; is this file damaged?")
        for aspect, questions in aspects.items():
            for row in questions:
                question, answer = need(row, ["question", "answer"], path, number)
                yield video, aspect, question, answer
                number += 1


BENCHMARK = Benchmark(
    name="tempcompass",
    title="TempCompass",
    form="choice",
    splits=("multi-choice",),
    metric="accuracy",
    # The paper's script names no most frames; 768 is the processor's own.
    frames=Frames(fps=4, max_frames=768, min_pixels=512 * 1024, max_pixels=1024 * 1024),
    licence="CC BY-NC 4.0, academic research only",
    source="the repository llyx97/TempCompass (questions/multi-choice.json), videos from lmms-lab/TempCompass "
    "on the hub",
    load=load,
    note="Only the multiple-choice task, as in the paper's script: the benchmark has three others (yes or no, caption "
    "matching, captioning), and many papers report the mean of all four.",
)
