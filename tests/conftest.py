"""Real videos, written by the tests themselves: every frame shows its own number, so a test can read which it got."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import pytest

GRID = 4  # the frame number is painted as GRID x GRID black or white cells, most significant bit first

Paint = Callable[[int], np.ndarray]
"""Picture number -> uint8 pixels (height, width, 3 or 4)."""


def number_picture(number: int, width: int, height: int) -> np.ndarray:
    """Paint a number (0 to 65535) as a 4 x 4 grid of black and white cells that survives compression and scaling."""
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


@pytest.fixture()
def make_video(tmp_path: Path) -> MakeVideo:
    """Give a factory that writes videos under the test's own folder: `make_video("a.mp4", fps=30, frames=60)`."""

    def make(name: str, **how: Any) -> Path:
        return write_video(tmp_path / name, **how)

    return make


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
    cues: Iterable[tuple[float, float, str]] = (),
    cue_codec: str = "mov_text",
    cue_language: str = "eng",
    cover: bool = False,
    colour: dict[str, int] | None = None,
    options: dict[str, str] | None = None,
    container_options: dict[str, str] | None = None,
) -> Path:
    """Write a video of `frames` numbered pictures at `fps`, or at the exact presentation `times` (variable rate).

    `start` shifts pictures (and sound, unless `sound_start`) on the container's clock. `rotation` is the display matrix
    in degrees clockwise. `paint` replaces the numbered pictures. `sound` is mono float32 at `sound_rate`; `tone_hz`
    makes a sine as long as the pictures. `cues` are (start_s, end_s, text). `frames=0` writes sound alone.
    """
    import av

    when = (
        [Fraction(i) / Fraction(fps) for i in range(frames)]
        if times is None
        else [Fraction(t) for t in times]
    )
    when = [t + start for t in when]
    base = time_base or (1 / Fraction(fps) if times is None and start == 0 else Fraction(1, 90_000))
    length_s = (when[-1] - when[0] + 1 / Fraction(fps)) if when else Fraction(frames, 25)
    if tone_hz:
        sound = tone(tone_hz, float(length_s or 2), sound_rate)
    with av.open(str(path), "w", options=container_options or {}) as out:
        video = audio = subtitle = None
        if when:
            settings = {"bf": str(b_frames)} | ({"preset": "ultrafast"} if codec == "libx264" else {})
            settings |= {"flags": "+ildct+ilme"} if interlaced else {}
            video = out.add_stream(codec, rate=Fraction(fps), options=settings | (options or {}))
            video.width, video.height, video.pix_fmt = *size, pixel_format
            video.codec_context.time_base, video.time_base = base, base
            video.codec_context.gop_size = gop
            if sar:
                video.codec_context.sample_aspect_ratio = sar
            for name, value in (colour or {}).items():
                setattr(video.codec_context, name, value)
            if rotation or mirror:
                video.set_display_rotation(-rotation, hflip=mirror)
        if sound is not None:
            audio = out.add_stream(sound_codec, rate=sound_rate, layout="mono")
        cues = list(cues)
        if cues:
            subtitle = out.add_stream(cue_codec)
            subtitle.metadata["language"] = cue_language
            subtitle.codec_context.time_base = Fraction(1, 1000)
            subtitle.codec_context.subtitle_header = b"[Script Info]\nScriptType: v4.00+\n\n[Events]\n"
        if cover:
            art = out.add_stream("png", rate=25)
            art.width, art.height, art.pix_fmt = 64, 64, "rgb24"
            art.disposition = av.stream.Disposition.attached_pic
        out.start_encoding()
        if cover:
            picture = av.VideoFrame.from_ndarray(np.full((64, 64, 3), 90, np.uint8), format="rgb24")
            picture.pts = 0
            out.mux(art.encode(picture))
        if audio is not None:
            shift = start if sound_start is None else sound_start
            _write_sound(out, audio, sound, sound_rate, Fraction(shift))
        if subtitle is not None:
            for number, (begin_s, end_s, text) in enumerate(cues):
                line = f"{number},0,Default,,0,0,0,,{text}".encode()
                length_ms = round((end_s - begin_s) * 1000)
                cue = av.subtitles.subtitle.SubtitleSet.create(line, 0, length_ms, pts=round(begin_s * 1000))
                packet = subtitle.codec_context.encode_subtitle(cue)
                packet.stream, packet.time_base = subtitle, Fraction(1, 1000)
                out.mux(packet)
        for number, time in enumerate(when):
            frame = _picture(paint(number) if paint else number_picture(number, *size), interlaced)
            frame = frame.reformat(format=pixel_format)
            frame.pts, frame.time_base = round(time / base), base
            out.mux(video.encode(frame))
        if video is not None:
            out.mux(video.encode(None))
    return path


def tone(hz: float, length_s: float, rate_hz: int, level: float = 0.5) -> np.ndarray:
    """Make a sine: mono float32."""
    return (level * np.sin(2 * np.pi * hz * np.arange(round(length_s * rate_hz)) / rate_hz)).astype(
        np.float32
    )


def _picture(pixels: np.ndarray, interlaced: bool) -> Any:
    import av

    frame = av.VideoFrame.from_ndarray(
        np.ascontiguousarray(pixels), "rgba" if pixels.shape[2] == 4 else "rgb24"
    )
    return frame


def _write_sound(out: Any, stream: Any, sound: np.ndarray, rate_hz: int, start: Fraction) -> None:
    import av

    for begin in range(0, len(sound), 1024):
        block = av.AudioFrame.from_ndarray(sound[None, begin : begin + 1024], format="fltp", layout="mono")
        block.sample_rate, block.time_base = rate_hz, Fraction(1, rate_hz)
        block.pts = round(start * rate_hz) + begin
        out.mux(stream.encode(block))
    out.mux(stream.encode(None))
