"""Cost and yield of the senses of things and faces on a folder of films.

    python benchmarks/objects.py [FOLDER] [--sheet out.png]

CPU seconds for ten minutes of film by sense, and how many tracks are believed at 0.6. `--sheet` draws the middle look
of each believed track, so that precision can be judged by eye: no film here has boxes to compare with.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import cv2
import numpy as np

from common import Bar, write_results
from vidence.media import Media, open_media
from vidence.senses import SEGMENT_S, VisualSense
from vidence.senses.faces import Faces
from vidence.senses.objects import Objects
from vidence.senses.observation import Observation
from vidence.timeline import Span, instant, windows

BELIEVED = 0.6


def perceive(media: Media, sense: VisualSense) -> tuple[list[Observation], float]:
    """Return what a sense perceives in a whole film, and the CPU seconds that it spent (without decoding)."""
    found: list[Observation] = []
    spent_s, sampling, whole = 0.0, sense.sampling, media.info.span
    for segment in windows(whole, SEGMENT_S):
        watcher = sense.watch(media, segment)
        shown = Span(max(whole.start, segment.start - instant(sampling.lead_s)), segment.end)
        for frame in media.frames(shown, rate_hz=sampling.rate_hz, max_side=sampling.max_side):
            started_s = time.process_time()
            watcher.see(frame)
            spent_s += time.process_time() - started_s
        started_s = time.process_time()
        found += watcher.finish()
        spent_s += time.process_time() - started_s
    return found, spent_s


def picture(media: Media, seen: Observation) -> np.ndarray:
    """Draw one observation at the middle of its track."""
    time_, box = seen.track[len(seen.track) // 2]
    image = cv2.resize(media.frames_at([time_], max_side=640)[0].image, (300, 200))
    corners = [(int(x * 300), int(y * 200)) for x, y in ((box.x, box.y), (box.x + box.w, box.y + box.h))]
    cv2.rectangle(image, corners[0], corners[1], (255, 0, 0), 2)
    cv2.putText(image, f"{seen.text} {seen.confidence:.2f}", (4, 194), 0, 0.5, (0, 255, 0), 1)
    return image


def main() -> None:
    """Run over all films of the folder."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", nargs="?", default="../shared/videos", type=Path)
    parser.add_argument("--sheet", type=Path)
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    senses: list[VisualSense] = [Objects(), Faces()]
    tiles: list[np.ndarray] = []
    rows: list[dict[str, object]] = []
    spent_all_s, media_all_s = dict.fromkeys((sense.name for sense in senses), 0.0), 0.0
    for path in sorted(arguments.folder.iterdir()):
        if path.suffix not in {".mp4", ".webm", ".avi", ".ogv", ".mkv", ".mov"}:
            continue
        with open_media(path) as media:
            row: dict[str, object] = {"film": path.name, "seconds": float(media.info.duration)}
            media_all_s += float(media.info.duration)
            for sense in senses:
                found, spent_s = perceive(media, sense)
                believed = [one for one in found if one.confidence >= BELIEVED]
                row[f"{sense.name}_cpu_s_per_10_min"] = spent_s / float(media.info.duration) * 600
                row[f"{sense.name}_believed"], row[f"{sense.name}_tracks"] = len(believed), len(found)
                spent_all_s[sense.name] += spent_s
                tiles += [picture(media, one) for one in believed]
            rows.append(row)
    if arguments.sheet and tiles:
        tiles += [np.zeros_like(tiles[0])] * (-len(tiles) % 6)
        sheet = [np.hstack(tiles[start : start + 6]) for start in range(0, len(tiles), 6)]
        cv2.imwrite(str(arguments.sheet), np.vstack(sheet)[:, :, ::-1])
    bars = [
        Bar(
            f"{name}: CPU seconds for ten minutes of film",
            600 * spent_s / max(media_all_s, 1e-9),
            "s",
            "reported",
        )
        for name, spent_s in spent_all_s.items()
    ]
    write_results("objects", rows, bars)


if __name__ == "__main__":
    main()
