"""LVBench (arXiv 2406.08035): 1,549 questions on 103 videos of over half an hour, and where their answers are seen."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from vidence.evaluation.files import find, need, place, rows, stretches
from vidence.evaluation.item import Benchmark, Frames, Item
from vidence.evaluation.options import bare, divided, index_of


def load(folder: Path, split: str) -> list[Item]:
    """Read the original file of one video a line, or a list of one question an entry."""
    path = find(folder, "video_info.meta.jsonl", "lvbench*.json", "LVBench*.json")
    found = list[Item]()
    for number, row in enumerate(rows(path)):
        if "qa" in row:
            video, questions = need(row, ["key", "qa"], path, number)
            for each in questions:
                question, answer = need(each, ["question", "answer"], path, number)
                asked, options = divided(question)
                name = str(each.get("uid") or f"{video}-{len(found) + 1}")
                each = {**each, "type": row.get("type", "")}
                found.append(_item(name, video, asked, options, answer, each, place(path, number)))
        else:
            wanted = ["video", "question", "candidates", "answer"]
            video, question, options, answer = need(row, wanted, path, number)
            name = f"{video}-{number + 1}"
            found.append(_item(name, video, question, bare(options), answer, row, place(path, number)))
    return found


def _item(
    name: str,
    video: str,
    question: str,
    options: tuple[str, ...],
    answer: str,
    row: dict[str, Any],
    where: str,
) -> Item:
    # A question may be of several kinds. Where nobody noted the time "None" stands; some times end before they start.
    groups = {"task": " + ".join(row.get("question_type") or ()), "type": str(row.get("type", ""))}
    seen = stretches(row.get("time_reference") or "")
    right = index_of(answer, options, where)
    return Item(name, video, question.strip(), options, right, evidence=seen, groups=groups)


BENCHMARK = Benchmark(
    name="lvbench",
    title="LVBench",
    form="choice",
    splits=("test",),
    metric="accuracy",
    frames=Frames(fps=4, max_frames=1024),
    licence="CC BY-NC-SA 4.0; the videos are YouTube's",
    source="the dataset zai-org/LVBench on the hub: video_info.meta.jsonl; videos by their YouTube ids",
    load=load,
    note="The full set has 1,549 questions on 103 videos; cleaned copies without videos that are gone have "
    "fewer (1,519 on 101). The paper reports 55.7, and 54.2 for the same model in its ablations.",
)
