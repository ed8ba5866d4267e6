"""Measure shot detection: its cost beside a bare decode, and what it finds.

    python benchmarks/shots.py [VIDEO ...] [--repeat 3] [--seconds 60]

In one run and in turns: decode alone (every frame, nothing done with it), decode as the index does it for this sense
(reduced to 80 px), and decode with detection. Medians of process CPU seconds and of the wall clock. Without VIDEO it
writes a film of its own (textured pans, hard cuts every few seconds, 1280 x 720, 30 fps) whose cuts it knows, and
counts those found. The bar: detection with decode costs at most 1.5 times the bare decode.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from common import Bar, write_results
from vidence.media import open_media
from vidence.senses.shots import SIDE, Shots
from vidence.timeline import Span

FPS, SHOT_FRAMES = 30, (40, 75, 121, 90, 64, 150)


def write_film(path: Path, seconds: int) -> list[Fraction]:
    """Write a film of pans over random textures; return the exact times of its cuts."""
    import av

    chance = np.random.default_rng(1)
    cuts: list[Fraction] = []
    with av.open(str(path), "w") as out:
        video = out.add_stream("libx264", rate=FPS, options={"preset": "veryfast", "crf": "26"})
        video.width, video.height, video.pix_fmt = 1280, 720, "yuv420p"
        left, wide, offset = 0, np.empty(0, np.uint8), 0
        for k in range(seconds * FPS):
            if not left:
                left, offset = SHOT_FRAMES[len(cuts) % len(SHOT_FRAMES)], 0
                patches = chance.integers(0, 256, (36, 80, 3)).astype(np.float32)
                wide = cv2.resize(patches, (1600, 720), interpolation=cv2.INTER_CUBIC).clip(0, 255)
                wide = (wide * 0.8 + chance.normal(20, 6, wide.shape)).clip(0, 255).astype(np.uint8)
                cuts.append(Fraction(k, FPS))
            picture = np.ascontiguousarray(wide[:, offset : offset + 1280])
            out.mux(video.encode(av.VideoFrame.from_ndarray(picture, "rgb24")))
            left, offset = left - 1, offset + 2
        out.mux(video.encode(None))
    return cuts[1:]


def bare(path: str, span: Span) -> None:
    """Decode every frame and do nothing with it."""
    import av

    with av.open(path) as container:
        stream = container.streams.best("video")
        assert stream is not None
        stream.thread_type = "AUTO"
        for packet in container.demux(stream):
            for frame in packet.decode():
                if frame.time is not None and frame.time >= span.end:
                    return


def reduced(path: str, span: Span) -> None:
    """Decode every frame to the sense's size."""
    with open_media(path) as media:
        for _ in media.frames(span, max_side=SIDE):
            pass


def detected(path: str, span: Span) -> list[Fraction]:
    """Decode and detect; return the cuts."""
    with open_media(path) as media:
        watcher = Shots().watch(media, span)
        for frame in media.frames(span, max_side=SIDE):
            watcher.see(frame)
        return [shot.span.start for shot in watcher.finish() if shot.data["cut"]]


def measure(job: Callable[[], object]) -> tuple[float, float]:
    """Return (CPU seconds, wall seconds) of one call."""
    cpu_s, wall_s = time.process_time(), time.perf_counter()
    job()
    return time.process_time() - cpu_s, time.perf_counter() - wall_s


def compare(path: str, seconds: int, repeat: int, truth: list[Fraction] | None) -> dict[str, Any]:
    """Measure one video."""
    with open_media(path) as media:
        start = media.info.span.start
        span = Span(start, min(media.info.span.end, start + seconds))
    jobs = {"bare": bare, "reduced": reduced, "detected": detected}
    runs: dict[str, list[tuple[float, float]]] = {name: [] for name in jobs}
    for _ in range(repeat):
        for name, job in jobs.items():
            runs[name].append(measure(lambda job=job: job(path, span)))
    cpu_s = {name: statistics.median(run[0] for run in pairs) for name, pairs in runs.items()}
    wall_s = {name: statistics.median(run[1] for run in pairs) for name, pairs in runs.items()}
    found = detected(path, span)
    row: dict[str, Any] = {"video": Path(path).name, "seconds": round(float(span.duration), 2)}
    row |= {f"{name}_cpu_s": round(value, 3) for name, value in cpu_s.items()}
    row |= {f"{name}_wall_s": round(value, 3) for name, value in wall_s.items()}
    row["cpu_ratio"] = round(cpu_s["detected"] / cpu_s["bare"], 3)
    row["wall_ratio"] = round(wall_s["detected"] / wall_s["bare"], 3)
    row["cuts_s"] = [round(float(cut), 3) for cut in found]
    if truth is not None:
        known = [cut for cut in truth if cut in span]
        row |= {"true_cuts": len(known), "exact": len(set(known) & set(found)), "found": len(found)}
    return row


def main() -> None:
    """Compare each video, print the table and write the results."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("video", nargs="*", help="files to measure; none: a film of known cuts is written")
    parser.add_argument("--repeat", type=int, default=3, help="runs of each kind, in turns")
    parser.add_argument("--seconds", type=int, default=60, help="measure at most so much of each")
    options = parser.parse_args()
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        jobs: list[tuple[str, list[Fraction] | None]] = [(path, None) for path in options.video]
        if not jobs:
            path = Path(folder) / "known_cuts.mp4"
            jobs = [(str(path), write_film(path, options.seconds))]
        for path, truth in jobs:
            rows.append(compare(path, options.seconds, options.repeat, truth))
    worst = max(float(str(row["wall_ratio"])) for row in rows)
    bars = [Bar("decode and detection over bare decode, wall", worst, "ratio", "<= 1.5")]
    bars += [
        Bar("known cuts found to the frame", row["exact"] / row["true_cuts"], "share", ">= 1")
        for row in rows
        if "true_cuts" in row
    ]
    write_results("shots", rows, bars)


if __name__ == "__main__":
    main()
