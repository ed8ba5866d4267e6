"""MVBench (arXiv 2311.17005): 20 tasks of 200 questions on short clips of eleven other datasets."""

from __future__ import annotations

from pathlib import Path

from vidence.evaluation.files import find, need, place, rows, span
from vidence.evaluation.item import Benchmark, Frames, Item
from vidence.evaluation.official import mean_of
from vidence.evaluation.options import worded

FOLDERS = {
    "action_sequence": "star/Charades_v1_480",
    "action_prediction": "star/Charades_v1_480",
    "action_antonym": "ssv2_video",
    "fine_grained_action": "Moments_in_Time_Raw/videos",
    "unexpected_action": "FunQA_test/test",
    "object_existence": "clevrer/video_validation",
    "object_interaction": "star/Charades_v1_480",
    "object_shuffle": "perception/videos",
    "moving_direction": "clevrer/video_validation",
    "action_localization": "sta/sta_video",
    "scene_transition": "scene_qa/video",
    "action_count": "perception/videos",
    "moving_count": "clevrer/video_validation",
    "moving_attribute": "clevrer/video_validation",
    "state_change": "perception/videos",
    "fine_grained_pose": "nturgbd",
    "character_order": "perception/videos",
    "egocentric_navigation": "vlnqa",
    "episodic_reasoning": "tvqa/frames_fps3_hq",
    "counterfactual_inference": "clevrer/video_validation",
}
"""Where the videos of a task lie; names alone would not do, for two of the sources number theirs alike."""


def load(folder: Path, split: str) -> list[Item]:
    """Read the 20 files, one a task; a clip's start and end within a longer file become its window."""
    found = list[Item]()
    for task, home in FOLDERS.items():
        path = find(folder, f"{task}.json")
        for number, row in enumerate(rows(path)):
            wanted = ["video", "question", "candidates", "answer"]
            video, question, given, answer = need(row, wanted, path, number)
            where, options = place(path, number), tuple(str(option).strip() for option in given)
            start, end = row.get("start"), row.get("end")
            found.append(
                Item(
                    f"{task}-{number + 1}",
                    f"{home}/{video}",
                    question,
                    options,
                    worded(str(answer), options, where),
                    window=None if start is None or end is None else span((start, end), where),
                    groups={"task": task},
                )
            )
    return found


BENCHMARK = Benchmark(
    name="mvbench",
    title="MVBench",
    form="choice",
    splits=("test",),
    metric="mean of the tasks' accuracies",
    frames=Frames(fps=4, max_frames=256, max_pixels=1024 * 1024),
    licence="MIT; the videos are under their sources' licences",
    source="the dataset OpenGVLab/MVBench on the hub: json/*.json, video/*.zip; NTU RGB+D (fine_grained_pose) "
    "from its authors",
    load=load,
    official=mean_of("task"),
    note="The score is the mean of the tasks' accuracies; with 200 questions each that is the plain "
    "accuracy. Videos of episodic_reasoning come as folders of frames at 3 a second: encode each to an .mp4 of "
    "the folder's name.",
)
