"""The sheet of thumbnails of a medium: which times, and where on it; the same for who draws and who describes."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from typing import TYPE_CHECKING

from vidence.exports.subtitles import stamp
from vidence.timeline import Instant

if TYPE_CHECKING:
    from vidence.media import MediaInfo

MOST, COLUMNS, WIDTH, TALLEST = 100, 10, 160, 160  # pictures; a row; pixels


@dataclass(frozen=True, slots=True)
class Sheet:
    """`times` in order, each `width` x `height` pixels, `columns` a row."""

    times: tuple[Instant, ...]
    start: Instant
    step: Instant
    width: int
    height: int
    columns: int

    @classmethod
    def of(cls, info: MediaInfo) -> Sheet | None:
        """Return the sheet of a medium, None without pictures: one a second, fewer of what is longer than 100 s."""
        if info.video is None:
            return None
        count = min(MOST, max(1, ceil(info.duration)))
        step = info.duration / count
        scale = min(WIDTH / info.video.width, TALLEST / info.video.height)
        width, height = (max(2, round(side * scale)) for side in (info.video.width, info.video.height))
        start = info.span.start
        times = tuple(start + step * number + step / 2 for number in range(count))
        return cls(times, start, step, width, height, min(COLUMNS, count))

    @property
    def rows(self) -> int:
        """Rows of the sheet."""
        return ceil(len(self.times) / self.columns)

    def place(self, number: int) -> tuple[int, int]:
        """Return (x, y) of a picture's corner in pixels."""
        return number % self.columns * self.width, number // self.columns * self.height

    def vtt(self, picture: str) -> str:
        """Write WebVTT: each stretch of the player's clock, which begins at 0, with its part of the `picture`."""
        cues = ["WEBVTT\n"]
        for number in range(len(self.times)):
            begin, end = (round(1000 * (number + k) * self.step) for k in (0, 1))
            x, y = self.place(number)
            cues.append(
                f"{stamp(begin, '.')} --> {stamp(end, '.')}\n{picture}#xywh={x},{y},{self.width},{self.height}\n"
            )
        return "\n".join(cues)
