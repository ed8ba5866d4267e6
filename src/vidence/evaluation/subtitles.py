"""The subtitles that a benchmark comes with: found by name beside its videos, and read in each of their layouts."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vidence.errors import MediaError, UsageError
from vidence.evaluation.files import Videos, need, place, rows
from vidence.evaluation.item import Item, Subtitled
from vidence.media.subtitles import Cue, read_file
from vidence.senses.speech.cues import plain
from vidence.timeline import Instant, Span, instant

if TYPE_CHECKING:
    from vidence.media import Media

SUFFIXES = {".srt", ".vtt", ".ass", ".ssa", ".json", ".jsonl"}
LEAST_S = Fraction(1)  # a line of LongVideoBench counts as on screen for at least so long
PAUSE_S, BREATH_S = 0.5, 0.1  # between words: a new line begins, at once or after a full stop


class Subtitles:
    """The subtitle files of a folder."""

    def __init__(self, folder: Path) -> None:
        self._files = Videos(folder, SUFFIXES)

    def have(self, item: Item) -> bool:
        """Tell whether the item's file is there."""
        return bool(item.subtitles) and self._files.of(item.subtitles) is not None

    def of(self, item: Item, media: Media) -> list[Cue] | None:
        """Return the lines that fall into the medium, or None where their file is missing.

        Raises:
            MediaError: the file is damaged.
        """
        path = self._files.of(item.subtitles) if item.subtitles else None
        if path is None:
            return None
        whole = media.info.span
        start = whole.start - instant(str(item.subtitles_start_s))
        try:
            found = _read(path, start, whole.end)
        except UsageError as fault:
            raise MediaError(str(fault)) from fault
        return [cue for cue in found if cue.span.overlaps(whole)]


def shown(cues: Sequence[Cue], times: Sequence[Instant], span: Span, which: Subtitled) -> list[str]:
    """Return the lines that belong to frames at `times` of a stretch, in order; one said twice in a row once."""
    if not which:
        return []
    ordered = sorted(times)
    held = list[str]()
    for cue in cues:
        first, end = (bisect_left(ordered, edge) for edge in (cue.span.start, cue.span.end))
        line = plain(cue.text)
        there = cue.span.overlaps(span) if which == "stretch" else first < end
        if there and line and held[-1:] != [line]:
            held.append(line)
    return held


def _read(path: Path, start: Instant, end: Instant) -> list[Cue]:
    kind = path.suffix.lower()
    if kind == ".jsonl":
        return list(_lines_of_words(path, start))
    if kind == ".json":
        return [_line(row, path, number, start, end) for number, row in enumerate(rows(path))]
    return read_file(path, start)


def _line(row: dict[str, Any], path: Path, number: int, start: Instant, end: Instant) -> Cue:
    """Read a line of LongVideoBench: {"timestamp": [s, s], "text"}, or {"start", "end", "line"} with clocks."""
    if "timestamp" in row:
        (first, last), text = need(row, ["timestamp", "text"], path, number)
    else:
        first, last, text = need(row, ["start", "end", "line"], path, number)
    try:
        begins = start + instant(first)
        ends = max(end if last is None else start + instant(last), begins)  # the last line may have no end
    except (AttributeError, TypeError, UsageError) as fault:
        raise UsageError(f"{place(path, number)}: {first!r} to {last!r} is no stretch of time") from fault
    span = Span(begins, ends)
    return Cue(span.padded(max(LEAST_S - span.duration, Fraction(0)) / 2), text, "", path.name)


def _lines_of_words(path: Path, start: Instant) -> Iterator[Cue]:
    """Yield the lines that the words of Video-MME-v2 make, each word with its time."""
    held = list[tuple[str, float, float]]()
    for word, first, last in _words(path):
        gap = first - held[-1][2] if held else 0.0
        if held and (gap > PAUSE_S or (gap > BREATH_S and held[-1][0].rstrip().endswith((".", "!", "?")))):
            yield _joined(held, start, path)
            held = []
        held.append((word, first, last))
    if held:
        yield _joined(held, start, path)


def _words(path: Path) -> Iterable[tuple[str, float, float]]:
    for number, row in enumerate(rows(path)):
        word, first, last = need(row, ["text", "start_time", "end_time"], path, number)
        try:
            yield str(word), float(first), float(last)
        except (TypeError, ValueError) as fault:
            raise UsageError(f"{place(path, number)}: {first!r} to {last!r} is no stretch of time") from fault


def _joined(words: Sequence[tuple[str, float, float]], start: Instant, path: Path) -> Cue:
    first, last = instant(words[0][1]), instant(max(last for _, _, last in words))
    text = " ".join(word for word, _, _ in words)
    return Cue(Span(start + first, start + max(first, last)), text, "", path.name)
