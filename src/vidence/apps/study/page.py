"""The page of a study: chapters and slides in pictures, the concept map, the glossary, a quiz, the transcript."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from vidence.apps.report import AppPage, gather, render
from vidence.apps.report.page import finding_lane
from vidence.apps.report.sections import Diagram, Figure, Item, Listing, Node, Prose, Section
from vidence.apps.study.study import Study
from vidence.exports.report.lanes import Lane, Mark, stack, thin
from vidence.exports.report.thumbnails import data_uri
from vidence.timeline import clock

if TYPE_CHECKING:
    from vidence.apps.study.chapters import Chapter
    from vidence.apps.study.concepts import Need
    from vidence.video import Video

SIDE = 480  # px: what stands on a slide can be read
PICTURES = 80
MOST_NODES = 36
ROW, COLUMN = 96, 190  # px of the concept map


def to_html(video: Video, study: Study) -> str:
    """Return the page."""
    return render(page_of(video, study))


def page_of(video: Video, study: Study) -> AppPage:
    """Collect the page."""
    pictures = _pictures(video, study)
    return gather(
        video.media, study, "Study", noun="what is taught", figures=_figures(study),
        lead=_lead(study, pictures), sections=_sections(study, pictures), lanes=_lanes(study),
        cards=[f for f in study.findings if f.kind == "knowledge"],
        tags={f"knowledge-{p.id[1:]}": _tags(study, p.id) for p in study.points},
        summary=" ".join(one.text for one in study.summary["short"]),
    )  # fmt: skip


def _figures(study: Study) -> list[Figure]:
    defined = sum(bool(point.definition) for point in study.points)
    held = sum(
        bool(p.definition) and p.verdict is not None and p.verdict.kind == "supported" for p in study.points
    )
    return [
        Figure("Chapters", str(len(study.chapters))),
        Figure("Slides", str(len(study.slides))),
        Figure("Knowledge points", f"{len(study.points)}, {defined} defined"),
        Figure(
            "Definitions that held",
            f"{held} of {defined}",
            "doubt" if held < defined else "good" if held else "",
        ),
        Figure("Formulas and code", str(len(study.on_screen))),
        Figure("Quiz", f"{len(study.quiz)} questions"),
    ]


def _lanes(study: Study) -> list[Lane]:
    whole = study.coverage.whole
    by_kind = {
        kind: [f for f in study.findings if f.kind == kind] for kind in ("chapter", "slide", "knowledge")
    }
    again = [Mark(span, slide.title) for slide in study.slides for span in slide.appearances]
    lanes = [finding_lane("scenes", "Chapters", by_kind["chapter"], whole)]
    if again:
        lanes.append(Lane("text", "Slides", tuple(stack(thin(again, whole))), len(again)))
    taught = [Mark(span, point.name) for point in study.points for span in point.places]
    if taught:
        lanes.append(Lane("evidence", "Taught", tuple(stack(thin(taught, whole))), len(taught)))
    said = [Mark(p.span, p.text, confidence=p.source.confidence) for p in study.passages if p.how == "said"]
    if said:
        lanes.append(Lane("speech", "Speech", tuple(stack(thin(said, whole))), len(said)))
    return lanes


def _tags(study: Study, id: str) -> list[str]:
    needs = [f"needs {study.point(need.needs).name}" for need in study.needs if need.point == id]
    point = study.point(id)
    return [*needs, f"{point.mentions} mentions", *(["on slides"] if point.written else [])]


def _lead(study: Study, pictures: dict[int, str]) -> list[Section]:
    """What a learner looks at first."""
    sections: list[Section] = []
    medium = [one.text for one in study.summary["medium"]]
    if medium:
        longer = [f"{clock(one.span.start, millis=False)}  {one.text}" for one in study.summary["long"]]
        more = [("Longer", longer)] if len(longer) > len(medium) else []
        sections.append(Prose("Summary", medium, more, "Chosen from what is said; no word is added."))
    sections.append(
        Listing(
            "Chapters",
            [
                Item(
                    f"{c.number}. {c.title}",
                    ", ".join(study.point(id).name for id in c.points),
                    c.span,
                    next((pictures[n] for n in _begun(study, c) if n in pictures), None),
                )
                for c in study.chapters
            ],
        )
    )
    if study.slides:
        slides = [
            Item(
                slide.title,
                " · ".join(line.text for line in slide.body)[:400],
                slide.appearances[0],
                pictures.get(slide.number),
                [
                    f"{slide.seconds:.0f} s",
                    *([f"shown {len(slide.appearances)} times"] if len(slide.appearances) > 1 else []),
                ],
            )
            for slide in study.slides
        ]
        sections.append(Listing("Slides", slides, gallery=True, note="Each once, as it is when complete."))
    if study.needs:
        sections.append(concept_map(study))
    return sections


def _begun(study: Study, chapter: Chapter) -> list[int]:
    """Return the slides that are first shown in a chapter, before those that come back in it."""
    return sorted(chapter.slides, key=lambda n: study.slides[n - 1].first not in chapter.span)


def _sections(study: Study, pictures: dict[int, str]) -> list[Section]:
    sections: list[Section] = []
    if study.on_screen:
        shown = [Item(one.kind, one.text, one.span, pictures.get(one.slide)) for one in study.on_screen]
        sections.append(Listing("Formulas and code", shown))
    if study.glossary:
        sections.append(
            Listing(
                "Glossary",
                [Item(p.name, p.definition, p.source.span if p.source else None) for p in study.glossary],
            )
        )
    if study.quiz:
        asked = [
            Item(
                q.question,
                "   ".join(f"◯ {option}" for option in q.options),
                None,
                None,
                (),
                f"{q.answer}. “{q.quote}” ({q.span})",
            )
            for q in study.quiz
        ]
        sections.append(Listing("Quiz", asked))
    said = [f"{clock(p.span.start, millis=False)}  {p.text}" for p in study.passages if p.how == "said"]
    if said:
        sections.append(Prose("Transcript", (), [("All that was understood", said)]))
    return sections


def concept_map(study: Study) -> Diagram:
    """Lay the concept map out in rows: below each point stand those that need it."""
    linked = {id for need in study.needs for id in (need.point, need.needs)}
    chosen = [point for point in study.points if point.id in linked][:MOST_NODES]
    ids = [point.id for point in chosen]
    needs = [need for need in study.needs if need.point in ids and need.needs in ids]
    depth = {id: _depth(id, needs) for id in ids}
    rows: dict[int, list[str]] = {}
    for id in sorted(ids, key=lambda id: (depth[id], study.point(id).first)):
        rows.setdefault(depth[id], []).append(id)
    _untangled(rows, needs)
    widest = max(len(row) for row in rows.values())
    width, height = max(COLUMN * widest, 480), ROW * len(rows)
    nodes = []
    for level, row in rows.items():
        for place, id in enumerate(row):
            point = study.point(id)
            x, y = (place + 0.5) / len(row), (level + 0.5) / len(rows)
            nodes.append(Node(id, x, y, point.name, point.source.span if point.source else point.places[0]))
    edges = [(need.needs, need.point, "") for need in needs]
    note = "An arrow leads from what must be understood first. Arrows that follow from others are left out."
    return Diagram("Concept map", nodes, edges, width, height, note)


def _depth(id: str, needs: Sequence[Need]) -> int:
    return max((1 + _depth(need.needs, needs) for need in needs if need.point == id), default=0)


def _untangled(rows: dict[int, list[str]], needs: Sequence[Need]) -> None:
    """Order each row by the mean place of what its points need (barycentres), so that fewer arrows cross."""
    for level in sorted(rows)[1:]:
        above = {
            id: (n + 0.5) / len(row)
            for lower in range(level)
            for row in [rows.get(lower, [])]
            for n, id in enumerate(row)
        }
        mean = {}
        for id in rows[level]:
            places = [above[need.needs] for need in needs if need.point == id and need.needs in above]
            mean[id] = sum(places) / len(places) if places else 0.5
        rows[level].sort(key=mean.__getitem__)


def _pictures(video: Video, study: Study) -> dict[int, str]:
    wanted = study.slides[:PICTURES]
    if not wanted or video.media.info.video is None:
        return {}
    frames = video.media.frames_at([slide.shown for slide in wanted], max_side=SIDE, mode="exact")
    return {slide.number: data_uri(frame.image) for slide, frame in zip(wanted, frames, strict=True)}
