"""Make a long film out of short clips, with known borders, sound and speech: what the other benchmarks run on."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import cycle
from math import floor
from pathlib import Path

import av
import cv2
import numpy as np

from vidence.media import open_media
from vidence.timeline import Span

VIDEO = {".mp4", ".webm", ".ogv", ".avi", ".mkv", ".mov"}
SOUND_HZ = 48_000


@dataclass(frozen=True, slots=True)
class Piece:
    """Where a clip lies in the film."""

    name: str
    span: Span


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

    `piece_s` cuts each clip to that length. Where a clip has no sound, `speech` is heard. H.264 "veryfast", CRF 26, a
    key frame at least every 250 frames.
    """
    pieces: list[Piece] = []
    with av.open(str(out), "w") as film:
        video = film.add_stream("libx264", rate=fps, options={"preset": "veryfast", "crf": "26"})
        video.width, video.height, video.pix_fmt = *size, "yuv420p"
        video.codec_context.gop_size = 250
        sound = film.add_stream("aac", rate=SOUND_HZ, layout="mono")
        film.start_encoding()
        voices, at = cycle(speech), 0
        for number, path in enumerate(cycle(clips)):
            zoom = 1 + 0.15 * (number // len(clips) % 4)
            start = at
            for picture in _pictures(path, fps, piece_s, length_s * fps - at):
                frame = av.VideoFrame.from_ndarray(_fitted(picture, size, zoom), "rgb24")
                frame.pts, frame.time_base = at, Fraction(1, fps)
                film.mux(video.encode(frame))
                at += 1
            pieces.append(Piece(path.stem, Span(Fraction(start, fps), Fraction(at, fps))))
            voice = next(voices) if speech else None
            for block in _sound(path, voice, Fraction(start, fps), Fraction(at, fps)):
                film.mux(sound.encode(block))
            if at >= length_s * fps:
                break
        film.mux(video.encode(None))
        film.mux(sound.encode(None))
    return pieces


def _pictures(path: Path, fps: int, piece_s: Fraction | None, most: int) -> Iterator[np.ndarray]:
    """Yield the picture on screen at each step of a constant rate."""
    with open_media(path) as media:
        whole = media.info.span
        span = Span(whole.start, min(whole.end, whole.start + piece_s)) if piece_s else whole
        count, shown = 0, None
        for frame in media.frames(span):
            while shown is not None and count < most and span.start + Fraction(count, fps) < frame.time:
                yield shown
                count += 1
            shown = frame.image
        while shown is not None and count < min(most, int(span.duration * fps)):
            yield shown
            count += 1


def _fitted(picture: np.ndarray, size: tuple[int, int], zoom: float) -> np.ndarray:
    """Scale into the frame with black borders, seen `zoom` times closer."""
    width, height = size
    scale = min(width / picture.shape[1], height / picture.shape[0]) * zoom
    big = cv2.resize(
        picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    )
    top, left = max((big.shape[0] - height) // 2, 0), max((big.shape[1] - width) // 2, 0)
    part = big[top : top + height, left : left + width]
    out = np.zeros((height, width, 3), np.uint8)
    y, x = (height - part.shape[0]) // 2, (width - part.shape[1]) // 2
    out[y : y + part.shape[0], x : x + part.shape[1]] = part
    return out


def _sound(path: Path, voice: Path | None, start: Fraction, end: Fraction) -> Iterator[av.AudioFrame]:
    samples = np.zeros(round((end - start) * SOUND_HZ), np.float32)
    with open_media(path) as media:
        source = path if media.info.audio else voice
    if source is not None:
        with open_media(source) as heard:
            _, given = heard.audio(rate_hz=SOUND_HZ)
        given = given[: len(samples)]
        samples[: len(given)] = given
    first = round(start * SOUND_HZ)
    for n in range(0, len(samples), 1024):
        block = av.AudioFrame.from_ndarray(samples[None, n : n + 1024], format="fltp", layout="mono")
        block.sample_rate, block.pts, block.time_base = SOUND_HZ, first + n, Fraction(1, SOUND_HZ)
        yield block
