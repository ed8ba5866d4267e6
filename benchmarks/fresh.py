"""A fresh machine: `make demo` and `make test` from a clone, timed, with what they fetch.

    python benchmarks/fresh.py [--warm]

The clone gets a package cache and a model cache of its own, both empty, so that every byte is fetched anew
(`--warm` keeps this user's caches). Bytes are what the machine's network interfaces received meanwhile, the loopback
left out: on a machine busy with other transfers they are too many.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

from common import Bar, write_results

ROOT = Path(__file__).resolve().parents[1]
STEPS = ("demo", "test")
_CACHES = {"PIP_CACHE_DIR": "pip", "XDG_CACHE_HOME": "cache", "XDG_DATA_HOME": "data"}


def received_bytes() -> int:
    """Return what all interfaces but the loopback have received since the machine started (Linux)."""
    lines = Path("/proc/net/dev").read_text().splitlines()[2:]
    return sum(
        int(fields[0])
        for name, fields in ((line.split(":")[0].strip(), line.split(":")[1].split()) for line in lines)
        if name != "lo"
    )


def environment(folder: Path, *, warm: bool) -> dict[str, str]:
    """Return this process's environment without its virtual environment and, unless `warm`, without its caches."""
    kept = {k: v for k, v in os.environ.items() if k not in ("VIRTUAL_ENV", "PYTHONHOME", "PYTHONPATH")}
    if warm:
        return kept
    kept = {k: v for k, v in kept.items() if not k.startswith("VIDENCE_")}
    return kept | {name: str(folder / place) for name, place in _CACHES.items()}


def make(step: str, clone: Path, env: dict[str, str]) -> dict[str, Any]:
    """Run one target of the Makefile, and keep its last lines."""
    began_s, before = time.perf_counter(), received_bytes()
    done = subprocess.run(
        ["make", step],
        cwd=clone,
        env=env,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    row = {
        "step": f"make {step}",
        "exit": done.returncode,
        "minutes": round((time.perf_counter() - began_s) / 60, 2),
        "megabytes_received": round((received_bytes() - before) / 1e6, 1),
        "megabytes_on_disk": round(_size(clone / ".venv") / 1e6, 1),
        "last_line": (done.stdout.strip().splitlines() or [""])[-1],
    }
    if done.returncode:
        print(done.stdout[-4000:], done.stderr[-4000:], sep="\n")
    return row


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file() and not path.is_symlink())


def main() -> None:
    """Clone, make, measure, and write the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--warm", action="store_true", help="keep this user's package and model caches")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        clone = folder / "vidence"
        subprocess.run(["git", "clone", "--quiet", str(ROOT), str(clone)], check=True)
        env = environment(folder, warm=arguments.warm)
        rows = [make(step, clone, env) for step in STEPS]
    bars = [Bar(f"{row['step']}: exit status", row["exit"], "", "== 0") for row in rows]
    bars += [Bar(f"{row['step']}: time", row["minutes"], "min", "reported") for row in rows]
    bars += [Bar(f"{row['step']}: received", row["megabytes_received"], "MB", "reported") for row in rows]
    bars.append(Bar("make test: time, within the hour", rows[-1]["minutes"], "min", "<= 60"))
    write_results("fresh-warm" if arguments.warm else "fresh", rows, bars)


if __name__ == "__main__":
    main()
