"""Measure the nano model after each stage, on worlds of four lengths that it has not seen; of them those of 8 seconds
twice: with looks it knows, and with looks it does not (colours of things and grounds that never met in training).

    python examples/nano/measure.py --out nano --questions 60

Single pass: all frames at once. Looking: half of the frames at once, the other half in looks that the model asks for.
Both see the same number of visual tokens. Chance is a guess among the options. Writes nano/table.json.
"""

from __future__ import annotations

import argparse
import json
import math
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from vidence.training.config import RolloutPart, SeeingPart, checked
from vidence.training.episodes import Episode, Play
from vidence.training.loading import load_learner
from vidence.training.preparing import Preparer
from vidence.training.rewards import Rubric
from vidence.training.rollout import InProcess
from vidence.training.sources import Sample, WorldSource
from vidence.training.trajectory import TEXT

MODELS = {
    "grouped-query, trained from nothing": "start/model",
    "grouped-query, fine-tuned": "teacher/model",
    "converted": "converted",
    "continued pretraining": "pretrained/model",
    "fine-tuning": "finetuned/model",
    "reinforcement": "reinforced/model",
    "distillation": "distilled/model",
}
LENGTHS = {"8 s": 8, "1 min": 60, "10 min": 600, "1 h": 3600}
FRAMES, AT_ONCE = 32, 8
SINGLE = SeeingPart(fps=2, min_frames=4, max_frames=FRAMES, look_frames=8, max_frame_pixels=3840)
HALF = SeeingPart(fps=1, min_frames=4, max_frames=FRAMES // 2, look_frames=8, max_frame_pixels=3840)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, default=Path("nano"))
    parser.add_argument("--questions", type=int, default=60, help="of each length, and as many intervals")
    parser.add_argument("--models", nargs="*", default=list(MODELS.values()))
    arguments = parser.parse_args()
    rows = []
    for name, place in MODELS.items():
        folder = arguments.out / place
        if place not in arguments.models or not (folder / "config.json").is_file():
            continue
        for looking in (False, True):
            for length in LENGTHS:
                rows.append(
                    {"model": name, "length": length} | row(folder, length, arguments.questions, looking)
                )
                print(json.dumps(rows[-1]), flush=True)
                (arguments.out / "table.json").write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")


@torch.no_grad()
def row(folder: Path, length: str, count: int, looking: bool) -> dict[str, Any]:
    """Ask a model about worlds of one length."""
    choices, intervals = (
        questions(folder, form, LENGTHS[length], count, looking) for form in ("choice", "grounding")
    )
    answered, found = (played(folder, samples, looking) for samples in (choices, intervals))
    right = [episode.parts["answer"] for episode in answered]
    kinds = defaultdict[str, list[float]](list)
    for sample, value in zip(choices, right, strict=True):
        assert sample.truth is not None
        kinds[sample.truth.kind].append(value)
    share = sum(right) / len(right)
    visual = [int((episode.trajectory.kinds_L != TEXT).sum()) for episode in answered]
    return {
        "looking": looking,
        "accuracy": share,
        "error": math.sqrt(share * (1 - share) / len(right)),  # one question a world: nothing is clustered
        "chance": sum(1 / options(sample) for sample in choices) / len(choices),
        "mean_iou": sum(episode.parts["answer"] for episode in found) / len(found),
        "calls": sum(episode.outcome.calls for episode in answered) / len(answered),
        "visual_tokens": sum(visual) / len(visual),
        "tokens": sum(episode.trajectory.length for episode in answered) / len(answered),
        "kinds": {kind: [sum(values) / len(values), len(values)] for kind, values in sorted(kinds.items())},
    }


def questions(folder: Path, form: str, seconds: int, count: int, looking: bool) -> list[Sample]:
    """Return questions about as many worlds; the same for all models."""
    source = {
        "kind": "world",
        "form": form,
        "level": 0,
        "split": "test",
        "duration_s": [seconds, seconds],
        "size": [160, 96],
    }
    seeing = (HALF if looking else SINGLE).model_dump()
    phase = {"steps": 1, "rate": 1e-3, "pack_tokens": 8192, "seeing": seeing}
    config = checked({"out": "none", "model": {"path": str(folder)}, "sources": [source], "phases": [phase]})
    worlds = WorldSource(config.sources[0], config.phases[0])
    return [worlds.sample(7_000_000 + number) for number in range(count)]


def played(folder: Path, samples: Sequence[Sample], looking: bool) -> list[Episode]:
    """Let a model answer, in one pass or looking again."""
    seeing = HALF if looking else SINGLE
    phase = {"steps": 1, "rate": 1e-3, "pack_tokens": 8192, "seeing": seeing.model_dump()}
    source = {"kind": "world"}
    config = checked({"out": "none", "model": {"path": str(folder)}, "sources": [source], "phases": [phase]})
    rollout = RolloutPart(turns=3 if looking else 1, max_new_tokens=40)
    play = Play(Preparer(config).chat(config.phases[0]), Rubric(), rollout, seeing)
    engine = InProcess(load_learner(folder, "cuda" if torch.cuda.is_available() else "cpu").eval())
    groups = [
        play.episodes(engine, samples[start : start + AT_ONCE], group=1, seed=0, greedy=True)
        for start in range(0, len(samples), AT_ONCE)
    ]
    return [episode for each in groups for (episode,) in each]


def options(sample: Sample) -> int:
    """Count the options of a question."""
    text = sample.question[0]["content"][1]["text"]
    return sum(line[1:3] == ". " for line in text.splitlines())


if __name__ == "__main__":
    main()
