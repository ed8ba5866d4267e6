"""How much memory there is for a context, on the host or on a GPU."""

from __future__ import annotations

import os
from pathlib import Path

import torch

from vidence.errors import UsageError

MEMINFO = Path("/proc/meminfo")
LIMIT, USED = Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory.current")


def available_bytes(device: torch.device) -> int:
    """Return the bytes that can still be allocated: what the driver has free and torch holds unused, or host memory."""
    if device.type == "cuda":
        free, _ = torch.cuda.mem_get_info(device)
        return free + torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
    return min(_machine_bytes(), _container_bytes())


def _machine_bytes() -> int:
    if MEMINFO.is_file():
        for line in MEMINFO.read_text(encoding="ascii").splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")  # elsewhere only the total is told


def _container_bytes() -> int:
    try:
        return max(int(LIMIT.read_text(encoding="ascii")) - int(USED.read_text(encoding="ascii")), 0)
    except (OSError, ValueError):  # no such files, or "max": no limit
        return _machine_bytes()


def chosen_device(name: str) -> torch.device:
    """Return the device of this name; "auto" is a GPU where there is one.

    Raises:
        UsageError: no such device, or it is not here.
    """
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
    except RuntimeError as error:
        raise UsageError(f"--device {name}: no such device; use auto, cpu, cuda or cuda:N") from error
    if device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count():
        raise UsageError(
            f"--device {name}: this machine has {torch.cuda.device_count()} GPUs that torch can use"
        )
    return device
