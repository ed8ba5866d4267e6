"""All four stages in two processes: each improves what it is for, on unseen worlds, beyond the noise of seeds."""

from __future__ import annotations

import statistics
from pathlib import Path

import pytest
from toy import torchrun

from vidence.training.log import read_log

SEEDS = 3
SERVES = {
    "pretrain": ("held_out_divergence", -1),
    "finetune": ("held_out_reward", 1),
    "reinforce": ("held_out_reward", 1),
    "distill": ("held_out_reverse_divergence", -1),
}


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("recipe")
    torchrun(2, Path(__file__).with_name("run_recipe.py"), folder, SEEDS, timeout_s=1500)
    return folder


@pytest.mark.parametrize("stage", SERVES)
def test_the_stage_improves_what_it_is_for(runs: Path, stage: str) -> None:
    name, sign = SERVES[stage]
    gains = []
    for seed in range(SEEDS):
        found = [
            entry[name] for entry in read_log(runs / f"seed-{seed}" / stage / "log.jsonl") if name in entry
        ]
        gains.append(sign * (found[-1] - found[0]))
    error = statistics.stdev(gains) / SEEDS**0.5
    assert statistics.mean(gains) > 2 * error, gains
