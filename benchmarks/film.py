"""Make a long film out of short clips, with known borders, sound and speech: what the other benchmarks run on."""

from __future__ import annotations

import json
from collections.abc import Sequence
from fractions import Fraction
from itertools import cycle
from itertools import repeat as repeat_one
from math import floor
from pathlib import Path

import av

from vidence.evaluation.films import ClipReel, Piece, write_film
from vidence.timeline import Span

VIDEO = {".mp4", ".webm", ".ogv", ".avi", ".mkv", ".mov"}


def clips_in(folder: Path) -> list[Path]:
    """Return the video files of a folder, by name."""
    return sorted(path for path in folder.iterdir() if path.suffix in VIDEO)


def film(work: Path, minutes: int, clips: Path, speech: Path) -> tuple[Path, list[Piece]]:
    """Return a film of that length and its true borders; made once, and kept in `work` with a list beside it."""
    out, listed = work / f"{minutes}.mp4", work / f"{minutes}.json"
    if not listed.exists():
        voices = sorted(speech.glob("*.wav"))
        pieces = join(clips_in(clips), out, length_s=60 * minutes, speech=voices)
        truth = [[piece.name, str(piece.span.start), str(piece.span.end)] for piece in pieces]
        listed.write_text(json.dumps(truth, indent=1))
    pieces = json.loads(listed.read_text())
    return out, [Piece(name, Span(Fraction(start), Fraction(end))) for name, start, end in pieces]


def repeat(once: Path, out: Path, times: int) -> None:
    """Write a film shown `times` over, by copying its packets: an hour out of ten minutes without encoding it."""
    with av.open(str(out), "w") as film:
        streams: dict[int, av.stream.Stream] = {}
        length = Fraction(0)
        for _ in range(times):
            with av.open(str(once)) as source:
                for stream in source.streams:
                    if stream.index not in streams:
                        streams[stream.index] = film.add_stream_from_template(stream)
                ended = length
                for packet in source.demux():
                    if packet.dts is None or packet.pts is None or packet.time_base is None:
                        continue
                    shift = int(length / packet.time_base)
                    packet.pts, packet.dts = packet.pts + shift, packet.dts + shift
                    ended = max(ended, (packet.pts + (packet.duration or 0)) * packet.time_base)
                    packet.stream = streams[packet.stream_index]
                    film.mux(packet)
                length = Fraction(floor(ended) + 1)  # clear of what the encoders placed before their zero


def join(
    clips: Sequence[Path],
    out: Path,
    *,
    length_s: int,
    size: tuple[int, int] = (1280, 720),
    fps: int = 30,
    piece_s: Fraction | None = None,
    speech: Sequence[Path] = (),
) -> list[Piece]:
    """Write a film of `length_s` seconds: the clips one after the other, again and again, each time seen closer.

    `piece_s` cuts each clip to that length. Where a clip has no sound, `speech` is heard.
    """
    voices = cycle(speech) if speech else repeat_one(None)
    reels = (
        ClipReel(path, 1 + 0.15 * (number // len(clips) % 4), piece_s, voice)
        for (number, path), voice in zip(enumerate(cycle(clips)), voices, strict=False)
    )
    return write_film(reels, out, size=size, fps=fps, length_s=length_s)
