"""What a frame costs by each way of reaching it: key packet alone, exact seek, sequence; and how well the rule chooses.

    python benchmarks/decode_modes.py [FOLDER] [--minutes 10]

The clips of a folder (default ../shared/videos) are joined into one minute of 1280 x 720 H.264 with a key frame at most
every 250 frames, and that minute is repeated by copying its packets. Frames are asked for at even distances, reduced to
640 pixels. CPU seconds are of this process, all threads; each figure is the least of `--repeat` runs, for other work on
the machine only ever adds. Peak memory is of the process so far and counts the frames that were asked for, all held.
"""

from __future__ import annotations

import argparse
import resource
import tempfile
import time
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import av

from common import Bar, write_results
from film import clips_in, join
from vidence.media import Media, open_media
from vidence.timeline import Instant

SIDE = 640
ASKED = (16, 64, 256, 1024)
BAR_FRAMES = 64


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "folder", nargs="?", type=Path, default=Path(__file__).parents[1] / "../shared/videos"
    )
    parser.add_argument("--minutes", type=int, default=10)
    parser.add_argument("--repeat", type=int, default=2)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as made:
        minute, film = Path(made) / "minute.mp4", Path(made) / "film.mp4"
        join(clips_in(arguments.folder), minute, length_s=60, piece_s=Fraction(5))
        repeated(minute, film, arguments.minutes)
        with open_media(film) as media:
            rows = [opening(film), *reaching(media, arguments.repeat)]
    write_results("decode_modes", rows, bars(rows))


def repeated(minute: Path, film: Path, times: int) -> None:
    """Copy the picture packets of a file again and again, each time a minute later; nothing is encoded anew."""
    with av.open(str(film), "w") as out:
        stream = None
        for number in range(times):
            with av.open(str(minute)) as source:
                track = source.streams.video[0]
                stream = stream or out.add_stream_from_template(track)
                shift = int(60 * number / (track.time_base or 1))
                for packet in source.demux(track):
                    if packet.pts is not None and packet.dts is not None:
                        packet.pts, packet.dts, packet.stream = packet.pts + shift, packet.dts + shift, stream
                        out.mux(packet)


def opening(film: Path) -> dict[str, Any]:
    """Measure what it costs to open, hash and list the times of all frames."""
    with open_media(film) as media:
        return {
            "film": f"{media.info.bytes / 1e6:.0f} MB",
            "seconds": float(media.info.duration),
            "keys": len(media.keyframe_times()),
            "open_cpu_s": cpu(lambda: open_media(film))[0],
            "hash_cpu_s": cpu(lambda: media.hash)[0],
            "times_cpu_s": cpu(lambda: open_media(film).frame_times())[0],
        }


def reaching(media: Media, repeat: int) -> list[dict[str, Any]]:
    """Measure every way at every number of frames, then the whole film in sequence at one frame a second."""
    rows = []
    for count in ASKED:
        times = spread(media, count)
        for way in (keyframe, exact, sequence):
            if way is sequence and count != ASKED[-1]:
                continue
            rows.append(row(media, way, times, repeat))
    return rows


def row(
    media: Media, way: Callable[[Media, list[Instant]], list[Instant]], times: list[Instant], repeat: int
) -> dict[str, Any]:
    """Measure one way of reaching frames."""
    best, off = float("inf"), Fraction(0)
    for _ in range(repeat):
        media.close()
        spent, got = cpu(lambda: way(media, times))
        best = min(best, spent)
        off = max((abs(asked - time) for asked, time in zip(times, got, strict=True)), default=Fraction(0))
    return {
        "way": way.__name__,
        "frames": len(times),
        "cpu_s": best,
        "cpu_ms_a_frame": 1000 * best / len(times),
        "furthest_s": float(off),
        "peak_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
    }


def keyframe(media: Media, times: list[Instant]) -> list[Instant]:
    """Reach key frames by decoding their packets alone."""
    return [frame.time for frame in media.frames_at(times, max_side=SIDE, mode="keyframe")]


def exact(media: Media, times: list[Instant]) -> list[Instant]:
    """Reach the frames on screen; the cost rule seeks or decodes on."""
    return [frame.time for frame in media.frames_at(times, max_side=SIDE, mode="exact")]


def sequence(media: Media, times: list[Instant]) -> list[Instant]:
    """Decode everything and keep what is on screen at each time, without one seek."""
    with media._cursor(times[0]) as cursor:
        cursor._worth_seeking = lambda _: False  # type: ignore[method-assign]
        got = []
        for wanted in times:
            cursor.goto(wanted)
            assert cursor.shown is not None
            cursor.painter.image(cursor.shown.picture, SIDE)
            got.append(cursor.shown.time)
        del cursor._worth_seeking
    return got


def spread(media: Media, count: int) -> list[Instant]:
    """Choose times at even distances, in the middle of their shares."""
    span = media.info.span
    return [span.start + span.duration * Fraction(2 * n + 1, 2 * count) for n in range(count)]


def cpu(work: Callable[[], Any]) -> tuple[float, Any]:
    """Return (CPU seconds of all threads, result)."""
    start = time.process_time()
    result = work()
    return time.process_time() - start, result


def bars(rows: list[dict[str, Any]]) -> list[Bar]:
    """Hold key frames against exact ones, and many exact ones against decoding everything."""

    def spent(way: str, frames: int) -> float:
        return next(r["cpu_s"] for r in rows if r.get("way") == way and r["frames"] == frames)

    most = ASKED[-1]
    return [
        Bar(
            f"{BAR_FRAMES} key frames over {BAR_FRAMES} exact ones, CPU",
            spent("keyframe", BAR_FRAMES) / spent("exact", BAR_FRAMES),
            "ratio",
            "<= 0.1",
        ),
        Bar(
            f"{most} exact frames by the rule over one whole sequence, CPU",
            spent("exact", most) / spent("sequence", most),
            "ratio",
            "<= 1.1",
        ),
        Bar(f"peak memory, {most} frames held", max(r.get("peak_mb", 0) for r in rows), "MB", "reported"),
    ]


if __name__ == "__main__":
    main()
