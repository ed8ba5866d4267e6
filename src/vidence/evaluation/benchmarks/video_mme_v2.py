"""Video-MME-v2 (April 2026): 800 videos with 3,200 questions of eight options, scored in groups of four."""

from __future__ import annotations

from pathlib import Path

from vidence.evaluation.files import find, need, place, rows
from vidence.evaluation.item import Benchmark, Frames, Item
from vidence.evaluation.options import bare, divided, index_of


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
        for key in ("group_structure", "level", "second_head", "third_head"):
            groups[key] = str(row.get(key) or "")
        right = index_of(answer, options, place(path, number))
        said = f"{video}.jsonl"
        found.append(Item(str(name), str(video), question, options, right, subtitles=said, groups=groups))
    return found


BENCHMARK = Benchmark(
    name="video-mme-v2",
    title="Video-MME-v2",
    form="choice",
    splits=("test",),
    metric="accuracy; its own score is of groups",
    # The paper's script names no most frames; 768 is the processor's own.
    frames=Frames(fps=4, max_frames=768, min_pixels=256 * 1024, max_pixels=512 * 1024),
    licence="academic research only; the videos are their owners'",
    source="the dataset MME-Benchmarks/Video-MME-v2 on the hub: test.parquet, the 40 archives of videos, subtitle.zip",
    load=load,
    subtitles="stretch",
    note="Its own score is of groups: relevance groups get (right / 4) squared, logic groups count right "
    "answers up to the first wrong one. The paper's script prints plain accuracy, with subtitles and without, "
    "and which of them its 27.6 is remains unsaid: accuracy lies far above the group score (66.1 and 49.4 of "
    "one model on the benchmark's own board).",
)
