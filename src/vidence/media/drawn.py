"""Drawn pictures as H.264 in a container that is being written, with the colours said: players guess them otherwise."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

BT709, LIMITED = 1, 1  # as FFmpeg numbers matrix, primaries and transfer; and the range of television


@dataclass(frozen=True, slots=True)
class Drawn:
    """A stream of pictures at a constant rate."""

    stream: Any
    rate: Fraction

    def packets(self, number: int, picture_HWC: np.ndarray) -> list[Any]:
        """Encode picture number `number`, uint8 RGB."""
        from av import VideoFrame
        from av.video.reformatter import Colorspace

        frame = VideoFrame.from_ndarray(picture_HWC, format="rgb24")
        frame = frame.reformat(format="yuv420p", dst_colorspace=Colorspace.ITU709)
        frame.pts, frame.time_base = number, 1 / self.rate
        return self.stream.encode(frame)

    def rest(self) -> list[Any]:
        """Give what the encoder still holds."""
        return self.stream.encode(None)


def add_drawn(
    container: Any, size: tuple[int, int], rate: Fraction | int, *, crf: int, threads: int = 0
) -> Drawn:
    """Add a stream of pictures (W, H) to a container: H.264 "veryfast", a key frame at least every 250 frames."""
    rate = Fraction(rate)
    options = {"preset": "veryfast", "crf": str(crf)}
    stream = container.add_stream("libx264", rate=rate, options=options)
    stream.width, stream.height = size
    stream.pix_fmt, coder = "yuv420p", stream.codec_context
    coder.gop_size, coder.thread_count = 250, threads
    coder.colorspace = coder.color_primaries = coder.color_trc = BT709
    coder.color_range = LIMITED
    return Drawn(stream, rate)
