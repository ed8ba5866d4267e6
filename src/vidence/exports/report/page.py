"""What a report shows, gathered from the memory: lanes, pictures, transcript, text, answers, evidence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from vidence.exports.report import thumbnails
from vidence.exports.report.lanes import Lane, Mark, make_lane
from vidence.exports.report.thumbnails import Thumbnail
from vidence.senses.observation import Observation
from vidence.timeline import Span

if TYPE_CHECKING:
    from vidence.mcr.answer import Answer
    from vidence.mcr.evidence import Evidence
    from vidence.media import Media, MediaInfo
    from vidence.memory import Coverage, Memory

LANES = (
    ("shots", "Shots"),
    ("speech", "Speech"),
    ("text", "Text"),
    ("objects", "Objects"),
    ("faces", "Faces"),
    ("looks", "Looks like"),
    ("captions", "Captions"),
    ("motion", "Motion"),
    ("colour", "Colour"),
    ("sound", "Sound"),
)
"""Senses drawn as lanes, in this order; a lane whose sense never ran is drawn as unseen (captions: left out)."""

MOST_LINES = 3000  # of the transcript and of the on-screen text: about a three-hour film


@dataclass(frozen=True, slots=True)
class Passage:
    """A scene: its span, title and summary."""

    span: Span
    title: str
    summary: str


@dataclass(frozen=True, slots=True)
class Page:
    """Everything that the template needs."""

    name: str
    info: MediaInfo
    hash: str
    coverage: Coverage
    lanes: tuple[Lane, ...]
    scenes: tuple[Passage, ...]
    speech: tuple[Observation, ...]
    text: tuple[Observation, ...]
    answers: tuple[Answer, ...]
    strip: tuple[Thumbnail, ...]
    scene_pictures: tuple[Thumbnail, ...]  # of the first scenes, in their order
    pictures: dict[Span, str]  # of evidence, by span
    problems: tuple[str, ...] = ()
    left_out: int = 0  # lines of transcript and text beyond MOST_LINES each


def gather(media: Media, memory: Memory, answers: Sequence[Answer] = ()) -> Page:
    """Collect a page from what is remembered of `media`; opens the file only for pictures."""
    found = memory.observations(media.hash)
    coverage = memory.coverage(media.hash)
    whole = media.info.span
    by_sense: dict[str, list[Observation]] = {name: [] for name, _ in LANES}
    for item in found:
        by_sense.setdefault(item.sense, []).append(item)
    scenes = tuple(Passage(one.span, one.title, one.summary) for one in memory.scenes(media.hash))
    cited = [item for answer in answers for item in evidence_of(answer)]
    speech = by_sense["speech"]
    text = [
        item for item in by_sense["text"] if item.data.get("kind") != "block"
    ]  # made of lines shown anyway
    return Page(
        name=Path(media.path).name,
        info=media.info,
        hash=media.hash,
        coverage=coverage,
        lanes=(_scene_lane(scenes), *_sense_lanes(by_sense, coverage, whole), *_evidence_lane(cited)),
        scenes=scenes,
        speech=tuple(speech[:MOST_LINES]),
        text=tuple(text[:MOST_LINES]),
        answers=tuple(answers),
        strip=tuple(thumbnails.strip(media)),
        scene_pictures=tuple(thumbnails.of_scenes(media, [scene.span for scene in scenes])),
        pictures=thumbnails.of_evidence(media, [item.span for item in cited if item.medium == media.hash]),
        problems=tuple(media.problems),
        left_out=sum(max(0, len(lines) - MOST_LINES) for lines in (speech, text)),
    )


def evidence_of(answer: Answer) -> list[Evidence]:
    """Return all evidence of an answer, each once: for its claims, against them, and in its conflicts."""
    claimed = [item for claim in answer.claims for item in (*claim.evidence, *claim.against)]
    disputed = [item for conflict in answer.conflicts for item in (conflict.left, conflict.right)]
    return list({item.id: item for item in (*claimed, *disputed)}.values())


def _sense_lanes(by_sense: dict[str, list[Observation]], coverage: Coverage, whole: Span) -> list[Lane]:
    return [
        make_lane(
            name,
            title,
            by_sense[name],
            whole,
            unseen=coverage.unseen(whole, name),
            failed=[failure.span for failure in coverage.failures if failure.sense == name],
        )
        for name, title in LANES
        if by_sense[name] or name != "captions"
    ]


def _scene_lane(scenes: Sequence[Passage]) -> Lane:
    return Lane("scenes", "Scenes", tuple(Mark(one.span, one.title) for one in scenes), len(scenes))


def _evidence_lane(cited: Sequence[Evidence]) -> list[Lane]:
    """Make the lane of evidence, when a question was asked."""
    if not cited:
        return []
    from vidence.exports.report.lanes import stack

    marks = [Mark(item.span, f"{item.sense}: {item.quote}", confidence=item.confidence) for item in cited]
    return [Lane("evidence", "Evidence", tuple(stack(marks)), len(marks))]
