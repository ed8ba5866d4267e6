"""Make a film whose content is known to the frame: real clips and real speech, joined by title cards.

    python examples/film.py film.mp4

Legend: H height, W width; frames are uint8 RGB, shape (H, W, 3).
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Literal

import numpy as np

FPS = 25
WIDTH, HEIGHT = 640, 360
SOUND_HZ = 48_000
INK, PAPER = (245, 240, 225), (24, 30, 44)

Clip = Literal["demo-bikes", "demo-rabbit", "demo-carphone"]


@dataclass(frozen=True, slots=True)
class Part:
    """A stretch of the film: a card (when `lines` are given) or a clip played at `speed`, looped to fill."""

    seconds: int
    lines: tuple[str, ...] = ()
    clip: Clip | None = None
    speed: Fraction = Fraction(1)


INTERMISSION = Part(5, ("INTERMISSION",))

PARTS = (
    Part(6, ("A FILM OF KNOWN CONTENT", "for checking answers")),
    Part(20, clip="demo-bikes", speed=Fraction(1, 2)),
    INTERMISSION,
    Part(21, clip="demo-rabbit", speed=Fraction(1, 4)),
    INTERMISSION,
    Part(16, clip="demo-carphone", speed=Fraction(1, 4)),
    Part(8, ("DEPARTURES", "Oslo   14:35   Platform 9")),
    Part(10, clip="demo-bikes"),
    INTERMISSION,
    Part(16, clip="demo-rabbit", speed=Fraction(1, 3)),
    Part(6, ("THE END",)),
)

SPEECH = ((8, "demo-two-cities"), (86, "demo-beckett"))
"""(second at which it begins, recording)."""


def spans(wanted: str) -> list[tuple[int, int]]:
    """Return when a clip, or a card with this line, is on screen: (first second, second after the last)."""
    found, start = [], 0
    for part in PARTS:
        if wanted == part.clip or wanted in part.lines:
            found.append((start, start + part.seconds))
        start += part.seconds
    return found


def make_film(path: Path) -> Path:
    """Write the film as H.264 and AAC in MP4, fetching its parts on first use.

    Raises:
        WeightsError: a part cannot be fetched.
    """
    import av

    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}")
    with av.open(str(partial), "w", format="mp4") as out:
        video = out.add_stream("libx264", rate=FPS, options={"preset": "veryfast", "crf": "21"})
        video.width, video.height, video.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        audio = out.add_stream("aac", rate=SOUND_HZ, layout="mono")
        for number, picture in enumerate(_pictures()):
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            frame.pts, frame.time_base = number, Fraction(1, FPS)
            out.mux(video.encode(frame))
        out.mux(video.encode(None))
        for start, block in _blocks(_sound()):
            frame = av.AudioFrame.from_ndarray(block[None], format="fltp", layout="mono")
            frame.sample_rate, frame.pts, frame.time_base = SOUND_HZ, start, Fraction(1, SOUND_HZ)
            out.mux(audio.encode(frame))
        out.mux(audio.encode(None))
    return partial.replace(path)


def _pictures() -> Iterator[np.ndarray]:
    for part in PARTS:
        if part.clip is None:
            card = _card(part.lines)
            yield from (card for _ in range(part.seconds * FPS))
        else:
            frames, rate = _clip_frames(part.clip)
            for number in range(part.seconds * FPS):
                yield frames[int(number * part.speed * rate / FPS) % len(frames)]


def _card(lines: tuple[str, ...]) -> np.ndarray:
    from PIL import Image, ImageDraw, ImageFont

    card = Image.new("RGB", (WIDTH, HEIGHT), PAPER)
    draw = ImageDraw.Draw(card)
    for row, line in enumerate(lines):
        font = ImageFont.load_default(size=44 if row == 0 else 32)
        draw.text((WIDTH / 2, HEIGHT / 2 - 35 * (len(lines) - 1) + 70 * row), line, INK, font, anchor="mm")
    return np.asarray(card)


def _clip_frames(name: Clip) -> tuple[list[np.ndarray], Fraction]:
    """Decode a whole clip (at most 10 s) into the film's size, keeping its shape with black bars."""
    import av

    from vidence.catalogue import weights

    frames = []
    with av.open(str(weights(name))) as source:
        stream = source.streams.video[0]
        rate = Fraction(stream.average_rate or FPS)
        scale = min(WIDTH / stream.width, HEIGHT / stream.height)
        width, height = round(stream.width * scale / 2) * 2, round(stream.height * scale / 2) * 2
        for frame in source.decode(stream):
            canvas = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
            top, left = (HEIGHT - height) // 2, (WIDTH - width) // 2
            small = frame.to_ndarray(format="rgb24", width=width, height=height, interpolation="BICUBIC")
            canvas[top : top + height, left : left + width] = small
            frames.append(canvas)
    return frames, rate


def _sound() -> np.ndarray:
    """Mix the recordings into silence at their offsets: mono float32 at SOUND_HZ, as long as the pictures."""
    import av

    from vidence.catalogue import weights

    mixed = np.zeros(sum(part.seconds for part in PARTS) * SOUND_HZ, np.float32)
    for second, name in SPEECH:
        resampler = av.AudioResampler("fltp", "mono", SOUND_HZ)
        with av.open(str(weights(name))) as source:
            blocks = [
                part.to_ndarray()[0] for frame in source.decode(audio=0) for part in resampler.resample(frame)
            ]
            blocks += [part.to_ndarray()[0] for part in resampler.resample(None)]
        speech = np.concatenate(blocks)
        start = second * SOUND_HZ
        room = mixed[start : start + len(speech)]
        room += speech[: len(room)]
    return mixed


def _blocks(sound: np.ndarray, samples: int = 1024) -> Iterator[tuple[int, np.ndarray]]:
    for start in range(0, len(sound), samples):
        yield start, np.ascontiguousarray(sound[start : start + samples])


if __name__ == "__main__":
    print(make_film(Path(sys.argv[1] if len(sys.argv) > 1 else "film.mp4")))
