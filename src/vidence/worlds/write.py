"""Writes a world as a video file, with its subtitles and its record beside it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from vidence.errors import UsageError
from vidence.media.drawn import add_drawn
from vidence.worlds import speech
from vidence.worlds.event import Line
from vidence.worlds.record import subtitles, to_json

if TYPE_CHECKING:
    from vidence.worlds.world import World

Tell = Callable[[str, float, float | None], None]
"""Called with (what, seconds done, seconds in all)."""

BLOCK = 1024  # samples of one AAC frame


@dataclass(frozen=True, slots=True)
class WrittenWorld:
    """The files of a world. `sound` says how lines were made audible: "espeak-ng", "tones" or "none"."""

    video: Path
    record: Path
    subtitles: Path | None
    sound: str
    frames: int


def write_world(
    world: World, path: str | Path, *, sound: bool = True, tell: Tell | None = None
) -> WrittenWorld:
    """Write H.264 (and AAC) as MP4, NAME.json, and NAME.srt where something is said; in constant memory.

    Raises:
        UsageError: the name is no .mp4, or the size is odd, which H.264 cannot hold.
    """
    path = Path(path)
    width, height = world.setting.size
    if path.suffix.lower() != ".mp4":
        raise UsageError(f"{path}: worlds are written as MP4; give a name that ends in .mp4")
    if width % 2 or height % 2:
        raise UsageError(f"size {width}x{height} is odd; H.264 needs even sizes")
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.part")
    try:
        frames = _encode(world, partial, sound, tell or _nothing)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
    record = path.with_suffix(".json")
    record.write_text(json.dumps(to_json(world), ensure_ascii=False, indent=1), encoding="utf-8")
    lines = path.with_suffix(".srt") if world.lines else None
    if lines is not None:
        lines.write_text(subtitles(world), encoding="utf-8")
    said = "none" if not sound or not world.lines else "espeak-ng" if speech.program() else "tones"
    return WrittenWorld(path, record, lines, said, frames)


def _encode(world: World, path: Path, sound: bool, tell: Tell) -> int:
    total_s = float(world.setting.duration)

    def drawn() -> Iterator[np.ndarray]:
        for number, time in enumerate(world.frame_times()):
            yield world.frame(time)
            if number % 100 == 0:
                tell("frames", float(time), total_s)

    blocks = heard(world) if sound else iter(())
    count = encode(path, world.setting.size, Fraction(world.setting.rate_hz), drawn(), blocks, sound=sound)
    tell("frames", total_s, total_s)
    return count


def encode(
    path: Path,
    size: tuple[int, int],
    rate: Fraction,
    pictures: Iterable[np.ndarray],
    blocks: Iterator[np.ndarray],
    *,
    sound: bool,
) -> int:
    """Write pictures (uint8 RGB) and blocks of sound as MP4, side by side; return the number of pictures."""
    import av

    count = 0
    with av.open(str(path), "w", format="mp4") as out:
        video = add_drawn(out, size, rate, crf=18, threads=1)  # with one, bytes are the same everywhere
        audio: Any = out.add_stream("aac", rate=speech.SOUND_HZ, layout="mono") if sound else None
        sent = 0
        for number, picture in enumerate(pictures):
            out.mux(video.packets(number, picture))
            count += 1
            while audio is not None and sent < (number + 1) / rate * speech.SOUND_HZ:
                sent += _hear(out, audio, next(blocks, None), sent)
        out.mux(video.rest())
        if audio is not None:
            out.mux(audio.encode(None))
    return count


def _hear(out: Any, audio: Any, block: np.ndarray | None, start: int) -> int:
    """Encode one block at a sample; return its length (more than any world where nothing is left)."""
    import av

    if block is None:
        return 1 << 60
    frame = av.AudioFrame.from_ndarray(block[None], format="fltp", layout="mono")
    frame.sample_rate, frame.pts, frame.time_base = speech.SOUND_HZ, start, Fraction(1, speech.SOUND_HZ)
    out.mux(audio.encode(frame))
    return len(block)


def heard(world: World) -> Iterator[np.ndarray]:
    """Give the whole sound of a world block by block."""
    return hear_lines(world.lines, world.setting.duration)


def hear_lines(lines: Sequence[Line], length_s: Fraction) -> Iterator[np.ndarray]:
    """Give the sound of spoken lines block by block; a line is made when it begins and let go when it ends."""
    total = int(length_s * speech.SOUND_HZ)
    waiting: list[Line] = sorted(lines, key=lambda line: line.span)[::-1]
    playing: list[tuple[int, np.ndarray]] = []
    for start in range(0, total, BLOCK):
        block = np.zeros(min(BLOCK, total - start), np.float32)
        while waiting and int(waiting[-1].span.start * speech.SOUND_HZ) < start + len(block):
            line = waiting.pop()
            playing.append((int(line.span.start * speech.SOUND_HZ), speech.spoken(line)))
        for first, sound in playing:
            into = max(first - start, 0)
            part = sound[max(start - first, 0) : start + len(block) - first]
            block[into : into + len(part)] += part
        playing = [one for one in playing if one[0] + len(one[1]) > start + len(block)]
        yield block


def _nothing(what: str, done: float, total: float | None) -> None:
    del what, done, total
