"""Video-MME-v2 (arXiv 2604.05015): 800 videos with 3,200 questions of eight options, scored in groups of four."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from vidence.errors import UsageError
from vidence.evaluation.files import find, need, place, rows
from vidence.evaluation.item import Benchmark, Frames, Item
from vidence.evaluation.metrics import Share, share
from vidence.evaluation.official import Scored
from vidence.evaluation.options import bare, divided, index_of

GROUP = 4  # questions
CHAINS = {
    "[1,2,3,4]": ((0, 1, 4, 9, 16), None),
    "[1,[2,3],4]": ((0, 1, 4, 7, 12), 1),
    "[[1,2],3,4]": ((0, 1, 2, 5, 10), 0),
}
"""By how a logic group hangs together: points for how many questions hold, and where two stand side by side."""


def load(folder: Path, split: str) -> list[Item]:
    """Read the hub's Parquet file, in its order: the four questions of a video are one group."""
    path = find(folder, "test.parquet", "test-00000-of-00001.parquet", "*.parquet")
    found = list[Item]()
    for number, row in enumerate(rows(path)):
        wanted = ["video_id", "question_id", "question", "options", "answer", "group_type"]
        video, name, question, given, answer, kind = need(row, wanted, path, number)
        # One text with a line an option, or a list: the file has been seen described as both.
        options = divided(given)[1] if isinstance(given, str) else bare(given)
        groups = {"group_type": kind}
        if kind == "logic" and _chain(row.get("group_structure")) not in CHAINS:
            where = f"{place(path, number)}: group_structure {row['group_structure']!r}"
            raise UsageError(f"{where} is none of {', '.join(CHAINS)}")
        for key in ("group_structure", "level", "second_head", "third_head"):
            groups[key] = str(row.get(key) or "")
        right = index_of(answer, options, place(path, number))
        said = f"{video}.jsonl"
        found.append(Item(str(name), str(video), question, options, right, subtitles=said, groups=groups))
    return found


def grouped(records: Sequence[Scored]) -> Share | None:
    """Return the group score: of relevance the square of the share that is right, of logic how far the chain holds.

    A chain holds up to its first wrong answer. Where two of its questions stand side by side, either of them carries it
    on. Groups of which a question was not put are left out.
    """
    groups = defaultdict[str, list[Scored]](list)
    for one in records:
        if one["right"] is not None:
            groups[one["video"]].append(one)
    whole = [some for some in groups.values() if len(some) == GROUP]
    return share([_scored(some) for some in whole], range(len(whole))) if whole else None


def _chain(structure: object) -> str:
    return str(structure or "[1,2,3,4]").replace(" ", "")


def _scored(group: Sequence[Scored]) -> float:
    ordered = sorted(group, key=lambda one: one["id"])  # 001-1 to 001-4
    right = [bool(one["right"]) for one in ordered]
    told = {key: value for one in ordered for key, value in one["groups"].items() if value}
    if told["group_type"] == "relevance":
        return (sum(right) / GROUP) ** 2
    points, fork = CHAINS[_chain(told.get("group_structure"))]
    held = next((at for at, each in enumerate(right) if not each), GROUP)
    # The first of two side by side is wrong, the second right: the chain holds for one question more.
    held += held == fork and right[held + 1]
    return points[held] / points[GROUP]


BENCHMARK = Benchmark(
    name="video-mme-v2",
    title="Video-MME-v2",
    form="choice",
    splits=("test",),
    metric="accuracy; official is the non-linear score of groups",
    # The paper's script names no most frames; 768 is the processor's own.
    frames=Frames(fps=4, max_frames=768, min_pixels=256 * 1024, max_pixels=512 * 1024),
    licence="academic research only; the videos are their owners'",
    source="the dataset MME-Benchmarks/Video-MME-v2 on the hub: test.parquet, the 40 archives of videos, subtitle.zip",
    load=load,
    official=grouped,
    subtitles="stretch",
    note="Its official score is of groups of four: relevance groups get (right / 4) squared, logic groups points for "
    "how far they hold up to the first wrong answer. The paper's script prints plain accuracy, with subtitles and "
    "without, and which of them its 27.6 is remains unsaid: accuracy lies far above the group score (66.1 and 49.4 of "
    "one model on the benchmark's own board).",
)
