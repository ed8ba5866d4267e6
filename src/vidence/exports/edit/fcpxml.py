"""FCPXML 1.8: what Final Cut Pro and DaVinci Resolve read. All times are exact fractions of seconds.

1.8 is the last version that names a file on the asset itself, and every reader since takes it.
"""

from __future__ import annotations

from fractions import Fraction
from xml.etree import ElementTree as xml

from vidence.exports.edit.clip import Clip, EditList, Reel
from vidence.exports.edit.timecode import Rate
from vidence.printable import printable

CONFORMED = {
    "23.976": "23.98", "24": "24", "25": "25", "29.97": "29.97", "30": "30", "48": "48", "47.952": "47.95",
    "50": "50", "59.94": "59.94", "60": "60",
}  # fmt: skip
"""How the format writes the rate of a clip that is not the sequence's."""


def to_fcpxml(edit: EditList) -> str:
    """Write a project with one sequence; clips may have different rates, and then begin on the sequence's frames."""
    rate = edit.main
    root = xml.Element("fcpxml", version="1.8")
    resources = xml.SubElement(root, "resources")
    formats = {shape: f"r{at}" for at, shape in enumerate(dict.fromkeys(map(_shape, edit.reels)), 1)}
    for (hz, width, height), name in formats.items():
        size = {"width": str(width), "height": str(height)} if width else {}
        xml.SubElement(resources, "format", {"id": name, "frameDuration": _time(1 / hz, hz), **size})
    assets = {reel: f"r{len(formats) + at}" for at, reel in enumerate(edit.reels, 1)}
    for reel, name in assets.items():
        resources.append(_asset(reel, name, formats[_shape(reel)]))
    event = xml.SubElement(xml.SubElement(root, "library"), "event", name=_text(edit.title))
    project = xml.SubElement(event, "project", name=_text(edit.title))
    begin = edit.record(rate)[0][0]
    lengths = [_length(clip, rate) for clip in edit.clips]
    sequence = xml.SubElement(
        project,
        "sequence",
        format=formats[_shape(edit.reels[0])],
        duration=_time(Fraction(sum(lengths)) / rate.hz, rate.hz),
        tcStart=_time(begin / rate.hz, rate.hz),
        tcFormat="DF" if rate.drop else "NDF",
    )
    spine, at = xml.SubElement(sequence, "spine"), begin
    for clip, length in zip(edit.clips, lengths, strict=True):
        spine.append(_clip(clip, assets[clip.reel], at, length, rate))
        at += length
    xml.indent(root, "  ")
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE fcpxml>\n' + xml.tostring(root, "unicode") + "\n"
    )


def _asset(reel: Reel, name: str, format: str) -> xml.Element:
    hz = reel.rate.hz
    sound = {"hasAudio": "1", "audioSources": "1", "audioChannels": "2"} if reel.sound else {}
    attributes = {
        "id": name,
        "name": _text(reel.name),
        "src": reel.url,
        "start": _time(reel.start / hz, hz),
        "duration": _time(reel.frames / hz, hz),
        "hasVideo": "1" if reel.size[0] else "0",
        "format": format,
    }
    return xml.Element("asset", attributes | sound)


def _clip(clip: Clip, asset: str, at: int, length: int, rate: Rate) -> xml.Element:
    own = clip.reel.rate
    begin = _time((clip.reel.start + clip.first) / own.hz, own.hz)
    element = xml.Element(
        "asset-clip",
        ref=asset,
        offset=_time(at / rate.hz, rate.hz),
        name=_text(clip.name),
        start=begin,
        duration=_time(length / rate.hz, rate.hz),
        tcFormat="DF" if own.drop else "NDF",
    )
    if notes := "; ".join(f"{name}: {value}" for name, value in clip.notes.items() if value):
        xml.SubElement(element, "note").text = _text(notes)
    if own.hz != rate.hz and own.name in CONFORMED:
        xml.SubElement(element, "conform-rate", srcFrameRate=CONFORMED[own.name])
    if tags := clip.notes.get("tags"):
        xml.SubElement(
            element, "keyword", start=begin, duration=_time(clip.frames / own.hz, own.hz), value=_text(tags)
        )
    return element


def _length(clip: Clip, rate: Rate) -> int:
    """Return the length of a clip in frames of the sequence, one at least."""
    return max(round(clip.frames / clip.reel.rate.hz * rate.hz), 1)


def _shape(reel: Reel) -> tuple[Fraction, int, int]:
    return reel.rate.hz, *reel.size


def _time(seconds: Fraction, hz: Fraction) -> str:
    """Write seconds over the rate's own denominator, as the format's own files do: "1001/30000s", "12s"."""
    if seconds.denominator == 1:
        return f"{seconds.numerator}s"
    bottom = hz.numerator
    top = seconds * bottom
    return (
        f"{top.numerator}/{bottom}s"
        if top.denominator == 1
        else f"{seconds.numerator}/{seconds.denominator}s"
    )


def _text(text: str) -> str:
    return " ".join(printable(text, directions=False).split())
