"""MMSI-Video-Bench (arXiv 2512.10863): 1,106 questions of space on clips of 25 datasets: layout, motion, plans."""

from __future__ import annotations

from pathlib import Path

from vidence.evaluation.files import find, need, place, rows
from vidence.evaluation.item import Benchmark, Frames, Item
from vidence.evaluation.options import bare, divided, index_of


def load(folder: Path, split: str) -> list[Item]:
    """Read mmsivideo.json; questions across videos, or with pictures beside the video, are left out."""
    path = find(folder, "mmsivideo.json", "mmsi_video*.json", "*.parquet")
    found = list[Item]()
    for number, row in enumerate(rows(path)):
        wanted = ["id", "video_list", "ori_question", "ground_truth", "type"]
        name, videos, question, answer, task = need(row, wanted, path, number)
        if len(videos) == 1 and not row.get("ref_images"):
            video = need(videos[0], ["path"], path, number)[0]
            given = row.get("options")
            question, options = (question, bare(given)) if given else divided(question)
            right = index_of(answer, options, place(path, number))
            question = question.replace("<video>", "").strip()
            found.append(Item(str(name), video, question, options, right, groups={"task": task}))
    return found


BENCHMARK = Benchmark(
    name="mmsi-video",
    title="MMSI-Video-Bench",
    form="choice",
    splits=("single",),
    metric="accuracy",
    frames=Frames(fps=4, max_frames=256, max_pixels=1024 * 1024),
    licence="CC BY-NC 4.0",
    source="the dataset rbler/MMSI-Video-Bench on the hub: mmsivideo.json, videos.zip",
    load=load,
    note="The one on video: MMSI-Bench (27.6 in the paper), its elder, is on still pictures and is not "
    "here. Only what asks about one video: the published 30.7 counts questions across videos and with reference "
    "pictures as well. Times in questions are of the recording that a clip was cut out of, as its original "
    "frames have them stamped on. Chance is 24.1.",
)
