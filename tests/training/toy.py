"""A toy: a model of 0.2 M parameters, worlds of one thing before a plain ground, runs of a few seconds."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from vidence.models.internvideo3.convert.budget import parse_target
from vidence.models.internvideo3.convert.conversion import convert
from vidence.models.internvideo3.convert.source import open_source
from vidence.training.calibrating import calibration
from vidence.training.chat import Chat
from vidence.training.config import Config, checked
from vidence.training.fresh import Size, tokenizer, write_fresh
from vidence.training.loading import load_processor
from vidence.training.preparing import seeing_limits
from vidence.training.sources import WorldSource
from vidence.worlds import Setting, make_world

SIZE = Size(
    width=64,
    layers=2,
    heads=4,
    key_value_heads=2,
    head_width=16,
    inner=192,
    tower_width=48,
    tower_layers=2,
    tower_heads=3,
    patch_px=8,
    tokens=512,
)
WORLD = {
    "kind": "world",
    "form": "open",
    "kinds": ["attribute"],
    "level": 0,
    "duration_s": [4, 4],
    "size": [32, 32],
}
SEEING = {"fps": 1, "min_frames": 2, "max_frames": 4}


def settings(out: Path, model: Path, steps: int, rate: float, **changes: Any) -> dict[str, Any]:
    """Return a configuration's values."""
    return {
        "out": str(out),
        "model": {"path": str(model)},
        "sources": [WORLD],
        "phases": [{"steps": steps, "rate": rate, "pack_tokens": 512, "packs": 2, "seeing": SEEING}],
        "optimiser": {"warmup": 0.1, "weight_decay": 0.01},
        "rollout": {"max_new_tokens": 5, "prompts": 8, "group": 6},
        "workers": 0,
        "log_every": 1,
        **changes,
    }


def configured(*given: Any, **changes: Any) -> Config:
    """Return a checked configuration."""
    return checked(settings(*given, **changes))


def write_start(folder: Path, *, seed: int = 0) -> None:
    """Write a fresh model whose words are those of the worlds."""
    write_fresh(folder, tokenizer(_texts(), SIZE.tokens), SIZE, seed=seed)


def write_converted(folder: Path, source_folder: Path, share: float) -> None:
    """Convert a trained start, calibrated on worlds that nothing else uses."""
    source = open_source(source_folder)
    config = configured(folder, source_folder, 1, 1e-3)
    worlds = WorldSource(config.sources[0], config.phases[0])
    chat = Chat(load_processor(source_folder), video_limits=seeing_limits(config.phases[0]))
    samples = [worlds.sample(50_000 + number) for number in range(28)]
    seen = [chat.trajectory(one.name, one.messages) for one in samples]
    text = source.text
    target = parse_target(
        f"{share}", layers=text.num_hidden_layers, groups=text.key_value_heads, width=text.head_dim
    )
    convert(
        source, folder, target, calibration(source, seen[:24]), calibration(source, seen[24:]), report=False
    )


def torchrun(processes: int, script: Path, *arguments: object, timeout_s: int = 600) -> str:
    """Run a script in several processes; return what they print."""
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={processes}"]
    environment = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(
        [*command, str(script), *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=timeout_s,
        env=environment,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    return done.stdout


def _texts() -> Iterator[str]:
    for seed in range(200):
        for question in make_world(seed, Setting(duration_s=4, level=0, size=(32, 32))).questions():
            yield from (question.text, question.answer, *question.options)
    yield "<0.5-1.5 seconds> <tool_call> look start end 0123456789"
