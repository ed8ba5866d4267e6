"""What went wrong while reading, kept so that an answer can say which seconds were never seen."""

from __future__ import annotations

from vidence.timeline import Instant, clock

MOST = 200  # a file that is damaged all through must not fill the memory with complaints


class Problems(list[str]):
    """A list of "time: what" lines, at most `MOST`, each said once; `dropped` counts the rest."""

    def __init__(self) -> None:
        super().__init__()
        self.dropped = 0

    def note(self, time: Instant | None, what: str) -> None:
        """Add a problem seen at or after `time` (None: before the first picture or sample)."""
        line = f"{'start' if time is None else clock(time)}: {what}"
        if line in self:
            return
        if len(self) < MOST:
            self.append(line)
        else:
            self.dropped += 1
