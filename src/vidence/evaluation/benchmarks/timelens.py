"""TimeLens-Bench (arXiv 2512.14698): queries and intervals of three grounding sets, written anew after an audit."""

from __future__ import annotations

from pathlib import Path

from vidence.errors import UsageError
from vidence.evaluation.files import find, need, place, span, table
from vidence.evaluation.item import Frames, Item

NOTE = (
    "The paper's numbers (and TimeLens-8B's) are mIoU on the TimeLens re-annotation, the default split here; "
    "numbers on the original annotations, as older papers have them, do not compare. "
)
SOURCE = "the dataset TencentARC/TimeLens-Bench on the hub (*-timelens.json, video_shards unpacked)"


FRAMES = Frames(fps=4, max_frames=768, min_pixels=128 * 1024, max_pixels=512 * 1024)
"""As the paper's script shows grounding; it names no most frames, and 768 is the processor's own."""


def items(folder: Path, name: str) -> list[Item]:
    """Read a set's re-annotation: by video its queries, each with its one interval."""
    return moments(find(folder, f"{name}-timelens.json"), "queries", "spans")


def moments(path: Path, sentences: str, intervals: str) -> list[Item]:
    """Read a table by video that holds sentences in one field, and in another as many intervals.

    Raises:
        UsageError: a video has more of the one than of the other.
    """
    found = list[Item]()
    for number, (video, row) in enumerate(table(path).items()):
        said, times = need(row, [sentences, intervals], path, number)
        where = place(path, number)
        if len(said) != len(times):
            raise UsageError(f"{where} has {len(said)} {sentences} and {len(times)} {intervals}")
        for at, (sentence, interval) in enumerate(zip(said, times, strict=True)):
            found.append(Item(f"{video}-{at + 1}", video, sentence.strip(), spans=(span(interval, where),)))
    return found
