"""MLVU (arXiv 2406.04264): nine tasks on videos of 3 minutes to 2 hours, seven by choice and two in free words."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from vidence.evaluation.files import find, need, place, rows
from vidence.evaluation.item import Benchmark, Frames, Item
from vidence.evaluation.official import mean_of
from vidence.evaluation.options import index_of, worded

CHOICES = ("1_plotQA", "2_needle", "3_ego", "4_count", "5_order", "6_anomaly_reco", "7_topic_reasoning")
WORDS = ("8_sub_scene", "9_summary")


def load(folder: Path, split: str) -> list[Item]:
    """Read the dev set's file of each task, or the test set's one file."""
    if split == "test":
        path = find(folder, "test_mcq_gt.json", "test_mcq.json", "test-00000-of-00001.parquet")
        return _items(path, "")
    tasks = WORDS if split == "dev-generation" else CHOICES
    return [item for task in tasks for item in _items(find(folder, f"{task}.json"), task)]


def _items(path: Path, task: str) -> list[Item]:
    found = list[Item]()
    for number, row in enumerate(rows(path)):
        question, said = need(row, ["question", "answer"], path, number)
        video = row.get("video") or need(row, ["video_name"], path, number)[0]
        kind = str(row.get("question_type") or row.get("task_type") or task)
        name = str(row.get("question_id") or f"{task or kind}-{number + 1}")
        groups, file = {"task": kind}, f"{task}/{video}" if task else video
        if task in WORDS:
            found.append(Item(name, file, question, text=said, groups=groups))
            continue
        options = tuple(option.strip() for option in need(row, ["candidates"], path, number)[0])
        # The dev set has one question whose options are all empty: nobody can answer it.
        if any(options):
            right = _right(row, said, options, place(path, number))
            # The hub's Parquet repeats the options under the question.
            found.append(Item(name, file, question.split("\n(A)")[0].strip(), options, right, groups=groups))
    return found


def _right(row: dict[str, Any], said: str, options: tuple[str, ...], where: str) -> int | None:
    # Of two of the dev set's needles the answer is none of the options, so that nobody can be right.
    if row.get("question_type") == "findNeedle" and said.strip() not in options:
        return None
    return index_of(said, options, where) if "task_type" in row else worded(said, options, where)


BENCHMARK = Benchmark(
    name="mlvu",
    title="MLVU",
    form="choice",
    splits=("dev", "test", "dev-generation"),
    metric="M-Avg, the mean of the tasks' accuracies",
    frames=Frames(fps=4, max_frames=2048),
    licence="CC BY-NC-SA 4.0",
    source="the datasets MLVU/MVLU (dev: json/1_plotQA.json and so on, video/) and MLVU/MLVU_Test "
    "on the hub, both on request",
    load=load,
    official=mean_of("task", unanswerable_wrong=True),
    note="Dev and test do not compare: the paper's 77.3 is on dev, where its base model is published at "
    "78.1, while the base's 57.6 beside it looks like test. M-Avg weighs tasks alike, not questions. Two dev "
    "needles have an answer that is none of their options: they have no answer here, are in no accuracy, and count "
    "in M-Avg as wrong for everybody, as in the authors' script. Split dev-generation (open words: sub-scene "
    "captions, summaries) is to be judged outside.",
)
