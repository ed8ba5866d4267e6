"""From container ticks to exact times, also where the container keeps none."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Literal

from vidence.timeline import Instant

if TYPE_CHECKING:
    from av.packet import Packet
    from av.video.frame import VideoFrame

Trust = Literal["pts", "dts", "count"]
"""Where a picture's time comes from. pts: the container's own presentation time. dts: AVI keeps no presentation times
and its pictures leave the decoder one per tick, so the tick that released each is its time (as FFmpeg's own players
do). count: a raw stream keeps none at all, so the n-th picture is shown at n / rate."""


@dataclass(frozen=True, slots=True)
class Timing:
    """How one video stream keeps time. `step` is the nominal length of a picture in seconds."""

    trust: Trust
    time_base: Fraction
    step: Fraction
    seekable: bool = True  # False: a picture's time is only known when all before it were read
    delay: int = (
        0  # "dts" only: ticks from a packet to its picture's release; above 0 where pictures are reordered
    )

    def ticks(self, time: Instant) -> int:
        """Return the last tick at or before a time."""
        return time // self.time_base

    def of_packet(self, packet: Packet) -> Instant | None:
        """Return the presentation time of the picture in a packet, or None where the packet does not say."""
        if self.trust == "dts":
            return None if packet.dts is None else (packet.dts + self.delay) * self.time_base
        if self.trust == "pts" and packet.pts is not None:
            return packet.pts * self.time_base
        return None

    def of_frame(self, frame: VideoFrame, last: Instant | None) -> Instant:
        """Return the presentation time of a decoded picture; where it says none, one step after the last."""
        ticks = frame.pts if self.trust == "pts" else frame.dts if self.trust == "dts" else None
        if ticks is not None:
            return self._after(last, ticks * (frame.time_base or self.time_base))
        return Fraction(0) if last is None else last + self.step

    def restarts(self, frame: VideoFrame, last: Instant | None) -> bool:
        """Say whether the recording's clock starts anew at a picture, as where two recordings were joined."""
        stamped = self.trust == "pts" and self.seekable and frame.pts is not None and last is not None
        return stamped and last - frame.pts * self.time_base > 1  # type: ignore[operator]

    def _after(self, last: Instant | None, time: Instant) -> Instant:
        """Keep pictures in the order in which they are shown: none is lost because its stamp is not after the last.

        FFmpeg stamps stretches of a program stream some pictures early, so that their times run backwards; and where
        recordings were joined, the clock starts anew. There the next picture follows at the rate. A stamp that is only
        repeated, by rounding, moves by one tick.
        """
        if last is None or time > last:
            return time
        return last + (self.step if not self.seekable or last - time > 1 else self.time_base)
