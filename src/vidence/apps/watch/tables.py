"""Events as a table, tracks for the writers of boxes, and the day in words."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from datetime import datetime, timedelta
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

from vidence.apps.finding import SEVERITIES
from vidence.apps.watch.subjects import grid
from vidence.apps.watch.watching import Watch, present
from vidence.exports.plain import cell
from vidence.exports.tracks import Footage, Tracked
from vidence.timeline import Instant, Span, clock, windows

if TYPE_CHECKING:
    from vidence.media import Media

COLUMNS = (
    "start_s", "end_s", "at", "kind", "severity", "certain", "confidence", "verdict", "title", "subjects", "zone",
    "line", "way", "why",
)  # fmt: skip
STRETCHES_S = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600)
MOST_STRETCHES = 24


def event_table(found: Watch, starts: datetime | None = None) -> str:
    """Write one row an event: RFC 4180 with a header. `starts` is when the recording began, for times of the day."""
    out = io.StringIO()
    table = csv.writer(out, lineterminator="\n")
    table.writerow(COLUMNS)
    for one in found.findings:
        span = one.span.to_json()
        verdict = one.verdict.kind if one.verdict else ""
        told = (cell(one.title), cell(", ".join(one.data["subjects"])))
        table.writerow([
            span["start_s"], span["end_s"], when(one.span.start, starts), one.kind, one.severity, one.certain,
            round(one.confidence, 4), verdict, *told, cell(one.data["zone"] or ""), cell(one.data["line"] or ""),
            one.data["way"] or "", cell(one.why),
        ])  # fmt: skip
    return out.getvalue()


def tracked(found: Watch) -> list[Tracked]:
    """Return what was followed, for the writers of boxes."""
    return [Tracked(one.id, one.kind, one.path, one.confidence) for one in found.subjects]


def footage_of(media: Media) -> Footage:
    """Describe the footage, for the writers of boxes."""
    video = media.info.video
    width, height = (video.width, video.height) if video else (1, 1)
    return Footage(Path(media.path).name, width, height, media.frame_times() if video else [])


def when(time: Instant, starts: datetime | None) -> str:
    """Write a time: of the day where it is known when the recording began, else of the recording."""
    if starts is None:
        return clock(time, millis=False)
    return (starts + timedelta(seconds=float(time))).strftime("%Y-%m-%d %H:%M:%S")


def stretches(whole: Span) -> list[Span]:
    """Cut the recording into round stretches, at most `MOST_STRETCHES`."""
    length = next((s for s in STRETCHES_S if whole.duration / s <= MOST_STRETCHES), STRETCHES_S[-1])
    return list(windows(whole, Fraction(length)))


def busy(found: Watch) -> list[tuple[Span, float]]:
    """Return how many were in the picture on average, stretch by stretch; what stands all the time is left out."""
    moving = [one for one in found.subjects if one.moves]
    times = grid(found.coverage.whole)
    told = []
    for span in stretches(found.coverage.whole):
        inside = [present(moving, time) for time in times if time in span]
        told.append((span, round(sum(inside) / len(inside), 2) if inside else 0.0))
    return told


def summary(found: Watch, starts: datetime | None = None) -> list[str]:
    """Tell the recording in a few sentences."""
    whole, counts = found.coverage.whole, found.counts
    passing = [_many(numbers["passing"], kind) for kind, numbers in counts.items() if numbers["passing"]]
    standing = [_many(numbers["standing"], kind) for kind, numbers in counts.items() if numbers["standing"]]
    lines = [
        (
            f"{clock(whole.duration, millis=False)} from {when(whole.start, starts)}: "
            if starts
            else f"In {clock(whole.duration, millis=False)}: "
        )
        + (f"{_listed(passing)} passed" if passing else "nothing that was followed passed")
        + (f"; {_listed(standing)} stayed where they were." if standing else ".")
    ]
    crowds = busy(found)
    if passing and crowds:
        span, most = max(crowds, key=lambda at: at[1])
        lines.append(
            f"Busiest was {when(span.start, starts)} to {when(span.end, starts)}, with {most:.1f} at a time."
        )
    for name, ways in found.crossings.items():
        lines.append(f"Over “{name}”: " + ", ".join(f"{count} {way}" for way, count in ways.items()) + ".")
    for name, numbers in found.zones.items():
        if name != "picture":
            lines.append(
                f"In “{name}”: {numbers['entered']:.0f} came, {numbers['left']:.0f} went, at most "
                f"{numbers['most_at_once']:.0f} at once, for {numbers['median_dwell_s']:.0f} s in the middle."
            )
    grave = [one for one in found.findings if SEVERITIES.index(one.severity) >= SEVERITIES.index("medium")]
    if grave:
        shown = _listed([f"{one.title} ({when(one.span.start, starts)})" for one in grave[:6]])
        lines.append(f"To look at: {shown}" + (f" and {len(grave) - 6} more." if len(grave) > 6 else "."))
    return lines


def _many(count: int, kind: str) -> str:
    if kind == "person":
        return f"{count} {'person' if count == 1 else 'people'}"
    return f"{count} {kind}{'' if count == 1 else 'es' if kind.endswith('s') else 's'}"


def _listed(parts: Sequence[str]) -> str:
    return parts[0] if len(parts) == 1 else ", ".join(parts[:-1]) + f" and {parts[-1]}"
