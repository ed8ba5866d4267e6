"""Study a lecture or tutorial: chapters, slides, knowledge points and what they need, summaries, a quiz."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vidence.apps.checking import Checker
from vidence.apps.finding import Finding
from vidence.apps.result import to_json, unseen
from vidence.apps.study.chapters import Chapter, find_chapters
from vidence.apps.study.concepts import Need, find_needs
from vidence.apps.study.knowledge import KnowledgePoint, find_points
from vidence.apps.study.onscreen import OnScreen, find_on_screen
from vidence.apps.study.passages import Passage, passages_of
from vidence.apps.study.quiz import QuizItem, make_quiz
from vidence.apps.study.slides import Reader, Slide, exact, find_slides
from vidence.apps.study.summary import Sentence, summarise
from vidence.mcr.budget import Budget, Meter
from vidence.mcr.evidence import Verdict
from vidence.senses.picture import PictureSense, samples
from vidence.senses.sense import VisualSense
from vidence.timeline import Instant, Span, clock

if TYPE_CHECKING:
    from vidence.mcr.budget import Receipt
    from vidence.mcr.policy import Policy
    from vidence.memory import Coverage, Progress
    from vidence.senses.observation import Observation
    from vidence.video import Video

SENSES = ("shots", "speech", "text", "sound", "picture")
"""What is perceived for it: pictures matter only as far as they are written on."""

MOST_CHECKS = 40
"""Definitions of one video that are heard or read again; and as many slides are read anew."""

READ_S = Fraction(1, 2)
READ_ALIKE = 0.6  # share of the lines of a slide from which reading it again bears it out


@dataclass(frozen=True)
class Study:
    """What is taught in one video."""

    file: str
    language: str
    chapters: tuple[Chapter, ...]
    slides: tuple[Slide, ...]
    points: tuple[KnowledgePoint, ...]
    needs: tuple[Need, ...]
    on_screen: tuple[OnScreen, ...]
    summary: dict[str, list[Sentence]]
    quiz: tuple[QuizItem, ...]
    passages: tuple[Passage, ...]
    findings: tuple[Finding, ...]
    coverage: Coverage
    receipt: Receipt
    limits: tuple[str, ...]

    @property
    def glossary(self) -> list[KnowledgePoint]:
        """The points that are defined, and whose definition bore its check, by their names."""
        return sorted((p for p in self.points if p.definition and p.certain), key=lambda p: p.name.casefold())

    def point(self, id: str) -> KnowledgePoint:
        """Return a knowledge point by its id."""
        return next(point for point in self.points if point.id == id)

    def to_json(self) -> dict[str, Any]:
        """Write as JSON values; the schema is `schemas/study.json`."""
        return to_json(
            "study",
            self,
            language=self.language,
            chapters=[one.to_json() for one in self.chapters],
            slides=[one.to_json() for one in self.slides],
            points=[one.to_json() for one in self.points],
            needs=[one.to_json() for one in self.needs],
            on_screen=[one.to_json() for one in self.on_screen],
            summary={length: [one.to_json() for one in told] for length, told in self.summary.items()},
            quiz=[one.to_json() for one in self.quiz],
        )


def study(
    video: Video,
    *,
    budget: Budget | None = None,
    checker: Policy | None = None,
    checks: int = MOST_CHECKS,
    progress: Progress | None = None,
) -> Study:
    """Study a video; perceives first what is not yet in memory.

    `checker` checks what was read and heard (default: the senses look and listen again), `checks` definitions
    and as many slides at most.
    """
    meter = Meter(budget or Budget(max_steps=None))
    told = replace(video, senses=[*video.senses, PictureSense()])
    told.index_within(meter, progress, SENSES)
    check = Checker(told, meter, "study what is taught", checker)
    seen, coverage, whole = check.situation.recalled, check.situation.coverage, video.media.info.span
    taken = samples([o for o in seen if o.sense == "picture"])
    slides = exact(video.media, find_slides(seen, taken, whole, _reader(check, checks)))
    passages, language = passages_of(seen, slides)
    points = _checked(find_points(passages, slides, language), check, checks)
    needs = find_needs(points, passages)
    chapters = find_chapters(slides, passages, points, whole) if passages else []
    on_screen = find_on_screen(slides)
    quiz = make_quiz(points, needs, on_screen, slides, video.media.hash)
    findings = _findings(chapters, slides, points, check)
    limits = [
        *_limits(seen, slides, points, passages),
        *unseen(coverage, [s for s in SENSES if _due(s, video)]),
    ]
    return Study(
        Path(video.media.path).name, language, tuple(chapters), tuple(slides), tuple(points), tuple(needs),
        tuple(on_screen), summarise(passages, points, chapters), tuple(quiz), tuple(passages), tuple(findings),
        coverage, meter.receipt(), tuple(limits),
    )  # fmt: skip


def _reader(check: Checker, most: int) -> Reader:
    """Return what reads a slide anew, `most` slides at most and within the budget."""
    sense, left = check.actions.senses.get("text"), [most]

    def read(time: Instant) -> list[Observation]:
        over = check.situation.meter.exhausted()
        if not isinstance(sense, VisualSense) or left[0] <= 0 or over not in (None, "step limit"):
            return []
        left[0] -= 1
        span = Span(time, time + READ_S).clipped(check.situation.whole)
        return check.actions.watch([sense], span, float(2 / READ_S))

    return read


def _checked(points: Sequence[KnowledgePoint], check: Checker, most: int) -> list[KnowledgePoint]:
    """Open each definition again, `most` at most; return the points with their verdicts."""
    left, told = most, []
    for point in points:
        if point.source is None or left <= 0:
            told.append(point)
            continue
        cited = check.cite(point.source.source)
        verdict, _ = check.verdict(point.definition, (cited,))
        left -= 1
        told.append(replace(point, verdict=verdict))
    return told


def _findings(
    chapters: Sequence[Chapter],
    slides: Sequence[Slide],
    points: Sequence[KnowledgePoint],
    check: Checker,
) -> list[Finding]:
    """Chapters, slides and knowledge points as findings."""
    found = [
        Finding(f"chapter-{c.number}", "chapter", c.title, c.span, "info", 0.8, data=c.to_json())
        for c in chapters
    ]
    for slide in slides:
        evidence = tuple(check.cite(line.source) for line in slide.lines[:6])
        sure = sum(line.source.confidence for line in slide.lines) / max(len(slide.lines), 1)
        found.append(
            Finding(
                f"slide-{slide.number}",
                "slide",
                slide.title,
                slide.appearances[0],
                "info",
                sure,
                evidence,
                _read_verdict(slide),
                "; ".join(line.text for line in slide.body[:8]),
                data=slide.to_json(),
            )
        )
    for point in points:
        span = point.source.span if point.source else point.places[0]
        evidence = (check.cite(point.source.source),) if point.source else ()
        sure = min(0.55 + 0.1 * (point.written + bool(point.definition)) + 0.02 * point.mentions, 0.95)
        kept = point.verdict is None or point.verdict.kind == "supported"
        found.append(
            Finding(
                f"knowledge-{point.id[1:]}",
                "knowledge",
                point.name,
                span,
                "info",
                sure if kept else sure / 2,
                evidence,
                point.verdict,
                point.definition,
                data=point.to_json(),
            )
        )
    return sorted(found, key=lambda f: (f.span.start, ("chapter", "slide", "knowledge").index(f.kind)))


def _read_verdict(slide: Slide) -> Verdict | None:
    """Say what reading a slide again found; None where it was not."""
    if slide.again is None:
        return None
    kind = "supported" if slide.again >= READ_ALIKE else "unsupported"
    how = f"read again at {clock(slide.shown)}: {slide.again:.0%} of its lines are as they were"
    return Verdict(kind, slide.again, how)


def _limits(
    seen: Sequence[Any],
    slides: Sequence[Slide],
    points: Sequence[KnowledgePoint],
    passages: Sequence[Passage],
) -> list[str]:
    told = []
    said = [p for p in passages if p.how == "said"]
    if not said:
        told.append(
            "Nothing was said that could be understood: chapters, terms and summaries rest on writing alone."
        )
    doubted = sum("doubt" in o.data for o in seen if o.sense == "speech")
    if doubted:
        told.append(f"{doubted} utterances were not understood, and are left out.")
    if said and any(p.source.data.get("source") == "asr" for p in said):
        told.append("What is said was heard by a small recogniser: names and rare terms may be misspelt.")
    if not slides:
        told.append("There are no slides: nothing that is written on stood still.")
    withdrawn = [p.name for p in points if not p.certain]
    if withdrawn:
        told.append(
            f"Did not bear being opened again, and are left out of glossary and quiz: {', '.join(withdrawn)}."
        )
    if points:
        told.append(
            "Definitions and needs are found by patterns of language: what is explained in other words is not named. "
            "The summary chooses sentences and writes none."
        )
    return told


def _due(sense: str, video: Video) -> bool:
    info = video.media.info
    if sense in ("speech", "sound"):
        return bool(info.audio) or (sense == "speech" and bool(video.media.cues()))
    return info.video is not None
