"""The page of a watch: the scene with zones and heat, events, counts, who stayed where and how long."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from vidence.apps.report import AppPage, gather
from vidence.apps.report.page import finding_lane
from vidence.apps.report.sections import Bars, Chart, Figure, Picture, Prose, Section, Table
from vidence.apps.watch.happening import KINDS
from vidence.apps.watch.heat import backdrop, drawn, heat, heat_picture
from vidence.apps.watch.privacy import veil
from vidence.apps.watch.tables import busy, summary, when
from vidence.apps.watch.watching import Watch
from vidence.exports.report.lanes import Lane, Mark, stack, thin
from vidence.exports.report.thumbnails import data_uri

if TYPE_CHECKING:
    from vidence.media import Media

MOST_ROWS = 120


def page_of(media: Media, found: Watch, *, starts: datetime | None = None, blur: bool = False) -> AppPage:
    """Collect the page; `blur` makes faces unrecognisable in its pictures and clips."""
    told = summary(found, starts)
    events = [one for one in found.findings if one.severity != "info"]
    return gather(
        media,
        found,
        "Watch",
        figures=_figures(found),
        sections=_sections(media, found, told, starts),
        summary=told[0],
        noun="events",
        lanes=_lanes(media, found),
        cards=events,
        tags={one.id: [when(one.span.start, starts)] for one in events} if starts else None,
        draw=veil(found) if blur else None,
    )


def _figures(found: Watch) -> list[Figure]:
    grave = sum(one.severity in ("high", "medium") for one in found.findings)
    figures = [Figure("To look at", str(grave), "bad" if grave else "good")]
    passing = [(kind, numbers) for kind, numbers in found.counts.items() if numbers["passing"]]
    for kind, numbers in sorted(passing, key=lambda item: -item[1]["passing"])[:4]:
        named = "people" if kind == "person" else kind + "s"
        figures.append(Figure(f"{named.capitalize()} passed", str(numbers["passing"])))
        if kind == "person":
            figures.append(Figure("Most people at once", str(numbers["most_at_once"])))
    for name, ways in list(found.crossings.items())[:3]:
        figures.append(Figure(f"Over {name}", ", ".join(f"{count} {way}" for way, count in ways.items())))
    return figures


def _lanes(media: Media, found: Watch) -> list[Lane]:
    whole = media.info.span
    lanes = []
    for kind in KINDS:
        events = [one for one in found.findings if one.kind == kind]
        if events:
            lanes.append(
                finding_lane(f"level-{KINDS[kind]}", kind.replace("-", " ").capitalize(), events, whole)
            )
    moving = [one for one in found.subjects if one.moves]
    marks = [Mark(one.span, one.id, confidence=one.confidence) for one in moving]
    return [*lanes, Lane("objects", "Who passes", tuple(stack(thin(marks, whole))), len(marks))]


def _sections(media: Media, found: Watch, told: list[str], starts: datetime | None) -> list[Section]:
    sections: list[Section] = [Prose("The recording in words", told)]
    sections.append(Chart("How busy it was", busy(found), "in the picture at a time"))
    if media.info.video:
        image = backdrop(media)
        warm = heat(found.subjects, found.scene.anchor, image.shape[:2])
        note = "Drawn on the scene without what passes. Lighter: more seconds spent there."
        sections.append(
            Picture("Heat map", data_uri(drawn(heat_picture(image, warm), found.scene, ruler=False)), note)
        )
        if found.scene.zones or found.scene.lines:
            caption = "Zones and lines; the numbers at the edges are shares of the picture."
            sections.append(Picture("Zones and lines", data_uri(drawn(image, found.scene)), caption))
    rows = [(kind, *numbers.values()) for kind, numbers in found.counts.items()]
    sections.append(Table("Counts", ("Kind", "Passed", "Stood", "Most at once"), rows))
    sections += _zones(found)
    stays = sorted((s for s in found.stays if s.subject.moves), key=lambda s: -s.dwell_s)[:12]
    if stays:
        bars = [(f"{s.subject.id}, {s.zone.name}", s.dwell_s, f"{s.dwell_s:.1f} s") for s in stays]
        sections.append(Bars("Longest stays of those who pass", bars))
    minor = [one for one in found.findings if one.severity == "info"]
    if minor:
        shown = [(one.span, when(one.span.start, starts), one.title) for one in minor[:MOST_ROWS]]
        more = f"{len(minor) - MOST_ROWS} more are in the CSV and JSON." if len(minor) > MOST_ROWS else ""
        sections.append(Table("Comings and goings", ("When", "At", "What"), shown, note=more))
    return sections


def _zones(found: Watch) -> list[Section]:
    head = ("Zone", "Came", "Went", "Stays", "Most at once", "Median dwell, s", "Longest dwell, s")
    rows = [(name, *numbers.values()) for name, numbers in found.zones.items()]
    return [Table("Zones", head, rows)] if found.scene.zones else []
