"""MotionBench (arXiv 2501.02955): 8,052 questions of fine motion; answers to about half of them are public."""

from __future__ import annotations

from pathlib import Path

from vidence.evaluation.files import find, need, place, rows
from vidence.evaluation.item import Benchmark, Frames, Item
from vidence.evaluation.options import divided, index_of


def load(folder: Path, split: str) -> list[Item]:
    """Read the file of one video a line; dev is what has answers, test what has none."""
    path = find(folder, "video_info.meta.jsonl", "*.meta.jsonl")
    found = list[Item]()
    for number, row in enumerate(rows(path)):
        video, questions = need(row, ["video_path", "qa"], path, number)
        for each in questions:
            text, answer = need(each, ["question", "answer"], path, number)
            question, options = divided(text)
            hidden = answer.strip().upper() in ("NA", "")
            if hidden == (split == "test"):
                right = None if hidden else index_of(answer, options, place(path, number))
                name = str(each.get("uid") or f"{video}-{len(found) + 1}")
                groups = {
                    "task": str(row.get("question_type", "")),
                    "source": str(row.get("video_type", "")),
                }
                found.append(Item(name, video, question, options, right, groups=groups))
    return found


BENCHMARK = Benchmark(
    name="motionbench",
    title="MotionBench",
    form="choice",
    splits=("dev", "test"),
    metric="accuracy",
    frames=Frames(fps=4, max_frames=1024),
    licence="CC BY-NC-SA 4.0",
    source="the dataset zai-org/MotionBench on the hub: video_info.meta.jsonl and videos; part of them from MedVid, "
    "SportsSloMo and HA-ViD, to be cut as its README says",
    load=load,
    note="The paper's script scores what has answers (dev). Answers to the test set are not public: its "
    "items have none, and scores come from the benchmark's leaderboard.",
)
