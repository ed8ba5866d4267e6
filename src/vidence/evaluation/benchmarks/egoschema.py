"""EgoSchema (arXiv 2308.09126): 5,031 questions on three-minute egocentric clips; answers to 500 of them are public."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from vidence.evaluation.files import find, need, place, rows, table
from vidence.evaluation.item import Benchmark, Frames, Item
from vidence.evaluation.options import bare, numbered


def load(folder: Path, split: str) -> list[Item]:
    """Read the hub's Parquet file of the split, or the original questions (and, for the subset, their answers)."""
    hub = "Subset/*.parquet" if split == "subset" else "MC/*.parquet"
    path = find(folder, hub, "questions.json", "*test_q.json", "test-00000-of-00001.parquet")
    known = dict[str, Any]()
    if split == "subset" and path.suffix == ".json":
        known = table(find(folder, "subset_answers.json"))
    found = list[Item]()
    for number, row in enumerate(rows(path)):
        video = next((row[key] for key in ("video_idx", "q_uid", "video_name") if row.get(key)), None)
        video, question = need({**row, "video_idx": video}, ["video_idx", "question"], path, number)
        options = _options(row, path, number)
        right = None
        if split == "subset":
            if known and video not in known:
                continue  # the original questions are all 5,031
            answer = known.get(video, row.get("answer"))
            right = numbered(answer, options, place(path, number))
        found.append(Item(video, video, question, options, right))
    return found


def _options(row: dict[str, Any], path: Path, number: int) -> tuple[str, ...]:
    given = row.get("option")
    if given is None:
        given = need(row, [f"option {at}" for at in range(5)], path, number)
    return bare(list(given.values()) if isinstance(given, dict) else given)


BENCHMARK = Benchmark(
    name="egoschema",
    title="EgoSchema",
    form="choice",
    splits=("subset", "full"),
    metric="accuracy",
    frames=Frames(fps=4, max_frames=2048, min_pixels=64 * 1024, max_pixels=128 * 1024),
    licence="Ego4D's",
    source="the dataset lmms-lab/egoschema on the hub (Subset, MC, videos), or questions.json and subset_answers.json",
    load=load,
    note="Answers to the full set are not public: its items have none, and scores come from the benchmark's "
    "server. The two do not compare, and the paper does not say which of them its 76.6 is on; its script runs "
    "the full one.",
)
