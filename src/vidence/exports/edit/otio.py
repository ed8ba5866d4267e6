"""OpenTimelineIO: one timeline, a track of clips, each with its file, its available range and its notes.

Written here: the format is JSON, its library is 30 MB of C++. The tests read it back with that library.
"""

from __future__ import annotations

from typing import Any

from vidence.exports.edit.clip import Clip, EditList, Reel
from vidence.exports.edit.timecode import Rate
from vidence.printable import printable, to_json_text


def to_otio(edit: EditList) -> str:
    """Write a timeline in OpenTimelineIO's own JSON; clips may have different rates."""
    rate = edit.main
    label = edit.begin if not rate.drop else edit.begin[:-3] + ";" + edit.begin[-2:]
    timeline = {
        "OTIO_SCHEMA": "Timeline.1",
        "name": printable(edit.title),
        "metadata": {"vidence": {"drop_frame": rate.drop}},
        "global_start_time": _time(rate.frame(label), rate),
        "tracks": {
            "OTIO_SCHEMA": "Stack.1",
            "name": "tracks",
            "metadata": {},
            "source_range": None,
            "effects": [],
            "markers": [],
            "enabled": True,
            "children": [
                {
                    "OTIO_SCHEMA": "Track.1",
                    "name": "V1",
                    "kind": "Video",
                    "metadata": {},
                    "source_range": None,
                    "effects": [],
                    "markers": [],
                    "enabled": True,
                    "children": [_clip(clip) for clip in edit.clips],
                }
            ],
        },
    }
    return to_json_text(timeline) + "\n"


def _clip(clip: Clip) -> dict[str, Any]:
    rate = clip.reel.rate
    return {
        "OTIO_SCHEMA": "Clip.2",
        "name": printable(clip.name),
        "metadata": {"vidence": {name: printable(value) for name, value in clip.notes.items()}},
        "source_range": _range(clip.reel.start + clip.first, clip.frames, rate),
        "effects": [],
        "markers": [],
        "enabled": True,
        "media_references": {"DEFAULT_MEDIA": _reference(clip.reel)},
        "active_media_reference_key": "DEFAULT_MEDIA",
    }


def _reference(reel: Reel) -> dict[str, Any]:
    return {
        "OTIO_SCHEMA": "ExternalReference.1",
        "name": printable(reel.name),
        "metadata": {},
        "available_range": _range(reel.start, reel.frames, reel.rate),
        "available_image_bounds": None,
        "target_url": reel.url,
    }


def _range(start: int, frames: int, rate: Rate) -> dict[str, Any]:
    return {"OTIO_SCHEMA": "TimeRange.1", "start_time": _time(start, rate), "duration": _time(frames, rate)}


def _time(frame: int, rate: Rate) -> dict[str, Any]:
    return {"OTIO_SCHEMA": "RationalTime.1", "rate": float(rate.hz), "value": float(frame)}
