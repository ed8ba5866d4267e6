"""Exact time: pictures come back at the very times that ffprobe gives, however they are reached.

    python benchmarks/exact_time.py [FOLDER]

Every clip of a folder (default ../shared/videos), and clips written here with variable rate, start offsets, reordered
pictures and edit lists, is read in sequence, by exact seek to shuffled times, and from its packets alone. The times are
held against `ffprobe -show_frames`, and each picture reached by a seek against the same picture reached in sequence.
One frame of error is one picture that is not the one that should be on screen.

Generated pictures show their number, so for them a second truth is known: the time at which each was written, up to one
shift of the container's clock ("written"). ffprobe gives some program streams times that run backwards ("backwards"
counts them); no timeline can agree with those, so there the written times are the reference, and the row says so.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import random
import shutil
import subprocess
import sys
import tempfile
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

from common import Bar, write_results
from vidence.errors import MediaError
from vidence.media import Media, open_media
from vidence.timeline import Instant

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from conftest import read_number, write_video

SEEKS = 40
VARIABLE = [Fraction(n * 33 + (n * n * 7) % 29, 1000) for n in range(200)]
GENERATED: dict[str, dict[str, Any]] = {
    "variable.mp4": {"times": VARIABLE, "time_base": Fraction(1, 1000), "b_frames": 2},
    "variable.mkv": {"times": VARIABLE, "time_base": Fraction(1, 1000), "b_frames": 2},
    "variable.webm": {
        "times": VARIABLE,
        "time_base": Fraction(1, 1000),
        "codec": "libvpx-vp9",
        "options": {"deadline": "realtime", "cpu-used": "8"},
    },
    "ntsc.mp4": {"fps": Fraction(30000, 1001), "frames": 200, "b_frames": 3, "gop": 48},
    "late.mp4": {"start": Fraction(5, 2), "frames": 200, "tone_hz": 440, "b_frames": 2},
    "late.mkv": {"start": Fraction(5, 2), "frames": 200, "b_frames": 2},
    "cut_by_edit_list.mp4": {"start": Fraction(-1, 2), "frames": 200},
    "stream.ts": {"frames": 200, "tone_hz": 440, "b_frames": 2},
    "mpeg2.ts": {"codec": "mpeg2video", "frames": 200, "b_frames": 2},
    "program.mpg": {"codec": "mpeg2video", "frames": 200, "b_frames": 2},
    "reordered.avi": {"frames": 200, "b_frames": 2},
    "open_gop.mkv": {
        "frames": 200,
        "b_frames": 3,
        "options": {"x264-params": "open-gop=1:scenecut=0", "preset": "medium"},
    },
    "one_fps.mp4": {"fps": 1, "frames": 60},
    "fast_240.mp4": {"fps": 240, "frames": 480},
}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "folder", nargs="?", type=Path, default=Path(__file__).parents[1] / "../shared/videos"
    )
    folder: Path = parser.parse_args().folder
    if shutil.which("ffprobe") is None:
        sys.exit(
            "exact_time: ffprobe is not installed, and it is the reference here; install ffmpeg and run again"
        )
    clips = sorted(
        path for path in folder.glob("*") if path.suffix in (".mp4", ".ogv", ".webm", ".avi", ".mkv")
    )
    if not clips:
        print(f"exact_time: no clips in {folder}; only generated ones are read", file=sys.stderr)
    with tempfile.TemporaryDirectory() as made:
        written = [write_video(Path(made) / name, **how) for name, how in GENERATED.items()]
        rows = [compare(path, generated=path in written) for path in [*clips, *written]]
    errors = sum(row["sequence"] + row["packets"] + row["sought"] + row["ends"] for row in rows)
    off = sum(row["written"] or 0 for row in rows)
    checked = sum(row["frames"] * 2 + row["seeks"] for row in rows)
    bars = [
        Bar("frames in error against the reference (ffprobe, or see below)", errors, "frames", "== 0"),
        Bar("generated frames not at the time they were written", off, "frames", "== 0"),
        Bar(
            "clips whose ffprobe times run backwards (held against written times)",
            sum(r["backwards"] > 0 for r in rows),
            "clips",
            "reported",
        ),
        Bar("frames compared", checked, "frames", "reported"),
    ]
    write_results("exact_time", rows, bars)


def compare(path: Path, *, generated: bool) -> dict[str, Any]:
    """Count, for one clip, the frames in error: in sequence, from packets, by seeking, and at both ends."""
    with open_media(path) as media:
        if media.info.video is None:
            raise MediaError(f"{path}: has no video")
        told = reference(path, media.info.video.index)
        backwards = sum(a >= b for a, b in pairwise(told))
        frames = [
            (frame.time, digest(frame.image), read_number(frame.image))
            for frame in media.frames(max_side=160)
        ]
        got = [time for time, _, _ in frames]
        written = as_written(path.name, [number for _, _, number in frames], told[0]) if generated else None
        truth = written if written is not None and backwards else told
        pictures = {time: picture for time, picture, _ in frames}
        asked = _times(truth)
        return {
            "clip": path.name,
            "kind": "generated" if generated else "given",
            "reference": "written" if truth is written else "ffprobe",
            "frames": len(truth),
            "seeks": len(asked),
            "backwards": backwards,
            "sequence": _unlike(got, truth),
            "packets": _unlike(media.frame_times(), truth),
            "sought": sum(not _same(media, time, truth, pictures) for time in asked),
            "ends": int(media.info.span.start > truth[0]) + int(media.info.span.end < truth[-1]),
            "written": None if written is None else sum(a != b for a, b in zip(got, written, strict=False)),
        }


def as_written(name: str, numbers: list[int], first: Instant) -> list[Instant]:
    """Return when each picture was written, moved so that the first is at `first`; rounded as the container rounds."""
    how = GENERATED[name]
    times = how.get("times") or [n / Fraction(how.get("fps", 25)) for n in range(how.get("frames", 50))]
    return [first + times[n] - times[numbers[0]] for n in range(numbers[0], len(times))]


def reference(path: Path, stream: int) -> list[Instant]:
    """Read every picture's presentation time with ffprobe, exactly (ticks and time base, not decimals)."""
    command = ["ffprobe", "-v", "error", "-select_streams", str(stream), "-of", "json"]
    command += ["-show_entries", "stream=time_base:frame=best_effort_timestamp", str(path)]
    told = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    base = Fraction(told["streams"][0]["time_base"])
    times: list[Instant] = []
    for frame in told["frames"]:
        ticks = frame.get("best_effort_timestamp")
        # The last reordered pictures of an AVI or program stream have no time: there the distance before is kept.
        times.append(2 * times[-1] - times[-2] if ticks is None else int(ticks) * base)
    return times


