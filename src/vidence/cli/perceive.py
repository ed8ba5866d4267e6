"""What transcribe, read and shots do: run one sense on a range of a file, write what it perceived."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from vidence.cli.files import deliver, plan
from vidence.cli.opening import opened, tell_failures
from vidence.cli.progress import indexing
from vidence.errors import UsageError
from vidence.media.info import MediaInfo
from vidence.timeline import Span, TimeLike, instant


def perceive(
    file: str,
    sense: str,
    formats: Sequence[str],
    output: Path | None,
    memory: Path | None,
    start: TimeLike | None,
    end: TimeLike | None,
    *,
    tier: str | None = None,
    language: str = "auto",
) -> int:
    """Index `file` with one sense, deliver its observations in the range, and return how many they are."""
    places = plan(file, formats, output)
    from vidence.memory import index
    from vidence.senses import default_senses

    with opened(file, memory) as video:
        span = time_range(video.media.info, start, end)
        senses = default_senses([sense], tier=tier, language=language)
        with indexing() as shown:
            report = index(video.media, video.memory, senses, span=span, progress=shown)
        tell_failures(report)
        found = [
            item for item in video.observations(sense)
            if (span is None or item.span.overlaps(span)) and item.data.get("kind") != "block"
        ]  # fmt: skip
        # Blocks of text are made of lines that are there by themselves; what appears at once is read from the top.
        found.sort(key=lambda item: (item.span.start, item.track[0][1].y if item.track else 0.0))
        deliver(found, places)
    return len(found)


def time_range(info: MediaInfo, start: TimeLike | None, end: TimeLike | None) -> Span | None:
    """Return the range asked for, on the container's clock; None when the whole medium is meant.

    Raises:
        UsageError: the range is empty or outside the medium.
    """
    if start is None and end is None:
        return None
    whole = info.span
    video = info.video
    fps = video.fps if video and video.constant_rate is not False else None
    first = whole.start if start is None else instant(start, fps)
    last = whole.end if end is None else min(instant(end, fps), whole.end)
    if first >= last:
        raise UsageError(
            f"--start {start or 0} to --end {end or 'the end'} is an empty range; {info.path} runs {whole}"
        )
    return Span(max(first, whole.start), last)
