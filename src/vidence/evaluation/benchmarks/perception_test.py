"""Perception Test (arXiv 2305.13786): skills of memory, physics and semantics on acted clips of 23 seconds."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from vidence.evaluation.files import find, need, place, rows, table
from vidence.evaluation.item import Benchmark, Frames, Item
from vidence.evaluation.options import bare, numbered


def load(folder: Path, split: str) -> list[Item]:
    """Read the hub's Parquet file of the validation split's choices, or the original all_valid.json."""
    path = find(folder, "mc_question_val/*.parquet", "all_valid.json", "validation*.parquet")
    found = list[Item]()
    for number, (video, row) in enumerate(_rows(path)):
        name = row.get("question_id", row.get("id", number))
        question, given, answer = need(row, ["question", "options", "answer_id"], path, number)
        options = bare(given)
        groups = {"area": str(row.get("area", "")), "reasoning": str(row.get("reasoning", ""))}
        right = numbered(answer, options, place(path, number))
        found.append(Item(f"{video}-{name}", video, question, options, right, groups=groups))
    return found


def _rows(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    if path.suffix == ".json":
        for number, (video, row) in enumerate(table(path).items()):
            for each in need(row, ["mc_question"], path, number)[0]:
                yield video, each
    else:
        for number, row in enumerate(rows(path)):
            yield need(row, ["video_name"], path, number)[0], row


BENCHMARK = Benchmark(
    name="perception-test",
    title="Perception Test",
    form="choice",
    splits=("validation",),
    metric="accuracy",
    frames=Frames(fps=4, max_frames=512),
    licence="CC BY 4.0",
    source="the repository google-deepmind/perception_test (all_valid.json, videos), or "
    "lmms-lab/PerceptionTest_Val on the hub",
    load=load,
    note="The paper reports the validation split; leaderboards have the test split, whose answers are not public.",
)