def _times(truth: list[Instant]) -> list[Instant]:
    """Choose times at, between and beyond the pictures, in no order."""
    chance = random.Random(7)
    at = [chance.choice(truth) for _ in range(SEEKS // 2)]
    between = [a + (b - a) * Fraction(chance.randint(1, 99), 100) for a, b in _pairs(truth, chance)]
    return [*at, *between, truth[0] - 1, truth[-1] + 1]


def _pairs(truth: list[Instant], chance: random.Random) -> list[tuple[Instant, Instant]]:
    return [(truth[n], truth[n + 1]) for n in (chance.randrange(len(truth) - 1) for _ in range(SEEKS // 2))]


def _same(media: Media, time: Instant, truth: list[Instant], pictures: dict[Instant, str]) -> bool:
    expected = max((shown for shown in truth if shown <= time), default=truth[0])
    (frame,) = media.frames_at([time], max_side=160, mode="exact")
    return frame.time == expected and digest(frame.image) == pictures.get(expected)


def _unlike(got: list[Instant], truth: list[Instant]) -> int:
    return len(set(got) ^ set(truth)) + abs(len(got) - len(truth))


def digest(image: Any) -> str:
    """Tell one picture from another."""
    return hashlib.sha256(image.tobytes()).hexdigest()


if __name__ == "__main__":
    main()
