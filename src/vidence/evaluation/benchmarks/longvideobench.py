"""LongVideoBench (arXiv 2407.15754): 1,337 validation questions that point into videos of 8 seconds to an hour."""

from __future__ import annotations

from pathlib import Path

from vidence.errors import UsageError
from vidence.evaluation.files import find, need, place, rows
from vidence.evaluation.item import Benchmark, Frames, Item


def load(folder: Path, split: str) -> list[Item]:
    """Read the hub's Parquet file, or lvb_val.json beside it."""
    path = find(folder, "validation-00000-of-00001.parquet", "validation*.parquet", "lvb_val.json")
    found = list[Item]()
    for number, row in enumerate(rows(path)):
        wanted = ["id", "video_path", "question", "correct_choice"]
        name, video, question, right = need(row, wanted, path, number)
        if "candidates" in row:
            given = need(row, ["candidates"], path, number)[0]
        else:
            given = [row.get(f"option{at}") or "N/A" for at in range(5)]
        # Questions of four options fill the fifth with "N/A".
        real = [at for at, option in enumerate(given) if option != "N/A"]
        if right not in real:
            raise UsageError(
                f"{place(path, number)}: the answer {right!r} counts none of the options {given}"
            )
        groups = {
            "duration": str(row.get("duration_group", "")),
            "task": str(row.get("question_category", "")),
            "topic": str(row.get("topic_category", "")),
        }
        found.append(
            Item(
                name,
                video,
                question,
                tuple(given[at].strip() for at in real),
                real.index(right),
                subtitles=str(row.get("subtitle_path") or ""),
                subtitles_start_s=float(row.get("starting_timestamp_for_subtitles") or 0),
                groups=groups,
            )
        )
    return found


BENCHMARK = Benchmark(
    name="longvideobench",
    title="LongVideoBench",
    form="choice",
    splits=("validation",),
    metric="accuracy",
    frames=Frames(fps=4, max_frames=2048),
    licence="CC BY-NC-SA 4.0",
    source="the dataset longvideobench/LongVideoBench on the hub (on request): validation Parquet, "
    "videos.tar.part.* joined, subtitles.tar",
    load=load,
    subtitles="frames",
    note="The paper reports the validation split without subtitles (64.6 in its ablations, 66.8 in its main "
    "table). Many questions quote subtitles and are meant to be asked with them; 250 videos are cut out of "
    "longer ones, and their subtitles count from the annotation's starting_timestamp_for_subtitles.",
)
