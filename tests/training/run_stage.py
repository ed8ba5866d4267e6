"""Run a stage from a file, in as many processes as were started: `run_stage.py STAGE CONFIG`."""

from __future__ import annotations

import sys
from pathlib import Path

import torch

from vidence.training.config import read_config
from vidence.training.loop import train

if __name__ == "__main__":
    torch.set_num_threads(1)
    train(sys.argv[1], read_config(Path(sys.argv[2])))
