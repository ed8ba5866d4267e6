"""Train the nano model: from nothing, through conversion and all four stages, to a table of what each stage gave.

    python examples/nano/nano.py --out nano --minutes 120

Everything is made here: worlds to look at, words, weights. On two CPU cores it takes the minutes that are given, on a
GPU a tenth of them gives much more. Stopped at any moment, the same command goes on.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import torch

from vidence.models.internvideo3.convert.budget import parse_target
from vidence.models.internvideo3.convert.conversion import convert
from vidence.models.internvideo3.convert.source import open_source
from vidence.models.internvideo3.loading import load_model
from vidence.models.internvideo3.processing import InternVideo3Processor
from vidence.models.internvideo3.protocol import OFFER, citation
from vidence.training.calibrating import calibration
from vidence.training.config import Config, read_config
from vidence.training.fresh import Size, tokenizer, write_fresh
from vidence.training.log import read_log
from vidence.training.loop import train
from vidence.training.preparing import Preparer
from vidence.worlds import Setting, make_world

HERE = Path(__file__).parent
SMALL = Size(
    width=128,
    layers=6,
    heads=4,
    key_value_heads=2,
    head_width=64,
    inner=384,
    tower_width=96,
    tower_layers=3,
    tower_heads=3,
    tower_taps=1,
    patch_px=8,
    tokens=1024,
)
LARGE = Size(
    width=256,
    layers=8,
    heads=8,
    key_value_heads=4,
    head_width=64,
    inner=768,
    tower_width=192,
    tower_layers=4,
    tower_heads=3,
    tower_taps=1,
    patch_px=8,
    tokens=1024,
)
SIZE = LARGE if torch.cuda.is_available() else SMALL  # 2.4 and 11 million parameters
LIMITS = {"fps": 2.0, "min_frames": 4, "max_frames": 32, "min_pixels": 1024, "max_frame_pixels": 3840}
KEPT = 0.4  # of the grouped-query cache
SHARES = {
    "start": 0.6,
    "teacher": 0.08,
    "pretrain": 0.05,
    "finetune": 0.12,
    "reinforce": 0.1,
    "distill": 0.05,
}
TAUGHT = ('learn.teacher="teacher/model"', "learn.teacher_share=0.5")
PROBED = 8  # steps that are timed to find out how many fit a stage's minutes


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, default=Path("nano"))
    parser.add_argument("--minutes", type=float, default=100.0, help="of training, all stages together")
    parser.add_argument(
        "--workers", type=int, default=max((os.cpu_count() or 2) - 2, 0), help="that draw worlds"
    )
    arguments = parser.parse_args()
    run = Nano(arguments.out, arguments.minutes, arguments.workers)
    run.fresh()
    run.stage("start", "finetune", "start.toml")
    run.stage("teacher", "finetune", "finetune.toml", 'model.path="start/model"', 'out="teacher"')
    run.converted()
    run.stage("pretrain", "pretrain", "pretrain.toml")
    run.stage("finetune", "finetune", "finetune.toml", *TAUGHT)
    run.stage("reinforce", "reinforce", "reinforce.toml")
    run.stage("distill", "distill", "distill.toml")
    run.small()


class Nano:
    """One run of all stages, in a folder."""

    def __init__(self, out: Path, minutes: float, workers: int) -> None:
        self.out, self.minutes, self.workers = out, minutes, workers
        out.mkdir(parents=True, exist_ok=True)
        for path in HERE.glob("*.toml"):  # paths in them are from where they lie
            shutil.copy(path, out / path.name)

    def fresh(self) -> None:
        """Learn words and write weights that know nothing."""
        folder = self.out / "fresh"
        if not folder.is_dir():
            write_fresh(folder, tokenizer(texts(), SIZE.tokens), SIZE)

    def stage(self, name: str, kind: str, file: str, *changes: str) -> None:
        """Run a stage for its share of the minutes."""
        done = self.out / f"{name}.json"
        if done.is_file():
            return
        start = time.monotonic()
        steps = self._fitted(name, kind, file, list(changes))
        self._train(kind, file, [*changes, *(f"phases.{at}.steps={each}" for at, each in enumerate(steps))])
        entries = read_log(self._out(file, changes) / "log.jsonl")
        measured = {key: value for key, value in entries[-1].items() if key.startswith("held_out")}
        record = {"seconds": time.monotonic() - start, "steps": steps, "measured": measured}
        done.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
        print(name, json.dumps(record), flush=True)

    def converted(self) -> None:
        """Convert the trained start, calibrated on questions and captions."""
        folder = self.out / "converted"
        if (folder / "conversion.json").is_file():
            return
        shutil.rmtree(folder, ignore_errors=True)
        source = open_source(self.out / "start" / "model")
        config = read_config(self.out / "pretrain.toml", ['model.path="start/model"'])
        preparer = Preparer(config)
        seen = [preparer.trajectory(0, (at % 3, 900_000 + at)) for at in range(72)]
        text = source.text
        target = parse_target(
            str(KEPT), layers=text.num_hidden_layers, groups=text.key_value_heads, width=text.head_dim
        )
        done = convert(source, folder, target, calibration(source, seen[:60]), calibration(source, seen[60:]))
        print("converted", done.measured.perplexity_before, done.measured.perplexity_after, flush=True)

    def small(self) -> None:
        """Write the last stage's model in 16 bits, with the limits that it was trained with, ready to be asked."""
        learned, folder = self.out / "distilled" / "model", self.out / "nano"
        load_model(learned, dtype=torch.bfloat16).save_pretrained(folder)
        processor = InternVideo3Processor.from_pretrained(learned)
        processor.video_limits |= LIMITS
        processor.options = "weighed"  # so small a model does not learn to copy what it is asked
        processor.save_pretrained(folder)

    def _fitted(self, name: str, kind: str, file: str, changes: list[str]) -> list[int]:
        """Choose as many steps as fit, keeping the phases' proportions; the choice is kept, for going on."""
        chosen = self.out / f"{name}.steps.json"
        if not chosen.is_file():
            config = read_config(self.out / file, changes)
            factor = (
                60 * self.minutes * SHARES[name] / (self._timed(name, kind, file, changes) * config.steps)
            )
            steps = [max(round(phase.steps * factor), 2) for phase in config.phases]
            chosen.write_text(json.dumps(steps), encoding="utf-8")
        return json.loads(chosen.read_text("utf-8"))

    def _timed(self, name: str, kind: str, file: str, changes: list[str]) -> float:
        """Return the seconds of a step."""
        out = self.out / f"{name}-timed"
        shutil.rmtree(out, ignore_errors=True)
        phases = len(read_config(self.out / file, changes).phases)
        few = [f"phases.{at}.steps={PROBED}" for at in range(phases)]
        self._train(kind, file, [*changes, *few, f'out="{out.name}"', "log_every=1", "held_out=[]"])
        entries = [entry for entry in read_log(out / "log.jsonl") if "seconds" in entry]
        shutil.rmtree(out)
        return statistics.mean(
            entry["seconds"] for entry in entries if (entry["step"] - 1) % PROBED >= PROBED // 2
        )

    def _train(self, kind: str, file: str, changes: list[str]) -> None:
        """Train in a process a core, or a GPU: for so small a model that beats threads."""
        processes = torch.cuda.device_count() or min(os.cpu_count() or 1, 2)
        given = [*changes, f"workers={self.workers}", "parallel.shard=false"]
        if torch.cuda.is_available():
            given += wider(read_config(self.out / file, changes), processes)
        if processes == 1:
            train(kind, read_config(self.out / file, given))
            return
        command = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
        command += ["--nproc-per-node", str(processes), "-m", "vidence", "train", kind, "--quiet"]
        command += ["--config", str(self.out / file), *(f"--set={each}" for each in given)]
        subprocess.run(command, check=True, env=os.environ | {"OMP_NUM_THREADS": "1"})

    def _out(self, file: str, changes: Sequence[str]) -> Path:
        return read_config(self.out / file, list(changes)).out


def wider(config: Config, processes: int) -> list[str]:
    """Return how GPUs take a stage: with sixteen times the tokens in a row, and four times the prompts."""
    changes = [f"rollout.prompts={4 * config.rollout.prompts}"]
    for at, phase in enumerate(config.phases):
        changes += [f"phases.{at}.pack_tokens={16 * phase.pack_tokens}", f"phases.{at}.packs={processes}"]
    return changes


def texts() -> Iterator[str]:
    """Yield what is said in and about worlds."""
    for seed in range(1500):
        setting = Setting(duration_s=(8, 8, 40)[seed % 3], level=0, size=(160, 96))
        world = make_world(seed, setting)
        for question in world.questions():
            yield from (question.text, question.answer, *question.options)
        for caption in world.captions():
            yield f"{citation(caption.span)} {caption.text}"
    for _ in range(200):
        yield from (OFFER, "A. B. C. D. 0.5 - 2.5 seconds")


if __name__ == "__main__":
    main()
