"""Short clips and pictures of findings as data URIs: H.264 with sound, a few seconds, small; boxes drawn in."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np

from vidence.apps.finding import Finding
from vidence.exports.report.thumbnails import data_uri
from vidence.timeline import Instant, Span

if TYPE_CHECKING:
    from vidence.media import Media
    from vidence.media.frame import Image
    from vidence.senses.observation import Box

CLIPS = 24  # of one page: about 80 kB each
PICTURES = 120  # of one page: about 12 kB each
CLIP_S = 4
SIDE = 320
RATE_HZ = Fraction(10)
SOUND_HZ = 24_000
BOX_COLOUR = (255, 196, 0)  # seen on dark and on light, and by those who confuse red and green

Draw = Callable[["Image", Instant], "Image"]
"""Changes a picture shown at a time: draws boxes, blurs."""


def picture_of(media: Media, finding: Finding, draw: Draw | None = None) -> str:
    """Take the frame that shows a finding best, with its boxes."""
    (frame,) = media.frames_at([finding.moment], max_side=SIDE, mode="exact")
    image = draw(frame.image, frame.time) if draw else frame.image
    return data_uri(boxed(image, finding.boxes_at(finding.moment)))


def clip_of(media: Media, finding: Finding, draw: Draw | None = None) -> str:
    """Cut the seconds around a finding's best moment, with its boxes; see `clip`."""
    shown = finding.span if finding.span.duration >= 2 else finding.span.padded(1)
    if shown.duration > CLIP_S:
        shown = Span(finding.moment, finding.moment).padded(Fraction(CLIP_S, 2)).clipped(finding.span)

    def drawn(image: Image, time: Instant) -> Image:
        return boxed(draw(image, time) if draw else image, finding.boxes_at(time))

    return clip(media, shown, drawn)


def clip(media: Media, span: Span, draw: Draw | None = None, *, side: int = SIDE) -> str:
    """Cut a span into a small H.264 clip with sound, as a data URI; of sound alone it is that.

    The first picture is the poster.
    """
    import av

    span = span.clipped(media.info.span)
    out = io.BytesIO()
    with av.open(out, "w", format="mp4", options={"movflags": "frag_keyframe+empty_moov"}) as container:
        settings = {"preset": "veryfast", "crf": "30", "bf": "0"}
        video: Any = None
        audio: Any = None
        if media.info.audio:
            audio = container.add_stream("aac", rate=SOUND_HZ, layout="mono")
            audio.bit_rate = 48_000
        frames = media.frames(span, rate_hz=float(RATE_HZ), max_side=side) if media.info.video else ()
        for frame in frames:
            image = _even(draw(frame.image, frame.time) if draw else frame.image)
            if video is None:
                video = container.add_stream("libx264", rate=RATE_HZ, options=settings)
                video.width, video.height, video.pix_fmt = image.shape[1], image.shape[0], "yuv420p"
                video.codec_context.time_base = Fraction(1, 1000)
                video.codec_context.thread_count = 1
            picture = av.VideoFrame.from_ndarray(image, "rgb24")
            picture.pts = max(round((frame.time - span.start) * 1000), 0)
            picture.time_base = Fraction(1, 1000)
            container.mux(video.encode(picture))
        if video is not None:
            container.mux(video.encode(None))
        if audio is not None:
            write_sound(container, audio, media.audio(span, rate_hz=SOUND_HZ)[1], SOUND_HZ)
    kind = "video" if media.info.video else "audio"
    return f"data:{kind}/mp4;base64," + base64.b64encode(out.getvalue()).decode("ascii")


def write_sound(container: Any, stream: Any, samples: np.ndarray, rate_hz: int, start: int = 0) -> int:
    """Encode mono float32 samples of which the first is number `start`; return the number after the last.

    Call it with no samples to flush the encoder; a single call with all of them does so too when `start` is 0.
    """
    import av

    for begin in range(0, len(samples), 1024):
        block = av.AudioFrame.from_ndarray(
            np.ascontiguousarray(samples[None, begin : begin + 1024], np.float32), "fltp", layout="mono"
        )
        block.sample_rate, block.time_base, block.pts = rate_hz, Fraction(1, rate_hz), start + begin
        container.mux(stream.encode(block))
    if start == 0 or not len(samples):
        container.mux(stream.encode(None))
    return start + len(samples)


def boxed(image: Image, boxes: Sequence[Box]) -> Image:
    """Draw boxes into a copy of a picture."""
    import cv2

    if not boxes:
        return image
    drawn = image.copy()
    height, width = image.shape[:2]
    thick = max(1, round(max(height, width) / 160))
    for box in boxes:
        corners = [
            (round(x * width), round(y * height)) for x, y in ((box.x, box.y), (box.x + box.w, box.y + box.h))
        ]
        cv2.rectangle(drawn, corners[0], corners[1], (0, 0, 0), thick + 2)
        cv2.rectangle(drawn, corners[0], corners[1], BOX_COLOUR, thick)
    return drawn


def _even(image: Image) -> Image:
    """Cut a row or a column where the number is odd: H.264 keeps colour at half the size."""
    height, width = image.shape[0] // 2 * 2, image.shape[1] // 2 * 2
    return np.ascontiguousarray(image[:height, :width])
