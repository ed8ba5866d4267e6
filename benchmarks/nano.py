"""What the nano model can do after each stage, on worlds that it has not seen; and asked as users ask.

    python benchmarks/nano.py --run nano --model nano/nano [--parts stages,looking,asked]

`--run` is the folder that `examples/nano/nano.py` wrote. Single pass: all frames at once. Looking: half of the frames
at once, the other half in looks that the model asks for; both see at most the same number of visual tokens. Questions
are put without their options. "exact": answered in exactly the right words; "accuracy": the right option is the
likeliest of those that the question has; chance is a guess among them. "unseen looks": colours of things, clothes and
grounds that never met in training. Part "asked" puts questions about written videos to a model, through the whole
loop.
"""

from __future__ import annotations

import argparse
import itertools
import math
import statistics
import tempfile
import time
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from common import Bar, write_results
from vidence.memory import Memory
from vidence.policies.internvideo3 import InternVideo3Policy
from vidence.training.config import RolloutPart, SeeingPart, checked
from vidence.training.episodes import Episode, Play
from vidence.training.loading import load_learner
from vidence.training.packing import packed
from vidence.training.preparing import Preparer
from vidence.training.rewards import Rubric
from vidence.training.rollout import InProcess
from vidence.training.sources import Sample, WorldSource
from vidence.training.trajectory import TEXT
from vidence.video import open as open_video
from vidence.worlds import Question, Setting, make_world

PARTS = ("stages", "looking", "asked")
MODELS = {
    "grouped-query, from nothing": "start/model",
    "grouped-query, fine-tuned": "teacher/model",
    "converted": "converted",
    "continued pretraining": "pretrained/model",
    "fine-tuning": "finetuned/model",
    "reinforcement": "reinforced/model",
    "distillation": "distilled/model",
}
SETS = {
    "6 s": (6, "train"),
    "8 s": (8, "train"),
    "8 s, unseen looks": (8, "test"),
    "1 min": (60, "train"),
    "10 min": (600, "train"),
    "1 h": (3600, "train"),
}
KINDS = ["action", "attribute", "object", "order", "spatial", "state", "counting", "multihop"]
FIRST_SEED = 7_000_000  # training counts from 0 and does not come so far
AT_ONCE = 32
ASKED_S = (6, 8)
DEVICE = "cuda" if torch.cuda.is_available() else "cpu"
SINGLE = SeeingPart(fps=2, min_frames=4, max_frames=32, look_frames=8, max_frame_pixels=3840)
HALF = SINGLE.model_copy(update={"max_frames": 16})


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--run", type=Path, default=Path("nano"))
    parser.add_argument("--parts", default=",".join(PARTS))
    parser.add_argument("--questions", type=int, default=200, help="of each set, and half as many intervals")
    parser.add_argument("--model", type=Path, help="that is asked; default: the run's last")
    parser.add_argument("--videos", type=int, default=40, help="that are written and asked about")
    parser.add_argument("--set", action="append", choices=list(SETS), help="of worlds; default: all")
    arguments = parser.parse_args()
    for part in arguments.parts.split(","):
        rows, bars = (
            asked(arguments.model or arguments.run / "nano", arguments.videos)
            if part == "asked"
            else measured(
                arguments.run, arguments.set or list(SETS), arguments.questions, looking=part == "looking"
            )
        )
        if rows:
            write_results("nano", rows, bars, part="row")
        else:
            print(f"{part}: there is no model in {arguments.run}; examples/nano/nano.py makes one")


