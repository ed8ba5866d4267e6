"""What an edit list is made of: reels (the media), and clips of them, counted in frames."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from urllib.request import pathname2url

from vidence.errors import UsageError
from vidence.exports.edit.timecode import Rate


@dataclass(frozen=True, slots=True)
class Reel:
    """A medium as an editing program sees it: `start` is the timecode of its first frame, as a frame number."""

    name: str
    path: str
    rate: Rate
    frames: int
    start: int = 0
    size: tuple[int, int] = (0, 0)
    sound: bool = False

    @property
    def url(self) -> str:
        """The address of the file: file:///..., or the URL it was opened by."""
        if "://" in self.path:
            return self.path
        return "file://" + pathname2url(str(Path(self.path).resolve()))


@dataclass(frozen=True, slots=True)
class Clip:
    """`frames` frames of a reel from frame `first` on (0 is the reel's first); `notes` are columns by name."""

    reel: Reel
    first: int
    frames: int
    name: str
    notes: Mapping[str, str] = field(default_factory=dict)

    @property
    def begin(self) -> str:
        """Source timecode of the first frame."""
        return self.reel.rate.label(self.reel.start + self.first)

    @property
    def end(self) -> str:
        """Source timecode of the frame after the last, as edit lists count."""
        return self.reel.rate.label(self.reel.start + self.first + self.frames)


@dataclass(frozen=True)
class EditList:
    """Clips one after another; the first stands at `begin` on the record side."""

    title: str
    clips: tuple[Clip, ...]
    begin: str = "01:00:00:00"

    @cached_property
    def rate(self) -> Rate:
        """The one rate of all clips.

        Raises:
            UsageError: there are none, or they differ.
        """
        rates = {clip.reel.rate for clip in self.clips}
        if not rates:
            raise UsageError("there is nothing to export: the list of results is empty")
        if len(rates) > 1:
            names = ", ".join(sorted({rate.name + (" drop" if rate.drop else "") for rate in rates}))
            raise UsageError(
                f"this format holds one frame rate, the clips have {names}; write OTIO, FCPXML or CSV, or one list each"
            )
        return next(iter(rates))

    @property
    def main(self) -> Rate:
        """The rate of the first clip: that of the timeline."""
        if not self.clips:
            raise UsageError("there is nothing to export: the list of results is empty")
        return self.clips[0].reel.rate

    @property
    def reels(self) -> list[Reel]:
        """Each reel once, in the order in which it first comes."""
        return list(dict.fromkeys(clip.reel for clip in self.clips))

    def record(self, rate: Rate) -> list[tuple[int, int]]:
        """Return where each clip lies on the record side: (first frame, frame after the last), of one rate."""
        text = self.begin
        if rate.drop:
            text = text[: text.rfind(":")] + ";" + text[text.rfind(":") + 1 :]
        at, places = rate.frame(text), []
        for clip in self.clips:
            places.append((at, at + clip.frames))
            at += clip.frames
        return places
