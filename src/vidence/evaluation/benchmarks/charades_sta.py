"""Charades-STA (arXiv 1705.02101): moments of a sentence in acted indoor clips of half a minute."""

from __future__ import annotations

import re
from pathlib import Path

from vidence.errors import UsageError
from vidence.evaluation.benchmarks import timelens
from vidence.evaluation.files import find, lines, need, place, rows, span
from vidence.evaluation.item import Benchmark, Item

_LINE = re.compile(r"^(\S+) (\S+) (\S+?)##(.+)$")


def load(folder: Path, split: str) -> list[Item]:
    """Read the re-annotation, or the original test split: its text file, or the hub's Parquet file."""
    if split == "timelens":
        return timelens.items(folder, "charades")
    path = find(folder, "charades_sta_test.txt", "test*.parquet")
    found = list[Item]()
    if path.suffix == ".txt":
        for number, line in enumerate(lines(path)):
            parts = _LINE.match(line)
            if parts is None:
                raise UsageError(f"{place(path, number)}, {line!r}, is not VIDEO START END##SENTENCE")
            spans = (span((parts[2], parts[3]), place(path, number)),)
            found.append(Item(f"{parts[1]}-{number + 1}", parts[1], parts[4].strip(), spans=spans))
    else:
        for number, row in enumerate(rows(path)):
            video, interval, query = need(row, ["video", "timestamp", "caption"], path, number)
            spans = (span(interval, place(path, number)),)
            found.append(Item(f"{video}-{number + 1}", video, query.strip(), spans=spans))
    return found


BENCHMARK = Benchmark(
    name="charades-sta",
    title="Charades-STA",
    form="grounding",
    splits=("timelens", "test"),
    metric="mIoU",
    frames=timelens.FRAMES,
    licence="BSD-3-Clause (TimeLens); Charades': non-commercial research",
    source=f"{timelens.SOURCE}; original: charades_sta_test.txt, linked by jiyanggao/TALL, videos Charades_v1_480",
    load=load,
    note=f"{timelens.NOTE}The original test split has 3,720 sentences; some papers report its R@1 at 0.5 only.",
)
