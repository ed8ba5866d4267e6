"""The table of predictions that VLMEvalKit writes after asking, and scores: a dataset's own columns, and one more.

Columns and their contents are those of its dataset classes (open-compass/VLMEvalKit, vlmeval/dataset): Video-MME,
LongVideoBench, MVBench, MLVU_MCQ, VSIBench. Some of them read spreadsheets alone.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path, PurePosixPath

from vidence.errors import UsageError
from vidence.evaluation.benchmarks.mvbench import FOLDERS
from vidence.evaluation.exporting.answers import Answers, lettered
from vidence.evaluation.exporting.sheet import Row, write_tsv, write_xlsx
from vidence.evaluation.options import letter
from vidence.evaluation.record import Record

UNANSWERED = "-"
"""Counts as wrong everywhere. Its own word for a failure does not: some datasets read an A in it, others a point."""

_NAMES = {"fine_grained_action": "Fine-grained Action", "fine_grained_pose": "Fine-grained Pose"}


def write_vlmevalkit(answers: Answers, out: Path) -> None:
    """Write the table; the file is best called MODEL_DATASET.xlsx.

    Raises:
        UsageError: VLMEvalKit has no such dataset, or reads no such file.
    """
    if (answers.benchmark, answers.split) not in DATASETS:
        known = ", ".join(f"{benchmark} ({split})" for benchmark, split in DATASETS)
        raise UsageError(f"no table of {answers.benchmark} ({answers.split}) is known; there are {known}")
    writers = {".xlsx": write_xlsx, ".tsv": write_tsv}
    if out.suffix not in writers:
        raise UsageError(f"{out}: VLMEvalKit reads .xlsx, and for some datasets .tsv; name one of these")
    columns = DATASETS[answers.benchmark, answers.split]
    # Some of its datasets take the index for the number of the row.
    rows = [
        {"index": at, **columns(one), "prediction": one.get("said", "").strip() or UNANSWERED}
        for at, one in enumerate(answers.records)
    ]
    writers[out.suffix](rows, out)


def _video_mme(one: Record) -> Row:
    video, groups = one["video"], one["groups"]
    return {
        "video": video,
        "video_path": f"./video/{video}.mp4",
        "duration": groups["duration"],
        "domain": groups["domain"],
        "candidates": repr(lettered(one["options"])),
        "sub_category": groups["sub_category"],
        "task_type": groups["task"],
        "subtitle_path": f"./subtitle/{video}.srt",
        "question": one["question"],
        "answer": letter(one["truth"]),
    }


def _longvideobench(one: Record) -> Row:
    groups = one["groups"]
    return {
        "id": one["id"],
        "video": PurePosixPath(one["video"]).stem,
        "video_path": f"./videos/{one['video']}",
        "question": one["question"],
        "candidates": repr(one["options"]),
        "correct_choice": one["truth"],
        "duration_group": int(groups["duration"]),
        "question_category": groups["task"],
        "topic_category": groups["topic"],
    }


def _mvbench(one: Record) -> Row:
    task = one["groups"]["task"]
    return {
        "task_type": _NAMES.get(task) or task.replace("_", " ").title(),
        "prefix": f"video/{FOLDERS[task]}/",
        "video": one["video"].removeprefix(f"{FOLDERS[task]}/"),
        **_worded(one),
    }


def _mlvu(one: Record) -> Row:
    folder, _, video = one["video"].partition("/")
    task = folder.partition("_")[2]
    return {"task_type": task, "prefix": f"./MLVU/video/{folder}", "video": video, **_worded(one)}


def _worded(one: Record) -> Row:
    """Return what MVBench and MLVU have alike: the answer is an option's words."""
    right = "" if one["truth"] is None else one["options"][one["truth"]]
    return {"question": one["question"], "answer": right, "candidates": repr(one["options"])}


def _vsi_bench(one: Record) -> Row:
    options = one["options"]
    return {
        "id": one["id"],
        "prefix": one["groups"]["dataset"],
        "video": PurePosixPath(one["video"]).stem,
        "type": one["groups"]["type"],
        "question": one["question"],
        "answer": letter(one["truth"]) if options else one["truth"],
        "candidates": repr(lettered(options)) if options else "",
    }


DATASETS: dict[tuple[str, str], Callable[[Record], Row]] = {
    **{("video-mme", split): _video_mme for split in ("all", "short", "medium", "long")},
    ("longvideobench", "validation"): _longvideobench,
    ("mvbench", "test"): _mvbench,
    ("mlvu", "dev"): _mlvu,
    ("vsi-bench", "test"): _vsi_bench,
}
"""By benchmark and split."""
