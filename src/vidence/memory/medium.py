"""A medium that the memory knows."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from vidence.memory.rows import exact, parse
from vidence.timeline import Span

if TYPE_CHECKING:
    from vidence.media import MediaInfo


@dataclass(frozen=True, slots=True)
class Medium:
    """One remembered medium: its content hash, where it was last opened, and what it is.

    `problems` tells what could not be decoded; `added` is in seconds since the epoch.
    """

    hash: str
    path: str
    info: MediaInfo
    added: float
    problems: tuple[str, ...] = ()


def write_info(info: MediaInfo) -> str:
    """Write the probe of a medium as JSON; fractions as exact text."""
    return json.dumps(asdict(info), default=_fraction, ensure_ascii=False)


def _fraction(value: Any) -> Any:
    if isinstance(value, Fraction):
        return exact(value)
    raise TypeError(f"{type(value).__name__} does not go into JSON")


def read_info(text: str) -> MediaInfo:
    """Read what `write_info` wrote."""
    from vidence.media import AudioStream, MediaInfo, SubtitleStream, VideoStream

    raw = json.loads(text)
    if video := raw["video"]:
        video["fps"] = parse(video["fps"]) if video["fps"] is not None else None
        video["time_base"] = parse(video["time_base"])
    span = raw["span"]
    return MediaInfo(
        **{
            **raw,
            "span": Span(parse(span["start"]), parse(span["end"])),
            "video": VideoStream(**video) if video else None,
            "audio": tuple(AudioStream(**stream) for stream in raw["audio"]),
            "subtitles": tuple(SubtitleStream(**stream) for stream in raw["subtitles"]),
            "warnings": tuple(raw["warnings"]),
        }
    )
