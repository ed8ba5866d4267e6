"""VRBench (arXiv 2506.10857): 8,243 multi-step questions on 960 narrative videos, each step with its time."""

from __future__ import annotations

from pathlib import Path

from vidence.evaluation.files import find, need, place, rows, stretches
from vidence.evaluation.item import Benchmark, Frames, Item
from vidence.evaluation.options import index_of


def load(folder: Path, split: str) -> list[Item]:
    """Read the file of one video a line; the times of the annotated steps are the evidence."""
    path = find(folder, "VRBench_eval.jsonl", "VRBench*.jsonl")
    found = list[Item]()
    for number, row in enumerate(rows(path)):
        video, file, questions = need(row, ["video_id", "video_path", "mcq"], path, number)
        need(questions, [], path, number)
        for key, each in questions.items():
            question, given, answer = need(each, ["question", "options", "answer"], path, number)
            need(given, ["A", "B"], path, number)
            options = tuple(str(given[letter]).strip() for letter in sorted(given))
            steps = each.get("reasoning_process") or {}
            text = steps if isinstance(steps, str) else " ".join(map(str, steps.values()))
            found.append(
                Item(
                    f"{video}-{key}",
                    file,
                    question,
                    options,
                    index_of(answer, options, place(path, number)),
                    evidence=stretches(text),
                    groups={"task": str(each.get("reasoning_type", ""))},
                )
            )
    return found


BENCHMARK = Benchmark(
    name="vrbench",
    title="VRBench",
    form="choice",
    splits=("test",),
    metric="accuracy",
    frames=Frames(fps=4, max_frames=1024),
    licence="no terms in its repository",
    source="the dataset OpenGVLab/VRBench on the hub: VRBench_eval.jsonl and the split archive v001_360p_zips",
    load=load,
    note="The benchmark's own prompt adds a summary of the whole video and asks for steps that a model then "
    "judges; its overall score is the mean of both. Here only the choice is scored. The paper's scripts have "
    "none for VRBench, so that its frames and prompt are not known: those here are of its other hour-long "
    "benchmarks.",
)
