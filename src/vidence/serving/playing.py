"""What browsers can play as it is, and under which type a file is sent."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from vidence.media import MediaInfo

_TYPES = {
    "mov": "video/mp4",
    "matroska": "video/x-matroska",
    "avi": "video/x-msvideo",
    "mpegts": "video/mp2t",
    "mpeg": "video/mpeg",
    "flv": "video/x-flv",
    "asf": "video/x-ms-asf",
    "ogg": "video/ogg",
    "wav": "audio/wav",
    "mp3": "audio/mpeg",
    "flac": "audio/flac",
    "aac": "audio/aac",
    "gif": "image/gif",
}
_PICTURES = {"mp4": {"h264", "av1", "vp9"}, "webm": {"vp8", "vp9", "av1"}}
_SOUNDS = {"mp4": {"aac", "mp3", "opus", "flac"}, "webm": {"vorbis", "opus"}}
_SOUND_FILES = {"mp3", "wav", "flac", "aac", "ogg"}


def media_type(info: MediaInfo) -> str:
    """Return the type of a file by its container; its name plays no part."""
    kind = _TYPES.get(info.format.split(",")[0], "application/octet-stream")
    if info.format.startswith("matroska") and is_playable(info):
        kind = "video/webm"
    return kind.replace("video/", "audio/") if info.video is None and kind.startswith("video/") else kind


def is_playable(info: MediaInfo) -> bool:
    """Say whether the browsers of today play a file as it is: container, codecs, 8 bits, 4:2:0."""
    first = info.format.split(",")[0]
    if info.video is None:
        return first in _SOUND_FILES or first == "mov"
    container = {"mov": "mp4", "matroska": "webm"}.get(first)
    if container is None or info.video.codec not in _PICTURES[container]:
        return False
    if info.video.pixel_format not in ("yuv420p", "yuvj420p"):
        return False
    return all(stream.codec in _SOUNDS[container] for stream in info.audio[:1])
