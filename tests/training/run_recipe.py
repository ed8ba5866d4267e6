"""All four stages on the toy, for one seed after another: `run_recipe.py FOLDER SEEDS`, in two processes."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import Any

import torch
from toy import WORLD, configured, write_converted, write_start

from vidence.training.loop import train

HELD_OUT = {**WORLD}


def run(stage: str, out: Path, model: Path, steps: int, rate: float, **changes: Any) -> Path:
    """Run a stage; return the trained model's folder."""
    start = time.monotonic()
    config = configured(
        out,
        model,
        steps,
        rate,
        **{"held_out": [HELD_OUT], "held_out_samples": 96, "save_every": 1000, "log_every": 10} | changes,
    )
    train(stage, config)
    if os.environ.get("RANK") == "0":
        print(f"{stage} {out.name}: {time.monotonic() - start:.1f} s", flush=True)  # noqa: T201
    return out / "model"


def main(root: Path, seeds: int) -> None:
    leads = os.environ["RANK"] == "0"
    alone = {"parallel": {"shard": False}}
    if leads:
        write_start(root / "fresh")
        (root / "written").touch()
    while not (root / "written").exists():
        time.sleep(0.1)
    start = run("finetune", root / "start", root / "fresh", 200, 1.5e-3, held_out=[], **alone)
    teacher = run("finetune", root / "teacher", start, 150, 1.5e-3, seed=9, held_out=[], **alone)
    if leads:
        write_converted(root / "latent.part", start, 0.1)
        (root / "latent.part").rename(root / "latent")
    while not (root / "latent").exists():
        time.sleep(0.1)
    for seed in range(seeds):
        out = root / f"seed-{seed}"
        common = {"seed": seed, **alone}
        learn = {"learn": {"teacher": str(start), "teacher_share": 0.9}}
        model = run("pretrain", out / "pretrain", root / "latent", 30, 5e-4, **learn, **common)
        model = run("finetune", out / "finetune", model, 60, 1.5e-3, **common)
        wide = {"max_new_tokens": 5, "prompts": 32, "group": 4}
        model = run("reinforce", out / "reinforce", model, 20, 7e-4, rollout=wide, **common)
        wide = {"max_new_tokens": 5, "prompts": 32, "group": 3}
        taught = {"distill": {"teacher": str(teacher)}}
        run("distill", out / "distill", model, 14, 7e-4, rollout=wide, **taught, **common)


if __name__ == "__main__":
    torch.set_num_threads(1)
    torch.distributed.init_process_group("gloo")
    main(Path(sys.argv[1]), int(sys.argv[2]))
