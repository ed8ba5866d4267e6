"""From a decoded frame to pixels a sense can look at: upright, square-pixelled, opaque, progressive, 8-bit RGB."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from vidence.media.frame import Image

if TYPE_CHECKING:
    from av.filter import Graph
    from av.video.frame import VideoFrame
    from av.video.reformatter import VideoReformatter

_SWS_CS_709, _SWS_CS_601, _UNSPECIFIED = 1, 5, 2
_HD_LINES = 720  # from here up, players take untagged video to be BT.709, below it BT.601


@dataclass(frozen=True, slots=True)
class View:
    """How the stored picture is to be shown: `width` x `height` upright pixels, after an optional transposition and
    flips (together any of the eight ways to lay a picture down)."""

    width: int
    height: int
    transpose: bool = False
    flip_x: bool = False
    flip_y: bool = False

    @property
    def rotation(self) -> int:
        """Degrees clockwise by which the stored picture is turned (a mirrored one counts as turned back first)."""
        turns = {
            (False, False, False): 0,
            (True, True, False): 90,
            (False, True, True): 180,
            (True, False, True): 270,
        }
        mirrored = (self.transpose, not self.flip_x, self.flip_y)
        return turns.get((self.transpose, self.flip_x, self.flip_y), turns.get(mirrored, 0))

    def size(self, max_side: int | None) -> tuple[int, int]:
        """Return (width, height) reduced so that no side is above `max_side` pixels; never enlarged."""
        longest = max(self.width, self.height)
        if max_side is None or longest <= max_side:
            return self.width, self.height
        return (
            max(1, round(self.width * max_side / longest)),
            max(1, round(self.height * max_side / longest)),
        )


class Painter:
    """Turns frames into images. Keeps a scaler for each size between frames; not thread-safe."""

    def __init__(self, view: View) -> None:
        self._view = view
        self._scalers: dict[int | None, VideoReformatter] = {}
        self._splitter: tuple[tuple[int, int, str], Graph] | None = None

    def image(self, frame: VideoFrame, max_side: int | None = None) -> Image:
        """Return the upright picture, scaled while it is still in the decoder's own format (so 8K stays small)."""
        from vidence.media import tone

        hdr, alpha = tone.is_hdr(frame), has_alpha(frame)
        pixels = self._scaled(frame, max_side, "rgb48le" if hdr else "rgba" if alpha else "rgb24")
        if hdr:
            pixels = tone.to_sdr(pixels, frame.color_trc, frame.color_primaries)
        elif alpha:
            pixels = on_white(pixels)
        return self._upright(pixels)

    def _scaled(self, frame: VideoFrame, max_side: int | None, pixel_format: str) -> np.ndarray:
        from av.video.reformatter import Interpolation, VideoReformatter

        width, height = self._view.size(max_side)
        if self._view.transpose:
            width, height = height, width
        guess = _SWS_CS_709 if frame.height >= _HD_LINES else _SWS_CS_601
        if frame.interlaced_frame:
            frame = self._field(frame)
        smaller = width < frame.width or height < frame.height
        scaler = self._scalers.setdefault(max_side, VideoReformatter())
        scaled = scaler.reformat(
            frame,
            width,
            height,
            pixel_format,
            src_colorspace=guess if frame.colorspace == _UNSPECIFIED else None,
            interpolation=Interpolation.AREA if smaller else Interpolation.BICUBIC,
            threads=1,
        )
        return scaled.to_ndarray()

    def _field(self, frame: VideoFrame) -> VideoFrame:
        """Take the top field of an interlaced frame, half as high; scaling rebuilds the other lines.

        No comb remains, no other frame is needed (so a seek gives the same picture as a sequence), and at the sizes
        that senses ask for nothing is lost: 1080i has 540 lines a field. Edge-directed filters cost 130 ms a frame.
        """
        from av.filter import Graph

        kind = (frame.width, frame.height, frame.format.name)
        if self._splitter is None or self._splitter[0] != kind:
            graph = Graph()
            source = graph.add_buffer(
                width=frame.width, height=frame.height, format=frame.format, time_base=frame.time_base
            )
            graph.link_nodes(source, graph.add("field", "type=top"), graph.add("buffersink")).configure()
            self._splitter = kind, graph
        self._splitter[1].vpush(frame)
        field = self._splitter[1].vpull()
        field.colorspace, field.color_range = frame.colorspace, frame.color_range
        return field

    def _upright(self, pixels: np.ndarray) -> Image:
        if self._view.transpose:
            pixels = pixels.transpose(1, 0, 2)
        if self._view.flip_x:
            pixels = pixels[:, ::-1]
        if self._view.flip_y:
            pixels = pixels[::-1]
        return np.ascontiguousarray(pixels)


def view_of(width: int, height: int, sar: float, matrix: tuple[int, ...] | None) -> View:
    """Work out the view from the stored size, the pixel shape (width / height) and the 3 x 3 display matrix.

    The matrix maps stored (x, y) to shown (a x + c y, b x + d y), y down (ISO 14496-12, 8.3.2). Pixels are made square
    by enlarging, never by dropping detail.
    """
    if sar > 1:
        width = round(width * sar)
    elif sar < 1:
        height = round(height / sar)
    if matrix is None:
        return View(width, height)
    a, b, c, d = matrix[0], matrix[1], matrix[3], matrix[4]
    if abs(a) + abs(d) >= abs(b) + abs(c):
        return View(width, height, False, a < 0, d < 0)
    return View(height, width, True, c < 0, b < 0)


def display_matrix(frame: VideoFrame) -> tuple[int, ...] | None:
    """Return the nine numbers of a frame's display matrix, or None."""
    from av.sidedata.sidedata import Type

    data = frame.side_data.get(Type.DISPLAYMATRIX)  # type: ignore[call-overload]
    return None if data is None else tuple(int(n) for n in np.frombuffer(bytes(data), "<i4", 9))


def has_alpha(frame: VideoFrame) -> bool:
    """Say whether a frame has transparency."""
    return any(component.is_alpha for component in frame.format.components) or frame.format.name == "pal8"


def on_white(rgba: np.ndarray) -> Image:
    """Lay a picture with transparency, uint8 (height, width, 4), on white."""
    alpha = rgba[..., 3:].astype(np.uint16)
    mixed = rgba[..., :3].astype(np.uint16) * alpha + 255 * (255 - alpha)
    return ((mixed + 127) // 255).astype(np.uint8)
