"""TimeLens-Bench (arXiv 2512.14698): queries and intervals of three grounding sets, written anew after an audit."""

from __future__ import annotations

from pathlib import Path

from vidence.errors import UsageError
from vidence.evaluation.files import find, need, place, span, table
from vidence.evaluation.item import Item

NOTE = (
    "The paper's numbers (and TimeLens-8B's) are mIoU on the TimeLens re-annotation, the default split here; "
    "numbers on the original annotations, as older papers have them, do not compare. "
)
SOURCE = "the dataset TencentARC/TimeLens-Bench on the hub (*-timelens.json, video_shards unpacked)"


def items(folder: Path, name: str) -> list[Item]:
    """Read a set's re-annotation: by video its queries, each with its one interval."""
    path = find(folder, f"{name}-timelens.json")
    found = list[Item]()
    for number, (video, row) in enumerate(table(path).items()):
        queries, intervals = need(row, ["queries", "spans"], path, number)
        where = place(path, number)
        if len(queries) != len(intervals):
            raise UsageError(f"{where} has {len(queries)} queries and {len(intervals)} spans")
        for at, (query, interval) in enumerate(zip(queries, intervals, strict=True)):
            found.append(Item(f"{video}-{at + 1}", video, query.strip(), spans=(span(interval, where),)))
    return found
