"""Video-MME (arXiv 2405.21075): 900 videos of 11 seconds to an hour, 2,700 questions of four options."""

from __future__ import annotations

from pathlib import Path

from vidence.evaluation.files import find, need, place, rows
from vidence.evaluation.item import Benchmark, Frames, Item
from vidence.evaluation.options import bare, index_of


def load(folder: Path, split: str) -> list[Item]:
    """Read the hub's Parquet file; a split is a length: short (under 2 minutes), medium (to 15), long (to an hour)."""
    path = find(folder, "test-00000-of-00001.parquet", "videomme/*.parquet", "*.parquet")
    found = list[Item]()
    for number, row in enumerate(rows(path)):
        wanted = ["videoID", "question_id", "question", "options", "answer", "duration"]
        video, name, question, options, answer, duration = need(row, wanted, path, number)
        if split in ("all", duration):
            groups = {
                "duration": duration,
                "task": str(row.get("task_type", "")),
                "domain": str(row.get("domain", "")),
                "sub_category": str(row.get("sub_category", "")),
            }
            found.append(
                Item(
                    name,
                    video,
                    question,
                    bare(options),
                    index_of(answer, bare(options), place(path, number)),
                    subtitles=f"{video}.srt",
                    groups=groups,
                )
            )
    return found


BENCHMARK = Benchmark(
    name="video-mme",
    title="Video-MME",
    form="choice",
    splits=("all", "short", "medium", "long"),
    metric="accuracy",
    frames=Frames(fps=4, max_frames=1024),
    licence="academic research only; the videos are YouTube's",
    source="the dataset lmms-lab/Video-MME on the hub: videomme/*.parquet, videos_chunked_*.zip unpacked, subtitle.zip",
    load=load,
    subtitles="frames",
    note="The paper reports 73.8 without subtitles, and 73.1 for the same model in its ablations. With subtitles the "
    "authors give the lines of the frames that are shown; about one video in six has none.",
)
