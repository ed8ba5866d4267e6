"""Real videos, written by the tests themselves: every frame shows its own number, so a test can read it."""

from __future__ import annotations

import importlib
import os
import signal
from collections.abc import Callable, Sequence
from fractions import Fraction
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import pytest

# Triton's own library decides when it is imported whether kernels are to be interpreted, and torch may import it first.
if find_spec("triton") is not None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TRITON_INTERPRET", os.environ.get("TRITON_INTERPRET", "1"))
        importlib.import_module("triton.language")

GRID = 4  # the frame number is painted as GRID x GRID black or white cells, most significant bit first

Paint = Callable[[int], np.ndarray]
"""Picture number -> uint8 pixels (height, width, 3 or 4)."""


def number_picture(number: int, width: int, height: int) -> np.ndarray:
    """Paint a number (0 to 65535) as a 4 x 4 grid of black and white cells that survives compression."""
    bits = [(number >> bit) & 1 for bit in reversed(range(GRID * GRID))]
    cells = np.array(bits, np.uint8).reshape(GRID, GRID) * 200 + 28
    rows, columns = np.arange(height) * GRID // height, np.arange(width) * GRID // width
    return np.repeat(cells[rows][:, columns, None], 3, axis=2)


def read_number(image: np.ndarray) -> int:
    """Read back the number that `number_picture` painted, from an upright picture of any size."""
    height, width = image.shape[:2]
    ys = [int((row + 0.5) * height / GRID) for row in range(GRID)]
    xs = [int((column + 0.5) * width / GRID) for column in range(GRID)]
    number = 0
    for y in ys:
        for x in xs:
            number = number * 2 + int(image[y, x].mean() > 128)
    return number


class MakeVideo(Protocol):
    """Writes a real video file and returns its path; the arguments are those of `write_video`."""

    def __call__(self, name: str, **how: Any) -> Path: ...


def hear_interrupts() -> None:
    """Run first in a child that a test will interrupt: one started from a background job is born deaf to SIGINT."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@pytest.fixture
def make_video(tmp_path: Path) -> MakeVideo:
    """Give a factory that writes under the test's own folder: `make_video("a.mp4", fps=30, frames=60)`."""

    def make(name: str, **how: Any) -> Path:
        return write_video(tmp_path / name, **how)

    return make


def sign_then_wall(number: int) -> np.ndarray:
    """Paint a sign that says EXIT 25 for fifty frames of 320 x 240, then a bare wall."""
    import cv2

    if number >= 50:
        return np.full((240, 320, 3), (150, 140, 120), np.uint8)
    picture = np.full((240, 320, 3), (20, 60, 30), np.uint8)
    cv2.putText(picture, "EXIT 25", (60, 130), cv2.FONT_HERSHEY_SIMPLEX, 1.6, (240, 240, 240), 3, cv2.LINE_AA)
    return picture


