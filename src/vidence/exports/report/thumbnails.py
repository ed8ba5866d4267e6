"""Small pictures inside the page: JPEG as data URIs, bounded in number and size whatever the length."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from vidence.media import Media
from vidence.media.frame import Image
from vidence.timeline import Instant, Span

STRIP = 12  # pictures along the timeline, side by side; about 4 kB each
SCENES = 60  # pictures of scenes
STRIP_SIDE = 160
EVIDENCE = 32  # pictures of evidence: about 12 kB each
EVIDENCE_SIDE = 320
QUALITY = 72


@dataclass(frozen=True, slots=True)
class Thumbnail:
    """A picture at its exact time."""

    time: Instant
    uri: str


def strip(media: Media, draw: Callable[[Image, Instant], Image] | None = None) -> list[Thumbnail]:
    """Take a picture for each of `STRIP` equal stretches of the medium, from a key frame where that is cheaper.

    `draw` changes each before it is shown.
    """
    whole = media.info.span
    step = whole.duration / STRIP
    if media.info.video is None or not step:
        return []
    middles = [whole.start + step * number + step / 2 for number in range(STRIP)]
    return _take(media, middles, STRIP_SIDE, "auto", draw)


def of_scenes(media: Media, scenes: Sequence[Span]) -> list[Thumbnail]:
    """Take a picture in the middle of each of the first `SCENES` scenes."""
    if media.info.video is None:
        return []
    return _take(media, [scene.middle for scene in scenes[:SCENES]], STRIP_SIDE, "auto")


def of_evidence(media: Media, spans: Iterable[Span]) -> dict[Span, str]:
    """Take the exact frame in the middle of each span, for the first `EVIDENCE` spans."""
    wanted = list(dict.fromkeys(spans))[:EVIDENCE]
    if media.info.video is None or not wanted:
        return {}
    frames = _take(media, [span.middle for span in wanted], EVIDENCE_SIDE, "exact")
    return {span: frame.uri for span, frame in zip(wanted, frames, strict=False)}


def data_uri(image: Image) -> str:
    """Encode an RGB picture as a JPEG data URI."""
    import cv2

    _, encoded = cv2.imencode(".jpg", image[:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
    return "data:image/jpeg;base64," + base64.b64encode(encoded.tobytes()).decode("ascii")


def _take(
    media: Media,
    times: Sequence[Instant],
    side: int,
    mode: str,
    draw: Callable[[Image, Instant], Image] | None = None,
) -> list[Thumbnail]:
    frames = media.frames_at(times, max_side=side, mode=mode)  # type: ignore[arg-type]
    return [
        Thumbnail(frame.time, data_uri(draw(frame.image, frame.time) if draw else frame.image))
        for frame in frames
    ]
