"""The memory under load: scenes against known borders, search at size, kills and resumption, bytes on disk.

    python benchmarks/indexing.py [--clips ../shared/videos] [--speech ../shared/speech] [--work FOLDER]

Scenes: a film is joined from clips that have nothing to do with each other; each true border between two clips should
be the start of a scene (found within 2 s), and scenes should not begin elsewhere. Two controls: every shot a scene, and
scenes of equal length. Search: sentences made of the film's own words, 100,000 of them, on one medium.
"""

from __future__ import annotations

import argparse
import random
import tempfile
import time
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from common import Bar, write_results
from film import film
from vidence.media import open_media
from vidence.memory import Memory, index
from vidence.senses import default_senses
from vidence.senses.observation import Observation, Producer
from vidence.timeline import Span, windows

NEAR_S = 2
SENTENCES = 100_000


def f1(found: Sequence[Fraction], truth: Sequence[Fraction]) -> tuple[float, float, float]:
    """Return precision, recall and F1 of border times; each true border counts once."""
    hits = sum(any(abs(time - border) <= NEAR_S for time in found) for border in truth)
    right = sum(any(abs(time - border) <= NEAR_S for border in truth) for time in found)
    precision, recall = right / max(len(found), 1), hits / max(len(truth), 1)
    return precision, recall, 2 * precision * recall / max(precision + recall, 1e-9)


def scenes(memory: Memory, medium: str, truth: Sequence[Fraction]) -> list[dict[str, Any]]:
    """Compare scene borders with the truth and with two controls."""
    whole = memory.medium(medium).info.span
    found = {
        "scenes": [scene.span.start for scene in memory.scenes(medium)][1:],
        "control: every shot": [s.span.start for s in memory.observations(medium, senses=["shots"])][1:],
        "control: equal lengths": [w.start for w in windows(whole, whole.duration / (len(truth) + 1))][1:],
    }
    rows = []
    for name, times in found.items():
        precision, recall, both = f1(times, truth)
        rows.append(
            {"what": name, "borders": len(times), "precision": precision, "recall": recall, "f1": both}
        )
    return rows


def searching(folder: Path, source: Path) -> list[dict[str, Any]]:
    """Fill a memory with 100,000 sentences (random vectors: encoding is not what is measured) and search it."""
    dice = random.Random(1)
    words = [
        f"{a}{b}"
        for a in ("ka", "mo", "ri", "tel", "sun", "var")
        for b in ("dor", "nim", "las", "pek", "oth")
    ]
    producer = Producer("speech", "benchmark")
    rng = np.random.default_rng(1)

    def encoder(texts: Sequence[str]) -> np.ndarray:
        rows = rng.normal(size=(len(texts), 512)).astype(np.float32)
        return rows / np.linalg.norm(rows, axis=1, keepdims=True)

    with (
        Memory.open(folder / "large.sqlite", encoders={"language": encoder}) as memory,
        open_media(source) as media,
    ):
        memory.add(media)
        started_s = time.process_time()
        for start in range(0, SENTENCES, 1000):
            spoken = [
                Observation(
                    Span.of(t, t + 1), "speech", producer, " ".join(dice.choices(words, k=8)) + f" {t}"
                )
                for t in range(start, start + 1000)
            ]
            memory.write(media.hash, producer, Span.of(start, start + 1000), spoken)
        written_s = time.process_time() - started_s
        first_s, warm_s = _timed(memory, "kador monim"), [_timed(memory, f"telpek {n}") for n in range(20)]
        size_mb = sum(path.stat().st_size for path in folder.glob("large.sqlite*")) / 2**20
        return [
            {"what": "writing, CPU s for 100,000 sentences", "value": written_s},
            {"what": "first search, CPU s (gathers the vectors)", "value": first_s},
            {"what": "warm search, median CPU s", "value": float(np.median(warm_s))},
            {"what": "file, bytes a sentence with its vector", "value": size_mb * 2**20 / SENTENCES},
        ]


def _timed(memory: Memory, query: str) -> float:
    started_s = time.process_time()
    memory.search(query)
    return time.process_time() - started_s


def main() -> None:
    """Measure and write the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--clips", type=Path, default=Path("../shared/videos"))
    parser.add_argument("--speech", type=Path, default=Path("../shared/speech"))
    parser.add_argument(
        "--work", type=Path, help="keep the film and its memory here (default: a temporary folder)"
    )
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        work = arguments.work or Path(folder)
        work.mkdir(parents=True, exist_ok=True)
        path, pieces = film(work, 10, arguments.clips, arguments.speech)
        with Memory.open(work / "10.sqlite") as memory, open_media(path) as media:
            index(media, memory, default_senses())
            rows = scenes(memory, media.hash, [piece.span.start for piece in pieces[1:]])
        rows += searching(Path(folder), path)
    for row in rows:
        print(row)
    control = max(row["f1"] for row in rows[1:3])
    bars = [
        Bar(
            "F1 of scene borders over the better control",
            rows[0]["f1"] - control,
            "F1",
            ">= 0",
        ),
        Bar("warm search of 100,000 sentences, CPU", rows[5]["value"], "s", "<= 0.5"),
    ]
    write_results("indexing", rows, bars)


if __name__ == "__main__":
    main()
