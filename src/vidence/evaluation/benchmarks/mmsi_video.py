"""MMSI-Video-Bench (arXiv 2512.10863): 1,106 questions of space on clips of 25 datasets: layout, motion, plans."""

from __future__ import annotations

from pathlib import Path

from vidence.evaluation.files import find, need, place, rows
from vidence.evaluation.item import Benchmark, Frames, Item
from vidence.evaluation.options import bare, divided, index_of


def load(folder: Path, split: str) -> list[Item]:
    """Read mmsivideo.json. Split single leaves out what asks across videos, or has pictures beside the video."""
    path = find(folder, "mmsivideo.json", "mmsi_video*.json", "*.parquet")
    found = list[Item]()
    for number, row in enumerate(rows(path)):
        wanted = ["id", "video_list", "ori_question", "ground_truth", "type"]
        name, videos, question, answer, task = need(row, wanted, path, number)
        first, *rest = [need(one, ["path"], path, number)[0] for one in videos]
        also = (*rest, *(row.get("ref_images") or ()))
        if also and split == "single":
            continue
        given = row.get("options")
        question, options = (question, bare(given)) if given else divided(question)
        right = index_of(answer, options, place(path, number))
        if also:
            question = _named(_named(question, "video"), "image")
        question = question.replace("<video>", "").replace("<image>", "").strip()
        found.append(Item(str(name), first, question, options, right, also=also, groups={"task": task}))
    return found


def _named(question: str, kind: str) -> str:
    """Number what is shown where the question has a mark for it; all of it is shown before."""
    parts = question.split(f"<{kind}>")
    return parts[0] + "".join(f"({kind} {at}){part}" for at, part in enumerate(parts[1:], 1))


BENCHMARK = Benchmark(
    name="mmsi-video",
    title="MMSI-Video-Bench",
    form="choice",
    splits=("single", "all"),
    metric="accuracy",
    frames=Frames(fps=4, max_frames=256, max_pixels=1024 * 1024),
    licence="CC BY-NC 4.0",
    source="the dataset rbler/MMSI-Video-Bench on the hub: mmsivideo.json, videos.zip, ref_images.zip, unpacked",
    load=load,
    note="Split single is what asks about one video alone; the published 30.7 is of all, of which questions across "
    "videos or with reference pictures can be put to a single pass only. Times in questions are of the recording "
    "that a clip was cut out of, as its original frames have them stamped on. Chance is 24.1.",
)
