"""How much footage each application gets through in an hour: from nothing, and once its videos are in memory.

The command itself, on the clock, with its start, its checks, and a page of each video. The footage is what each is for:
still cameras for watching, lectures with slides that are heard for studying, all clips for moderating and cataloguing.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from common import Bar
from vidence.media import open_media
from vidence.worlds.lecture import Lecture, keys

STILL = ("opencv_vtest.avi", "intel_car.mp4", "intel_bottle.mp4")
ENDINGS = {".mp4", ".webm", ".avi", ".ogv"}


def measure(videos: Path, memory: Path) -> tuple[list[dict[str, Any]], list[Bar]]:
    """Return the rows and bars."""
    del memory  # what was perceived before would not be timed
    clips = sorted(path for path in videos.iterdir() if path.suffix in ENDINGS)
    rows = list[dict[str, Any]]()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        footage = {
            "moderate": clips,
            "study": _lectures(folder),
            "watch": [videos / name for name in STILL],
            "catalogue": clips,
        }
        for app, files in footage.items():
            media_s = sum(_length_s(path) for path in files)
            spent = {how: _run(app, files, folder) for how in ("from nothing", "from memory")}
            rows += [
                {"application": app, "how": how, "videos": len(files), "footage_s": media_s, "wall_s": wall_s,
                 "hours_an_hour": media_s / wall_s}
                for how, wall_s in spent.items()
            ]  # fmt: skip
    return rows, [
        Bar(
            f"{row['application']}, {row['how']}: hours of footage an hour",
            row["hours_an_hour"],
            "",
            "reported",
        )
        for row in rows
    ]


def _lectures(folder: Path) -> list[Path]:
    """Write two lectures that are heard."""
    paths = []
    for key in sorted(keys())[:2]:
        paths.append(folder / f"{key}.mp4")
        Lecture.of(key).write(paths[-1], sound=True, subtitles=False)
    return paths


def _run(app: str, files: list[Path], folder: Path) -> float:
    """Return how many seconds the command takes, with the memory that it made before where it did."""
    pages = folder / app
    pages.mkdir(exist_ok=True)
    command = [sys.executable, "-m", "vidence", app, *map(str, files), "--quiet"]
    began = time.monotonic()
    ended = subprocess.run(
        [*command, "--memory", str(folder / f"{app}.sqlite"), "--html", str(pages)],
        capture_output=True,
        text=True,
    )
    if ended.returncode not in (0, 1):
        raise RuntimeError(f"vidence {app}: {ended.stderr}")
    return time.monotonic() - began


def _length_s(path: Path) -> float:
    with open_media(path) as media:
        return float(media.info.duration)