def measured(
    run: Path, sets: Sequence[str], count: int, *, looking: bool
) -> tuple[list[dict[str, Any]], list[Bar]]:
    """Measure what the stages left, in a single pass or looking again."""
    rows, bars = [], []
    for name, place in MODELS.items():
        folder = run / place
        if not (folder / "config.json").is_file() or (looking and place in ("start/model", "converted")):
            continue
        for set_name in sets:
            how = "looking" if looking else "single pass"
            found = row(folder, set_name, count, looking)
            rows.append(
                {"row": f"{name}, {set_name}, {how}", "model": name, "set": set_name, "how": how} | found
            )
            print({key: value for key, value in rows[-1].items() if key != "kinds"}, flush=True)
        first = next(one for one in rows if one["model"] == name)
        what = f"{name}, {first['set']}, {first['how']}"
        bars.append(Bar(f"{what}: answered in exactly the right words", first["exact"], "", "reported"))
        if not looking:
            gain = first["accuracy"] - first["chance"]
            bars.append(Bar(f"{what}: accuracy above chance", gain, "", "reported"))
    return rows, bars


@torch.no_grad()
def row(folder: Path, set_name: str, count: int, looking: bool) -> dict[str, Any]:
    """Ask a model about one set of worlds."""
    asked_about = questions(folder, "open", set_name, count, looking)
    intervals = questions(folder, "grounding", set_name, count // 2, looking)
    answered, found = (
        played(folder, [sample for sample, _ in some], looking) for some in (asked_about, intervals)
    )
    exact = [episode.parts["answer"] for episode in answered]
    picked = None if looking else weighed(folder, asked_about)
    kinds = defaultdict[str, list[float]](list)
    for (_, question), value in zip(asked_about, picked or exact, strict=True):
        kinds[question.kind].append(value)
    return {
        "exact": statistics.mean(exact),
        "accuracy": statistics.mean(picked) if picked else None,
        "error": error(picked or exact),
        "chance": statistics.mean(1 / len(question.options) for _, question in asked_about),
        "mean_iou": statistics.mean(episode.parts["answer"] for episode in found),
        "cited": statistics.mean(episode.parts["evidence"] for episode in answered) if looking else None,
        "calls": statistics.mean(episode.outcome.calls for episode in answered),
        "visual_tokens": statistics.mean(
            int((episode.trajectory.kinds_L != TEXT).sum()) for episode in answered
        ),
        "tokens": statistics.mean(episode.trajectory.length for episode in answered),
        "kinds": {kind: [statistics.mean(values), len(values)] for kind, values in sorted(kinds.items())},
    }


def error(right: Sequence[float]) -> float:
    """Return the standard error of a share: one question a world, so nothing is clustered."""
    share = statistics.mean(right)
    return math.sqrt(share * (1 - share) / len(right))


def questions(
    folder: Path, form: str, set_name: str, count: int, looking: bool
) -> list[tuple[Sample, Question]]:
    """Return one question about each of as many worlds, put without its options; the same for all models."""
    seconds, split = SETS[set_name]
    source = {
        "kind": "world",
        "form": form,
        "level": 0,
        "split": split,
        "duration_s": [seconds, seconds],
        "size": [160, 96],
        "first_seed": FIRST_SEED,
    }
    config = configured(folder, HALF if looking else SINGLE, source)
    worlds, found = WorldSource(config.sources[0], config.phases[0]), list[tuple[Sample, Question]]()
    for number in itertools.count():
        world = worlds.world(number)
        kinds = ("grounding",) if form == "grounding" else KINDS
        fit = [one for one in world.questions(kinds=kinds) if form == "grounding" or one.options]
        if fit:
            question = fit[number % len(fit)]
            found.append((worlds.asked(world, [question]), question))
        if len(found) == count:
            return found
    raise AssertionError  # there is no last world


def weighed(folder: Path, asked_about: Sequence[tuple[Sample, Question]]) -> list[float]:
    """Tell of each question whether its right option is the likeliest answer."""
    config = configured(folder, SINGLE, {"kind": "world"})
    chat, right = Preparer(config).chat(config.phases[0]), list[float]()
    learner = load_learner(folder, DEVICE).eval()
    for sample, question in asked_about:
        logprobs = list[float]()
        for option in question.options:
            told = (*sample.question, {"role": "assistant", "content": option})
            pack = packed([chat.trajectory(sample.name, told)], learner.place, learner.merge).to(DEVICE)
            logprobs.append(float(learner(pack).logprobs_N.sum()))
        right.append(float(logprobs.index(max(logprobs)) == question.correct))
    return right


def played(folder: Path, samples: Sequence[Sample], looking: bool) -> list[Episode]:
    """Let a model answer, in one pass or looking again."""
    seeing = HALF if looking else SINGLE
    config = configured(folder, seeing, {"kind": "world"})
    rollout = RolloutPart(turns=3 if looking else 1, max_new_tokens=48)
    rubric = Rubric({"answer": 1.0, "evidence": 0.0})
    play = Play(Preparer(config).chat(config.phases[0]), rubric, rollout, seeing)
    engine = InProcess(load_learner(folder, DEVICE).eval())
    groups = [
        play.episodes(engine, samples[start : start + AT_ONCE], group=1, seed=0, greedy=True)
        for start in range(0, len(samples), AT_ONCE)
    ]
    return [episode for each in groups for (episode,) in each]


def configured(folder: Path, seeing: SeeingPart, source: dict[str, Any]) -> Any:
    """Return a configuration that shows worlds as they are to be seen."""
    phase = {"steps": 1, "rate": 1e-3, "pack_tokens": 8192, "seeing": seeing.model_dump()}
    return checked({"out": "none", "model": {"path": str(folder)}, "sources": [source], "phases": [phase]})


def asked(model: Path, count: int) -> tuple[list[dict[str, Any]], list[Bar]]:
    """Write videos as `vidence world` does, and ask a model through the loop, checks included."""
    if not (model / "config.json").is_file():
        return [], []
    policy = InternVideo3Policy.load(model)
    rows = [asked_about(policy, count, seconds) for seconds in ASKED_S]
    bars = [
        Bar(f"{row['row']}: accuracy above chance", row["accuracy"] - row["chance"], "", "> 0.1")
        for row in rows
    ]
    return rows, [*bars, Bar("asked: median seconds a question", rows[0]["seconds"], "s", "reported")]


def asked_about(policy: InternVideo3Policy, count: int, duration_s: int) -> dict[str, Any]:
    """Ask up to three questions about each of `count` videos."""
    right, chance, verdicts, confident, seconds, tokens = [], [], [], [], [], []
    with tempfile.TemporaryDirectory() as folder:
        memory = Memory.open(Path(folder) / "memory.db")
        for number in range(count):
            world = make_world(FIRST_SEED + number, Setting(duration_s=duration_s, level=0))
            path = Path(folder) / f"{number}.mp4"
            world.write(path)
            chosen = [one for one in world.questions(kinds=tuple(KINDS)) if one.options][:3]
            with open_video(path, memory=memory) as video:
                for question in chosen:
                    start = time.monotonic()
                    answer = video.ask(question.text, choices=question.options, policy=policy)
                    seconds.append(time.monotonic() - start)
                    picked = answer.choice.index if answer.choice else -1
                    right.append(float(picked == question.correct))
                    chance.append(1 / len(question.options))
                    verdicts += [float(claim.verdict.kind == "supported") for claim in answer.claims]
                    confident += [right[-1]] if answer.confident else []
                    tokens.append(answer.receipt.tokens)
            path.unlink()
        memory.close()
    share = statistics.mean(right)
    return {
        "row": f"nano, written videos of {duration_s} s at 640 x 360, the whole loop",
        "questions": len(right),
        "accuracy": share,
        "error": error(right),
        "chance": statistics.mean(chance),
        "claims_supported": statistics.mean(verdicts) if verdicts else 0.0,
        "confident": len(confident) / len(right),
        "confident_right": statistics.mean(confident) if confident else None,
        "seconds": statistics.median(seconds),
        "tokens": statistics.median(tokens),
    }


if __name__ == "__main__":
    main()
