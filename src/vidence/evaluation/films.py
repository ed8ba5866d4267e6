"""Films of several pieces, one after the other: clips, and generated scenes between them.

Pictures are fitted into the film's size with black borders, sound is mono at 48 kHz.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Protocol

import av
import numpy as np

from vidence.media import open_media
from vidence.media.drawn import add_drawn
from vidence.timeline import Span
from vidence.worlds import World

SOUND_HZ = 48_000
Told = Callable[[str, float, float | None], None]


@dataclass(frozen=True, slots=True)
class Piece:
    """Where a reel lies in the film."""

    name: str
    span: Span


class Reel(Protocol):
    """What a piece is made of."""

    @property
    def name(self) -> str:
        """What it is called in the film's list."""
        ...

    def pictures(self, fps: int, size: tuple[int, int]) -> Iterator[np.ndarray]:
        """Yield its pictures at a constant rate: uint8 (H, W, 3), of the film's (W, H) or to be fitted into it."""
        ...

    def sound(self, duration: Fraction) -> np.ndarray:
        """Return so many seconds of mono float32 at `SOUND_HZ`."""
        ...


@dataclass(frozen=True, slots=True)
class ClipReel:
    """A video file, seen `zoom` times closer; `seconds` cuts it, and `voice` is heard where it has no sound."""

    path: Path
    zoom: float = 1.0
    seconds: Fraction | None = None
    voice: Path | None = None

    @property
    def name(self) -> str:
        """Return the file's stem."""
        return self.path.stem

    def pictures(self, fps: int, size: tuple[int, int]) -> Iterator[np.ndarray]:
        """Yield the picture that is on screen at each step."""
        with open_media(self.path) as media:
            whole = media.info.span
            end = whole.end if self.seconds is None else min(whole.end, whole.start + self.seconds)
            span = Span(whole.start, end)
            count, shown = 0, None
            for frame in media.frames(span):
                while shown is not None and span.start + Fraction(count, fps) < frame.time:
                    yield shown
                    count += 1
                shown = fitted(frame.image, size, self.zoom)
            while shown is not None and count < int(span.duration * fps):
                yield shown
                count += 1

    def sound(self, duration: Fraction) -> np.ndarray:
        """Return its own sound, or the voice's."""
        samples = np.zeros(round(duration * SOUND_HZ), np.float32)
        with open_media(self.path) as media:
            source = self.path if media.info.audio else self.voice
        if source is not None:
            with open_media(source) as heard:
                _, given = heard.audio(rate_hz=SOUND_HZ)
            given = given[: len(samples)]
            samples[: len(given)] = given
        return samples


@dataclass(frozen=True, slots=True)
class WorldReel:
    """A generated world."""

    world: World

    @property
    def name(self) -> str:
        """Return its seed."""
        return f"world {self.world.seed}"

    def pictures(self, fps: int, size: tuple[int, int]) -> Iterator[np.ndarray]:
        """Draw it, at the film's size."""
        for number in range(int(self.world.setting.duration * fps)):
            yield self.world.frame(Fraction(number, fps), size=size)

    def sound(self, duration: Fraction) -> np.ndarray:
        """Return what is said in it."""
        from vidence.worlds.write import heard

        spoken = np.repeat(np.concatenate([*heard(self.world)]), 2)  # from 24 kHz
        samples = np.zeros(round(duration * SOUND_HZ), np.float32)
        samples[: len(spoken)] = spoken[: len(samples)]
        return samples


def write_film(
    reels: Iterable[Reel],
    out: Path,
    *,
    size: tuple[int, int] = (1280, 720),
    fps: int = 30,
    length_s: int | None = None,
    told: Told | None = None,
) -> list[Piece]:
    """Write reels one after the other, until `length_s` seconds are full where it is given; return where each lies."""
    pieces: list[Piece] = []
    most = None if length_s is None else length_s * fps
    part = out.with_name(f".{out.name}.part")
    with av.open(str(part), "w", format="mp4") as film:
        video = add_drawn(film, size, fps, crf=26)
        sound = film.add_stream("aac", rate=SOUND_HZ, layout="mono")
        film.start_encoding()
        at = 0
        for reel in reels:
            start = at
            for picture in reel.pictures(fps, size):
                if at == most:
                    break
                film.mux(video.packets(at, picture))
                at += 1
                if told is not None and at % fps == 0:
                    told("writing", at / fps, length_s)
            span = Span(Fraction(start, fps), Fraction(at, fps))
            pieces.append(Piece(reel.name, span))
            for block in _blocks(reel.sound(span.duration), round(span.start * SOUND_HZ)):
                film.mux(sound.encode(block))
            if at == most:
                break
        film.mux(video.rest())
        film.mux(sound.encode(None))
    part.replace(out)
    return pieces


def fitted(picture: np.ndarray, size: tuple[int, int], zoom: float = 1.0) -> np.ndarray:
    """Scale a picture into (W, H) with black borders, seen `zoom` times closer."""
    import cv2

    width, height = size
    scale = min(width / picture.shape[1], height / picture.shape[0]) * zoom
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    big = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=how)
    top, left = max((big.shape[0] - height) // 2, 0), max((big.shape[1] - width) // 2, 0)
    inner = big[top : top + height, left : left + width]
    out = np.zeros((height, width, 3), np.uint8)
    y, x = (height - inner.shape[0]) // 2, (width - inner.shape[1]) // 2
    out[y : y + inner.shape[0], x : x + inner.shape[1]] = inner
    return out


def _blocks(samples: np.ndarray, first: int) -> Iterator[av.AudioFrame]:
    for n in range(0, len(samples), 1024):
        block = av.AudioFrame.from_ndarray(samples[None, n : n + 1024], format="fltp", layout="mono")
        block.sample_rate, block.pts, block.time_base = SOUND_HZ, first + n, Fraction(1, SOUND_HZ)
        yield block
