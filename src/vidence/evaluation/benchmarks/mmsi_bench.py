"""MMSI-Bench (arXiv 2505.23764): 1,000 questions of space, each about two to ten still pictures."""

from __future__ import annotations

import re
from pathlib import Path

from vidence.errors import UsageError
from vidence.evaluation.files import find, need, place, rows
from vidence.evaluation.item import Benchmark, Frames, Item
from vidence.evaluation.options import index_of

_MARK = re.compile(r"(?:^|[,;.]?\s+)([A-D]):\s*")


def load(folder: Path, split: str) -> list[Item]:
    """Read the hub's Parquet file, or its rows as JSON lines; pictures are files ID_0.jpg and so on."""
    path = find(folder, "MMSI_Bench.parquet", "MMSI_Bench*.jsonl", "test*.parquet")
    found = list[Item]()
    for number, row in enumerate(rows(path)):
        wanted = ["id", "images", "question", "answer", "question_type"]
        name, images, text, answer, kind = need(row, wanted, path, number)
        question, options = _divided(text, place(path, number))
        names = [
            Path(one).name if isinstance(one, str) else f"{name}_{at}.jpg" for at, one in enumerate(images)
        ]
        if not names:
            raise UsageError(f"{place(path, number)} has no images; is this file of another benchmark?")
        right = index_of(answer, options, place(path, number))
        first, *rest = names
        found.append(
            Item(str(name), first, question, options, right, also=tuple(rest), groups={"task": kind})
        )
    return found


def _divided(text: str, where: str) -> tuple[str, tuple[str, ...]]:
    """Divide "question Options: A: this, B: that" into the two."""
    question, mark, listed = text.partition("Options:")
    _, *parts = _MARK.split(listed.strip())
    letters, options = parts[::2], tuple(part.strip() for part in parts[1::2])
    if not mark or letters != ["A", "B", "C", "D"]:
        raise UsageError(f"{where}: the question has no options A to D after 'Options:'")
    return question.strip(), options


BENCHMARK = Benchmark(
    name="mmsi-bench",
    title="MMSI-Bench",
    form="choice",
    splits=("test",),
    metric="accuracy",
    frames=Frames(fps=4, max_frames=256, max_pixels=1024 * 1024),
    licence="CC BY-NC 4.0",
    source="the dataset RunsenXu/MMSI-Bench on the hub: MMSI_Bench.parquet, its pictures written out as ID_0.jpg, "
    "ID_1.jpg and so on, as the README of InternRobotics/MMSI-Bench shows",
    load=load,
    note="On still pictures, two to ten a question, so that only a single pass can be asked. The paper reports 27.6. "
    "A circular protocol (every order of the options) makes other numbers, which do not compare. Chance is 25.",
)
