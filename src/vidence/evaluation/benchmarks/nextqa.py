"""NExT-QA (arXiv 2105.08276): questions of cause, time and description on clips of 44 seconds, by five options."""

from __future__ import annotations

from pathlib import Path

from vidence.evaluation.files import find, need, place, rows
from vidence.evaluation.item import Benchmark, Frames, Item
from vidence.evaluation.options import numbered

KINDS = {"C": "causal", "T": "temporal", "D": "descriptive"}


def load(folder: Path, split: str) -> list[Item]:
    """Read val.csv or test.csv of the multiple-choice task, or the hub's Parquet file."""
    path = find(folder, f"{split}.csv", f"MC/{split}*.parquet")
    found = list[Item]()
    for number, row in enumerate(rows(path)):
        wanted = ["video", "qid", "question", "answer", *(f"a{at}" for at in range(5))]
        video, name, question, answer, *options = need(row, wanted, path, number)
        options = tuple(option.strip() for option in options)
        kind = str(row.get("type", ""))
        found.append(
            Item(
                f"{video}-{name}",
                str(video),
                question,
                options,
                numbered(answer, options, place(path, number)),
                groups={"task": KINDS.get(kind[:1], ""), "type": kind},
            )
        )
    return found


BENCHMARK = Benchmark(
    name="nextqa",
    title="NExT-QA",
    form="choice",
    splits=("val", "test"),
    metric="accuracy",
    # The paper's script names no most frames; 768 is the processor's own.
    frames=Frames(fps=4, max_frames=768, min_pixels=512 * 1024, max_pixels=1024 * 1024),
    licence="MIT; the videos are VidOR's, of YFCC100M",
    source="val.csv and test.csv in dataset/nextqa of the repository doc-doc/NExT-QA (test also: lmms-lab/NExTQA on "
    "the hub), videos of VidOR",
    load=load,
    note="The paper's script reads val (4,996 questions); other papers report test (8,564).",
)