def write_video(
    path: Path,
    *,
    codec: str = "libx264",
    size: tuple[int, int] = (160, 120),
    frames: int = 50,
    fps: Fraction | int = 25,
    times: Sequence[Fraction] | None = None,
    time_base: Fraction | None = None,
    start: Fraction | int = 0,
    gop: int = 12,
    b_frames: int = 0,
    pixel_format: str = "yuv420p",
    rotation: int = 0,
    mirror: bool = False,
    sar: Fraction | None = None,
    interlaced: bool = False,
    paint: Paint | None = None,
    sound: np.ndarray | None = None,
    sound_rate: int = 48_000,
    sound_start: Fraction | int | None = None,
    sound_codec: str = "aac",
    tone_hz: float | None = None,
    cues: Sequence[tuple[float, float, str]] = (),
    cue_codec: str = "mov_text",
    cue_language: str = "eng",
    cover: bool = False,
    colour: dict[str, int] | None = None,
    options: dict[str, str] | None = None,
    container_options: dict[str, str] | None = None,
) -> Path:
    """Write a video of `frames` numbered pictures at `fps`, or at the exact presentation `times` (variable rate).

    `start` shifts pictures (and sound, unless `sound_start`) on the container's clock. `rotation` is the display
    matrix in degrees clockwise. `paint` replaces the numbered pictures. `sound` is mono float32 at `sound_rate`;
    `tone_hz` makes a sine as long as the pictures. `cues` are (start_s, end_s, text). `frames=0`: sound alone.
    """
    import av

    when = [Fraction(i) / Fraction(fps) for i in range(frames)] if times is None else list(times)
    when = [time + start for time in when]
    plain = times is None and start == 0
    base = time_base or (1 / Fraction(fps) if plain else Fraction(1, 90_000))
    if tone_hz:
        sound = tone(tone_hz, float(when[-1] - when[0] + 1 / Fraction(fps)) if when else 2.0, sound_rate)
    with av.open(str(path), "w", options=container_options or {}) as out:
        settings = {"bf": str(b_frames)} | ({"preset": "ultrafast"} if codec == "libx264" else {})
        settings |= ({"flags": "+ildct+ilme"} if interlaced else {}) | (options or {})
        video = out.add_stream(codec, rate=Fraction(fps), options=settings) if when else None
        if video:
            video.width, video.height, video.pix_fmt = *size, pixel_format
            video.codec_context.time_base, video.time_base = base, base
            video.codec_context.gop_size = gop
            for name, value in ((colour or {}) | ({"sample_aspect_ratio": sar} if sar else {})).items():
                setattr(video.codec_context, name, value)
            if rotation or mirror:
                video.set_display_rotation(-rotation, hflip=mirror)
        audio = out.add_stream(sound_codec, rate=sound_rate, layout="mono") if sound is not None else None
        subtitle = _add_subtitle(out, cue_codec, cue_language) if cues else None
        art = _add_cover(out) if cover else None
        out.start_encoding()
        if art:
            out.mux(art.encode(_frame(np.full((64, 64, 3), 90, np.uint8))))
        if audio:
            _write_sound(
                out, audio, sound, sound_rate, Fraction(start if sound_start is None else sound_start)
            )
        if subtitle:
            _write_cues(out, subtitle, cues)
        for number, time in enumerate(when):
            pixels = paint(number) if paint else number_picture(number, *size)
            frame = _frame(pixels).reformat(format=pixel_format)
            frame.pts, frame.time_base = round(time / base), base
            out.mux(video.encode(frame))
        if video:
            out.mux(video.encode(None))
    return path


def tone(hz: float, length_s: float, rate_hz: int, level: float = 0.5) -> np.ndarray:
    """Make a sine: mono float32."""
    return (level * np.sin(2 * np.pi * hz * np.arange(round(length_s * rate_hz)) / rate_hz)).astype(
        np.float32
    )


def _frame(pixels: np.ndarray) -> Any:
    import av

    kind = "rgba" if pixels.shape[2] == 4 else "rgb24"
    frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(pixels), kind)
    frame.pts = 0
    return frame


def _add_cover(out: Any) -> Any:
    from av.stream import Disposition

    art = out.add_stream("png", rate=25)
    art.width, art.height, art.pix_fmt = 64, 64, "rgb24"
    art.disposition = Disposition.attached_pic
    return art


def _add_subtitle(out: Any, codec: str, language: str) -> Any:
    subtitle = out.add_stream(codec)
    subtitle.metadata["language"] = language
    subtitle.codec_context.time_base = Fraction(1, 1000)
    subtitle.codec_context.subtitle_header = b"[Script Info]\nScriptType: v4.00+\n\n[Events]\n"
    return subtitle


def _write_cues(out: Any, stream: Any, cues: Sequence[tuple[float, float, str]]) -> None:
    from av.subtitles.subtitle import SubtitleSet

    for number, (begin_s, end_s, text) in enumerate(cues):
        line = f"{number},0,Default,,0,0,0,,{text}".encode()
        cue = SubtitleSet.create(line, 0, round((end_s - begin_s) * 1000), pts=round(begin_s * 1000))
        packet = stream.codec_context.encode_subtitle(cue)
        packet.stream, packet.time_base = stream, Fraction(1, 1000)
        out.mux(packet)


def _write_sound(out: Any, stream: Any, sound: np.ndarray, rate_hz: int, start: Fraction) -> None:
    import av

    for begin in range(0, len(sound), 1024):
        block = av.AudioFrame.from_ndarray(sound[None, begin : begin + 1024], format="fltp", layout="mono")
        block.sample_rate, block.time_base = rate_hz, Fraction(1, rate_hz)
        block.pts = round(start * rate_hz) + begin
        out.mux(stream.encode(block))
    out.mux(stream.encode(None))
